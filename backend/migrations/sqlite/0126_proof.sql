-- What came of looking whether a shop's books hold, the last time.
create table proof_runs (
    shop_id   blob    not null,
    proven_at integer not null,
    entries   integer not null,
    postings  integer not null,
    -- The blocks of the chain, and the digest of the last one.
    blocks    integer not null,
    head      blob    not null,
    primary key (shop_id)
) strict, without rowid;

-- In how many places each invariant did not hold.
create table proof_counts (
    shop_id    blob    not null,
    invariant  text    not null,
    violations integer not null,
    primary key (shop_id, invariant)
) strict, without rowid;
