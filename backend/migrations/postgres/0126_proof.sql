-- What came of looking whether a shop's books hold, the last time.
create table proof_runs (
    shop_id   uuid        not null,
    proven_at timestamptz not null,
    entries   bigint      not null,
    postings  bigint      not null,
    -- The blocks of the chain, and the digest of the last one.
    blocks    bigint      not null,
    head      bytea       not null,
    primary key (shop_id)
);

-- In how many places each invariant did not hold.
create table proof_counts (
    shop_id    uuid   not null,
    invariant  text   not null,
    violations bigint not null,
    primary key (shop_id, invariant)
);
