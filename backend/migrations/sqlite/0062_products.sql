-- The shop's products, as Shopify last told of them.
create table products_products (
    shop_id      blob not null,
    product_id   integer not null,
    -- Null where only its end is known.
    title        text,
    handle       text,
    -- active, archived or draft.
    status       text,
    product_type text,
    vendor       text,
    -- Lists of texts and of Shopify's numbers.
    tags         text not null,
    variants     text not null,
    -- When Shopify changed it last, or deleted it.
    updated_at   integer not null,
    deleted_at   integer,
    primary key (shop_id, product_id)
) strict, without rowid;
