-- Enrolled customers.
create table customers_members (
    shop_id     blob        not null,
    member_id   blob        not null,
    -- Shopify's number of the customer.
    customer_id integer      not null,
    enrolled_at integer     not null,
    primary key (shop_id, member_id),
    unique (shop_id, customer_id)
) strict, without rowid;
