-- What Shopify last said of an order, and all that came back of it.
create table orders_orders (
    shop_id     uuid        not null,
    order_id    bigint      not null,
    customer_id bigint,
    placed_at   timestamptz,
    -- Null until the order itself is known: a refund may come first.
    facts       jsonb,
    -- By refund: what came back.
    refunds     jsonb       not null,
    primary key (shop_id, order_id)
);
