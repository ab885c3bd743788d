-- Members that a shop brings along from another programme.

-- A file, and how far it is booked.
create table imports_batches (
    shop_id       blob    not null,
    batch_id      blob    not null,
    -- checking, running, done, reverting or reverted.
    state         text    not null,
    -- SHA-256 of the file: it is not imported twice.
    digest        blob    not null,
    -- The last row that is booked or refused: a run that broke goes on after it.
    last_row      integer not null,
    imported      integer not null,
    refused       integer not null,
    new_members   integer not null,
    points        integer not null,
    -- The last row that was taken back; how many points were, and how many the members keep.
    reverted_row  integer not null,
    taken_back    integer not null,
    left_alone    integer not null,
    created_at    integer not null,
    finished_at   integer,
    reverted_at   integer,
    primary key (shop_id, batch_id)
) strict, without rowid;
create unique index imports_batches_shop_id_digest_key on imports_batches (shop_id, digest)
    where state in ('running', 'done', 'reverting');

-- A row of a file that was imported; of one that is being checked, whose it is.
create table imports_rows (
    shop_id       blob    not null,
    batch_id      blob    not null,
    line          integer not null,
    -- Null once everything that leads to a person is erased.
    customer_id   integer,
    member_id     blob,
    -- The tier it gave, and the one before.
    tier          text,
    tier_before   text,
    -- As the other programme had them.
    referral_code text,
    -- 1990-05-27, or --05-27 where the year is not known.
    birthday      text,
    primary key (shop_id, batch_id, line),
    -- A customer is in a file once.
    unique (shop_id, customer_id, batch_id)
) strict, without rowid;
