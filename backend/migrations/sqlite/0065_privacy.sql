-- What people, and shops, asked about the data that is held of them. Kept without anything that leads to them: the
-- number of the customer goes when the request is settled.
create table privacy_requests (
    shop_id      blob not null,
    request_id   blob not null,
    -- The webhook that brought it: a repeat is no second request.
    webhook_id   text not null,
    -- customers/data_request, customers/redact or shop/redact.
    kind         text not null,
    customer_id  integer,
    -- Shopify's numbers of the orders it names.
    orders       text not null,
    -- received, done or refused.
    state        text not null,
    -- Why it was refused, or what was found. Never personal data.
    outcome      text,
    received_at  integer not null,
    -- When it must be settled.
    due_at       integer not null,
    settled_at   integer,
    primary key (shop_id, request_id),
    unique (shop_id, webhook_id)
) strict, without rowid;
create index privacy_requests_settled on privacy_requests (settled_at) where settled_at is not null;

-- What was found for a data request, sealed (AES-256-GCM, bound to this column and shop), until the merchant had time to
-- hand it on.
create table privacy_exports (
    shop_id    blob not null,
    request_id blob not null,
    made_at    integer not null,
    expires_at integer not null,
    document   blob not null,
    primary key (shop_id, request_id)
) strict, without rowid;
