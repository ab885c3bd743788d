-- Members that a shop brings along from another programme.

-- A file, and how far it is booked.
create table imports_batches (
    shop_id       uuid        not null,
    batch_id      uuid        not null,
    -- checking, running, done, reverting or reverted.
    state         text        not null,
    -- SHA-256 of the file: it is not imported twice.
    digest        bytea       not null,
    -- The last row that is booked or refused: a run that broke goes on after it.
    last_row      bigint      not null,
    imported      bigint      not null,
    refused       bigint      not null,
    new_members   bigint      not null,
    points        bigint      not null,
    -- The last row that was taken back; how many points were, and how many the members keep.
    reverted_row  bigint      not null,
    taken_back    bigint      not null,
    left_alone    bigint      not null,
    created_at    timestamptz not null,
    finished_at   timestamptz,
    reverted_at   timestamptz,
    primary key (shop_id, batch_id)
);
create unique index imports_batches_shop_id_digest_key on imports_batches (shop_id, digest)
    where state in ('running', 'done', 'reverting');

-- A row of a file that was imported; of one that is being checked, whose it is.
create table imports_rows (
    shop_id       uuid   not null,
    batch_id      uuid   not null,
    line          bigint not null,
    -- Null once everything that leads to a person is erased.
    customer_id   bigint,
    member_id     uuid,
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
);
