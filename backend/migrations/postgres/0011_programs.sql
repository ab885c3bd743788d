-- A shop's settings. Every change is a new version.
create table programs_versions (
    shop_id    uuid        not null,
    version    bigint      not null,
    settings   jsonb       not null,
    created_at timestamptz not null,
    primary key (shop_id, version)
);
