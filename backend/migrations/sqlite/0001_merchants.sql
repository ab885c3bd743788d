-- The shops that installed the app. Times are microseconds since 1970, ids are 16 bytes.
create table merchants_shops (
    shop_id        blob    not null primary key,
    domain         text    not null unique,
    name           text    not null,
    currency       text    not null,
    time_zone      text    not null,
    -- The Admin API token, sealed (AES-256-GCM, bound to this column and shop); null after an uninstall.
    sealed_token   blob,
    installed_at   integer not null,
    uninstalled_at integer,
    updated_at     integer not null
) strict, without rowid;
