-- The staff of the shops: who has opened the app, as what, and their online tokens. No names, no addresses.
create table merchants_staff (
    shop_id             uuid        not null,
    -- Shopify's number.
    user_id             bigint      not null,
    -- What they may do; null: what the shop's default says. The owner of the account needs none.
    role                text        check (role in ('admin', 'editor', 'viewer')),
    -- What Shopify said when it last granted a token.
    is_owner            boolean     not null,
    collaborator        boolean     not null,
    locale              text,
    scopes              text        not null,
    -- The online token, sealed, bound to this column and shop; null once the session is over.
    sealed_online_token bytea,
    expires_at          timestamptz,
    first_seen_at       timestamptz not null,
    last_seen_at        timestamptz not null,
    -- Session tokens that were made before are not accepted.
    revoked_at          timestamptz,
    primary key (shop_id, user_id)
);

-- The role of those who were given none.
alter table merchants_shops add column staff_default_role text not null default 'admin'
    check (staff_default_role in ('admin', 'editor', 'viewer'));
