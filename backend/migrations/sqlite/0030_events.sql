-- Domain events, written in the transaction of what they tell of. Kept for a time after everyone has them.
create table events_outbox (
    -- The order in which they were written.
    written     integer primary key autoincrement,
    shop_id     blob    not null,
    event_id    blob    not null,
    kind        text    not null,
    -- The version of the payload's shape.
    version     integer not null,
    -- Events with the same key (a member, an order) are delivered in the order in which they were committed.
    key         text    not null,
    payload     text    not null,
    occurred_at integer not null,
    -- The order in which they are delivered: given once they are committed, so that no cursor passes one by.
    position    integer
) strict;

create index events_outbox_new on events_outbox (written) where position is null;
create unique index events_outbox_position on events_outbox (position) where position is not null;

-- The last position that was given. Its one row is what those who give positions lock.
create table events_sequence (
    id   integer not null primary key check (id = 1),
    last integer not null
) strict, without rowid;

insert into events_sequence (id, last) values (1, 0);

-- How far each subscriber is. A claim writes a new token; a delivery is committed only if its token still stands here.
create table events_cursors (
    subscriber   text    not null primary key,
    position     integer not null,
    -- How often the event after `position` has failed, and when to try again.
    attempts     integer not null,
    due_at       integer not null,
    token        blob,
    leased_until integer not null
) strict, without rowid;

-- Events that a subscriber gave up on.
create table events_dead (
    subscriber text    not null,
    position   integer not null,
    shop_id    blob    not null,
    event_id   blob    not null,
    -- Never personal data.
    reason     text    not null,
    died_at    integer not null,
    primary key (subscriber, position)
) strict, without rowid;
