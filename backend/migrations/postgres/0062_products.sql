-- The shop's products, as Shopify last told of them.
create table products_products (
    shop_id      uuid not null,
    product_id   bigint not null,
    -- Null where only its end is known.
    title        text,
    handle       text,
    -- active, archived or draft.
    status       text,
    product_type text,
    vendor       text,
    -- Lists of texts and of Shopify's numbers.
    tags         jsonb not null,
    variants     jsonb not null,
    -- When Shopify changed it last, or deleted it.
    updated_at   timestamptz not null,
    deleted_at   timestamptz,
    primary key (shop_id, product_id)
);
