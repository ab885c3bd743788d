-- What is fixed with an order when it is seen first, and how long its points wait.
-- What beside its lines decides what it earns. Null of orders from before: there was nothing else.
alter table points_orders add column circumstances text;
-- Where a cap counts by day: the beginning of the shop's day that it belongs to.
alter table points_orders add column day_from integer;
-- What its points wait for has come to pass. Orders from before waited for their payment only.
alter table points_orders add column ripe integer not null default 1;
-- When it will have, where that is known.
alter table points_orders add column ripe_at integer;

create index points_orders_by_day on points_orders (shop_id, member_id, day_from) where day_from is not null;
create index points_orders_ripening on points_orders (shop_id, ripe_at) where ripe_at is not null;
