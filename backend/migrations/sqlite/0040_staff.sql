-- The staff of the shops: who has opened the app, as what, and their online tokens. No names, no addresses.
create table merchants_staff (
    shop_id             blob    not null,
    -- Shopify's number.
    user_id             integer not null,
    -- What they may do; null: what the shop's default says. The owner of the account needs none.
    role                text    check (role in ('admin', 'editor', 'viewer')),
    -- What Shopify said when it last granted a token.
    is_owner            integer not null,
    collaborator        integer not null,
    locale              text,
    scopes              text    not null,
    -- The online token, sealed, bound to this column and shop; null once the session is over.
    sealed_online_token blob,
    expires_at          integer,
    first_seen_at       integer not null,
    last_seen_at        integer not null,
    -- Session tokens that were made before are not accepted.
    revoked_at          integer,
    primary key (shop_id, user_id)
) strict, without rowid;

-- The role of those who were given none.
alter table merchants_shops add column staff_default_role text not null default 'admin'
    check (staff_default_role in ('admin', 'editor', 'viewer'));
