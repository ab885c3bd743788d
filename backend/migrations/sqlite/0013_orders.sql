-- What Shopify last said of an order, and all that came back of it.
create table orders_orders (
    shop_id     blob        not null,
    order_id    integer      not null,
    customer_id integer,
    placed_at   integer,
    -- Null until the order itself is known: a refund may come first.
    facts       text,
    -- By refund: what came back.
    refunds     text        not null,
    primary key (shop_id, order_id)
) strict, without rowid;
