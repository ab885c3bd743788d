-- When the metafield was written last: a file that Shopify made before tells nothing of it.
alter table sync_accounts add column published_at timestamptz;

-- In which run's file a member was last seen.
create table sync_seen (
    shop_id   uuid not null,
    member_id uuid not null,
    run_id    uuid not null,
    primary key (shop_id, member_id)
);

-- What came of comparing all metafields of a shop with the ledger.
create table sync_reports (
    shop_id    uuid not null,
    run_id     uuid not null,
    state      text not null check (state in ('reading', 'asking', 'done', 'incomplete')),
    started_at timestamptz not null,
    ended_at   timestamptz,
    -- Members whose metafield was looked at, and those of them whose changes were on their way.
    members    bigint not null default 0,
    in_flight  bigint not null default 0,
    -- Kinds of drift, each member in one.
    missing    bigint not null default 0,
    behind     bigint not null default 0,
    ahead      bigint not null default 0,
    different  bigint not null default 0,
    unreadable bigint not null default 0,
    returned   bigint not null default 0,
    gone       bigint not null default 0,
    orphans    bigint not null default 0,
    primary key (shop_id, run_id)
);
