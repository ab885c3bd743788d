-- Enrolled customers.
create table customers_members (
    shop_id     uuid        not null,
    member_id   uuid        not null,
    -- Shopify's number of the customer.
    customer_id bigint      not null,
    enrolled_at timestamptz not null,
    primary key (shop_id, member_id),
    unique (shop_id, customer_id)
);
