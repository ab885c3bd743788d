-- What is fixed with an order when it is seen first, and how long its points wait.
alter table points_orders
    -- What beside its lines decides what it earns. Null of orders from before: there was nothing else.
    add column circumstances jsonb,
    -- Where a cap counts by day: the beginning of the shop's day that it belongs to.
    add column day_from timestamptz,
    -- What its points wait for has come to pass. Orders from before waited for their payment only.
    add column ripe boolean not null default true,
    -- When it will have, where that is known.
    add column ripe_at timestamptz;

create index points_orders_by_day on points_orders (shop_id, member_id, day_from) where day_from is not null;
create index points_orders_ripening on points_orders (shop_id, ripe_at) where ripe_at is not null;
