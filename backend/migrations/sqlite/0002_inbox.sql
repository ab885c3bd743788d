-- Webhooks: what Shopify said, once each, until it is dealt with.
create table inbox_messages (
    shop_id      blob    not null,
    -- Ours; a later arrival has a greater one.
    message_id   blob    not null,
    -- Shopify's, the same in every repeat of a delivery.
    webhook_id   text    not null,
    -- Shopify's, shared by the deliveries of one action.
    event_id     text,
    topic        text    not null,
    api_version  text,
    triggered_at integer not null,
    received_at  integer not null,
    -- Messages of one lane are worked off in order; a bucket is a group of lanes, and what workers lease.
    lane         text    not null,
    bucket       integer not null check (bucket between 0 and 63),
    state        text    not null check (state in ('ready', 'done', 'dead')),
    attempts     integer not null default 0,
    -- Why it is dead, or done without having been acted upon. Never personal data.
    reason       text,
    settled_at   integer,
    primary key (shop_id, message_id),
    unique (shop_id, webhook_id)
) strict, without rowid;

create index inbox_messages_ready on inbox_messages (message_id) where state = 'ready';
create index inbox_messages_received on inbox_messages (received_at);

-- Their bodies, sealed (AES-256-GCM, bound to this column and shop), apart because they are large and dropped first.
create table inbox_payloads (
    shop_id     blob    not null,
    message_id  blob    not null,
    received_at integer not null,
    payload     blob    not null,
    primary key (shop_id, message_id)
) strict;

create index inbox_payloads_received on inbox_payloads (received_at);

-- Lanes whose first message failed and waits for its next try.
create table inbox_held_lanes (
    shop_id blob    not null,
    lane    text    not null,
    until   integer not null,
    primary key (shop_id, lane)
) strict, without rowid;

-- Who works on a bucket. A claim writes a new token; work is committed only if its token still stands here.
create table inbox_leases (
    bucket     integer not null primary key,
    token      blob,
    expires_at integer not null
) strict, without rowid;

insert into inbox_leases (bucket, expires_at)
with recursive bucket (n) as (select 0 union all select n + 1 from bucket where n < 63)
select n, 0 from bucket;
