-- What of the program stands in Shopify beside its metafields: each thing that was put there, by its kind.
create table activation_things (
    shop_id     blob not null,
    -- points, …
    kind        text not null,
    -- Shopify's global id of the one that we made or found; it stays when the merchant deletes it, so that it is not made
    -- again behind their back.
    discount_id text,
    -- Why it could not be made or put right the last time.
    problem     text,
    changed_at  integer not null,
    primary key (shop_id, kind)
) strict, without rowid;

-- Who is at it for a shop, so that two processes do not make the same thing twice.
create table activation_leases (
    shop_id blob not null primary key,
    lease   blob not null,
    until   integer not null
) strict, without rowid;
