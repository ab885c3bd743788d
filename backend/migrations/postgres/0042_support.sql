-- Support: someone of the installation acts as a shop's staff for a time.
create table support_sessions (
    shop_id    uuid        not null,
    session_id uuid        not null,
    -- SHA-256 of the token, which is not kept.
    token_hash bytea       not null,
    -- Who of the installation, and why.
    operator   text        not null,
    reason     text        not null,
    may_write  boolean     not null,
    opened_at  timestamptz not null,
    expires_at timestamptz not null,
    closed_at  timestamptz,
    primary key (shop_id, session_id)
);

-- Whether support may be let in.
alter table merchants_shops add column support_allowed boolean not null default true;
