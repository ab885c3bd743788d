-- The chain that shows whether a ledger was changed afterwards.

-- Entries that were sealed together.
create table points_seals (
    shop_id   uuid        not null,
    -- 1 for the first, and without a gap.
    number    bigint      not null,
    -- When the last of the entries was booked: what is older than the newest of these is sealed.
    up_to     timestamptz not null,
    -- Their ids, 16 bytes each, in the order in which they are digested.
    entry_ids bytea       not null,
    -- SHA-256 of the digest before and of everything that the entries say.
    digest    bytea       not null,
    primary key (shop_id, number)
);

-- SHA-256 of a salt and the note. It stays when both are erased, so that the chain still closes.
alter table points_notes
    add column salt   bytea,
    add column digest bytea;
