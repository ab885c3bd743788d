-- A shop's access token may expire, and is refreshed with a token that is used up by it. Both stand in one row, so that
-- they change together or not at all.
alter table merchants_shops
    -- When the access token in sealed_token expires; null: never.
    add column token_expires_at timestamptz,
    -- The refresh token, sealed as the access token is; null where there is none, and after an uninstall.
    add column sealed_refresh_token bytea,
    add column refresh_expires_at timestamptz,
    -- What the merchant granted, with commas.
    add column scopes text not null default '',
    -- Who is refreshing the pair just now.
    add column refresh_lease uuid,
    add column refresh_lease_until timestamptz,
    -- When the shop is to be set up (its program published), after an install; null once that is done.
    add column set_up_due_at timestamptz;

create index merchants_shops_set_up_due on merchants_shops (set_up_due_at) where set_up_due_at is not null;

-- The states of authorization-code grants that were used, until they would have expired anyway.
create table merchants_used_states (
    state      bytea       not null primary key,
    expires_at timestamptz not null
);
