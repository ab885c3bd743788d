-- The shops that installed the app.
create table merchants_shops (
    shop_id        uuid        not null primary key,
    domain         text        not null unique,
    name           text        not null,
    currency       text        not null,
    time_zone      text        not null,
    -- The Admin API token, sealed (AES-256-GCM, bound to this column and shop); null after an uninstall.
    sealed_token   bytea,
    installed_at   timestamptz not null,
    uninstalled_at timestamptz,
    updated_at     timestamptz not null
);
