-- Which members' metafields are to be written, and what was written last.
create table sync_accounts (
    shop_id    blob        not null,
    member_id  blob        not null,
    -- Counts the changes; `published` is the count that the metafield shows.
    wanted     integer      not null,
    published  integer      not null,
    -- When to write next; null when there is nothing to write.
    due_at     integer,
    attempts   integer      not null,
    -- Shopify's digest of what was written last.
    digest     text,
    -- The customer was deleted at Shopify.
    gone       integer     not null,
    lease_id   blob,
    lease_until integer,
    primary key (shop_id, member_id)
) strict, without rowid;
create index sync_accounts_due on sync_accounts (due_at) where due_at is not null;
