-- Who did what in a shop, before and after. Rows are only ever added. No personal data of shoppers or staff; operators
-- are the installation's own people.
create table audit_entries (
    shop_id    blob    not null,
    -- Sortable by time.
    entry_id   blob    not null,
    at         integer not null,
    -- user, support, api, system or cli.
    actor_kind text    not null,
    -- Shopify's number of a user, the id of a support session or of an API token.
    actor_id   text,
    -- Who of the installation, for support.
    operator   text,
    -- A code such as staff.role_changed.
    action     text    not null,
    target     text,
    before     text,
    after      text,
    request_id text,
    primary key (shop_id, entry_id)
) strict, without rowid;
