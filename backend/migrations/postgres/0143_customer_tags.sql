-- Whether a shop has its own tags of customers kept.
create table customers_tag_settings (
    shop_id    uuid        not null primary key,
    kept       boolean     not null,
    changed_at timestamptz not null
);

-- A tag that a member's customer has, or has no more.
create table customers_tags (
    shop_id   uuid        not null,
    member_id uuid        not null,
    -- In lower case: tags that differ in case only are one.
    tag_key   text        not null,
    tag       text        not null,
    kept      boolean     not null,
    -- From when this is: what is newer comes after it.
    as_of     timestamptz not null,
    primary key (shop_id, member_id, tag_key)
);
