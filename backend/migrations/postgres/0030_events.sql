-- Domain events, written in the transaction of what they tell of. Kept for a time after everyone has them.
create table events_outbox (
    -- The order in which they were written.
    written     bigint generated always as identity primary key,
    shop_id     uuid    not null,
    event_id    uuid    not null,
    kind        text    not null,
    -- The version of the payload's shape.
    version     bigint not null,
    -- Events with the same key (a member, an order) are delivered in the order in which they were committed.
    key         text    not null,
    payload     jsonb    not null,
    occurred_at timestamptz not null,
    -- The order in which they are delivered: given once they are committed, so that no cursor passes one by.
    position    bigint
);

create index events_outbox_new on events_outbox (written) where position is null;
create unique index events_outbox_position on events_outbox (position) where position is not null;

-- The last position that was given. Its one row is what those who give positions lock.
create table events_sequence (
    id   bigint not null primary key check (id = 1),
    last bigint not null
);

insert into events_sequence (id, last) values (1, 0);

-- How far each subscriber is. A claim writes a new token; a delivery is committed only if its token still stands here.
create table events_cursors (
    subscriber   text    not null primary key,
    position     bigint not null,
    -- How often the event after `position` has failed, and when to try again.
    attempts     bigint not null,
    due_at       timestamptz not null,
    token        uuid,
    leased_until timestamptz not null
);

-- Events that a subscriber gave up on.
create table events_dead (
    subscriber text    not null,
    position   bigint not null,
    shop_id    uuid    not null,
    event_id   uuid    not null,
    -- Never personal data.
    reason     text    not null,
    died_at    timestamptz not null,
    primary key (subscriber, position)
);
