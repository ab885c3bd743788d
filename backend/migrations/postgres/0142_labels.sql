-- In which group of members Shopify's own lists show a customer.
create table rfm_labels (
    shop_id   uuid not null,
    member_id uuid not null,
    -- The group in the metafield; null where none was written yet.
    metafield text,
    -- The group in the tag; null where there is none.
    tag       text,
    primary key (shop_id, member_id)
);
