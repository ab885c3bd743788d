-- Members' e-mail addresses, kept only where the merchant has switched that on.

-- A shop without a row keeps none.
create table customers_email_settings (
    shop_id     blob    not null primary key,
    kept        integer not null,
    -- When it was switched. Tasks that were started by an earlier switch end by themselves.
    changed_at  integer not null,
    -- Since when Shopify leaves the addresses out of its answers; null: it shows them, or was not asked yet.
    withheld_at integer
) strict, without rowid;

create table customers_emails (
    shop_id      blob    not null,
    member_id    blob    not null,
    sealed_email blob    not null,
    -- HMAC-SHA-256 of the address as it is looked for, under a key of the shop's own.
    email_index  blob    not null,
    kept_at      integer not null,
    primary key (shop_id, member_id)
) strict, without rowid;
create index customers_emails_index on customers_emails (shop_id, email_index);
