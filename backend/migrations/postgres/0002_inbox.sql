-- Webhooks: what Shopify said, once each, until it is dealt with.
create table inbox_messages (
    shop_id      uuid        not null,
    -- Ours; a later arrival has a greater one.
    message_id   uuid        not null,
    -- Shopify's, the same in every repeat of a delivery.
    webhook_id   text        not null,
    -- Shopify's, shared by the deliveries of one action.
    event_id     text,
    topic        text        not null,
    api_version  text,
    triggered_at timestamptz not null,
    received_at  timestamptz not null,
    -- Messages of one lane are worked off in order; a bucket is a group of lanes, and what workers lease.
    lane         text        not null,
    bucket       bigint      not null check (bucket between 0 and 63),
    state        text        not null check (state in ('ready', 'done', 'dead')),
    attempts     bigint      not null default 0,
    -- Why it is dead, or done without having been acted upon. Never personal data.
    reason       text,
    settled_at   timestamptz,
    primary key (shop_id, message_id),
    unique (shop_id, webhook_id)
);

create index inbox_messages_ready on inbox_messages (message_id) where state = 'ready';
create index inbox_messages_received on inbox_messages (received_at);

-- Their bodies, sealed (AES-256-GCM, bound to this column and shop), apart because they are large and dropped first.
create table inbox_payloads (
    shop_id     uuid        not null,
    message_id  uuid        not null,
    received_at timestamptz not null,
    payload     bytea       not null,
    primary key (shop_id, message_id)
);

-- Sealed bytes do not compress.
alter table inbox_payloads alter column payload set storage external;

create index inbox_payloads_received on inbox_payloads (received_at);

-- Lanes whose first message failed and waits for its next try.
create table inbox_held_lanes (
    shop_id uuid        not null,
    lane    text        not null,
    until   timestamptz not null,
    primary key (shop_id, lane)
);

-- Who works on a bucket. A claim writes a new token; work is committed only if its token still stands here.
create table inbox_leases (
    bucket     bigint      not null primary key,
    token      uuid,
    expires_at timestamptz not null
);

insert into inbox_leases (bucket, expires_at)
select n, timestamptz 'epoch' from generate_series(0, 63) as bucket (n);
