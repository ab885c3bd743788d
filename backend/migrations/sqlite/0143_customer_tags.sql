-- Whether a shop has its own tags of customers kept.
create table customers_tag_settings (
    shop_id    blob    not null primary key,
    kept       integer not null check (kept in (0, 1)),
    changed_at integer not null
) strict;

-- A tag that a member's customer has, or has no more.
create table customers_tags (
    shop_id   blob    not null,
    member_id blob    not null,
    -- In lower case: tags that differ in case only are one.
    tag_key   text    not null,
    tag       text    not null,
    kept      integer not null check (kept in (0, 1)),
    -- From when this is: what is newer comes after it.
    as_of     integer not null,
    primary key (shop_id, member_id, tag_key)
) strict, without rowid;
