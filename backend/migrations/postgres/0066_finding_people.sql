-- What is held of a customer is found by who it is about, when two become one and when one is to be erased.
create index orders_orders_by_customer on orders_orders (shop_id, customer_id) where customer_id is not null;
create index points_orders_by_member on points_orders (shop_id, member_id);
create index points_pins_by_member on points_pins (shop_id, member_id);
create index inbox_messages_settled_lane on inbox_messages (shop_id, lane) where state <> 'ready';
create index events_outbox_customers on events_outbox (shop_id, key) where kind = 'customer.created';

-- What led to the order's customer was erased: later webhooks lead there no more.
alter table orders_orders add column erased boolean not null default false;
