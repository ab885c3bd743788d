-- When the metafield was written last: a file that Shopify made before tells nothing of it.
alter table sync_accounts add column published_at integer;

-- In which run's file a member was last seen.
create table sync_seen (
    shop_id   blob not null,
    member_id blob not null,
    run_id    blob not null,
    primary key (shop_id, member_id)
) strict, without rowid;

-- What came of comparing all metafields of a shop with the ledger.
create table sync_reports (
    shop_id    blob not null,
    run_id     blob not null,
    state      text not null check (state in ('reading', 'asking', 'done', 'incomplete')),
    started_at integer not null,
    ended_at   integer,
    -- Members whose metafield was looked at, and those of them whose changes were on their way.
    members    integer not null default 0,
    in_flight  integer not null default 0,
    -- Kinds of drift, each member in one.
    missing    integer not null default 0,
    behind     integer not null default 0,
    ahead      integer not null default 0,
    different  integer not null default 0,
    unreadable integer not null default 0,
    returned   integer not null default 0,
    gone       integer not null default 0,
    orphans    integer not null default 0,
    primary key (shop_id, run_id)
) strict, without rowid;
