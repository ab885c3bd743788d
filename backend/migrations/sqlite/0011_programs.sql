-- A shop's settings. Every change is a new version.
create table programs_versions (
    shop_id    blob        not null,
    version    integer      not null,
    settings   text        not null,
    created_at integer     not null,
    primary key (shop_id, version)
) strict, without rowid;
