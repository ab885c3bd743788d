-- A shop's access token may expire, and is refreshed with a token that is used up by it. Both stand in one row, so that
-- they change together or not at all.

-- When the access token in sealed_token expires; null: never.
alter table merchants_shops add column token_expires_at integer;
-- The refresh token, sealed as the access token is; null where there is none, and after an uninstall.
alter table merchants_shops add column sealed_refresh_token blob;
alter table merchants_shops add column refresh_expires_at integer;
-- What the merchant granted, with commas.
alter table merchants_shops add column scopes text not null default '';
-- Who is refreshing the pair just now.
alter table merchants_shops add column refresh_lease blob;
alter table merchants_shops add column refresh_lease_until integer;
-- When the shop is to be set up (its program published), after an install; null once that is done.
alter table merchants_shops add column set_up_due_at integer;

create index merchants_shops_set_up_due on merchants_shops (set_up_due_at) where set_up_due_at is not null;

-- The states of authorization-code grants that were used, until they would have expired anyway.
create table merchants_used_states (
    state      blob    not null primary key,
    expires_at integer not null
) strict, without rowid;
