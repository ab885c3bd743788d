-- What became of the bulk operations that ran in a shop.
create table bulk_operations (
    shop_id      blob not null,
    -- Shopify's global id.
    operation_id text not null,
    -- query or mutation.
    kind         text not null,
    -- completed, failed, canceled or expired.
    status       text not null,
    error_code   text,
    finished_at  integer not null,
    primary key (shop_id, operation_id)
) strict, without rowid;
