-- Which members' metafields are to be written, and what was written last.
create table sync_accounts (
    shop_id    uuid        not null,
    member_id  uuid        not null,
    -- Counts the changes; `published` is the count that the metafield shows.
    wanted     bigint      not null,
    published  bigint      not null,
    -- When to write next; null when there is nothing to write.
    due_at     timestamptz,
    attempts   bigint      not null,
    -- Shopify's digest of what was written last.
    digest     text,
    -- The customer was deleted at Shopify.
    gone       boolean     not null,
    lease_id   uuid,
    lease_until timestamptz,
    primary key (shop_id, member_id)
);
create index sync_accounts_due on sync_accounts (due_at) where due_at is not null;
