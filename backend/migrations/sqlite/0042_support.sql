-- Support: someone of the installation acts as a shop's staff for a time.
create table support_sessions (
    shop_id    blob    not null,
    session_id blob    not null,
    -- SHA-256 of the token, which is not kept.
    token_hash blob    not null,
    -- Who of the installation, and why.
    operator   text    not null,
    reason     text    not null,
    may_write  integer not null,
    opened_at  integer not null,
    expires_at integer not null,
    closed_at  integer,
    primary key (shop_id, session_id)
) strict, without rowid;

-- Whether support may be let in.
alter table merchants_shops add column support_allowed integer not null default 1;
