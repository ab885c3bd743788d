-- What people, and shops, asked about the data that is held of them. Kept without anything that leads to them: the
-- number of the customer goes when the request is settled.
create table privacy_requests (
    shop_id      uuid not null,
    request_id   uuid not null,
    -- The webhook that brought it: a repeat is no second request.
    webhook_id   text not null,
    -- customers/data_request, customers/redact or shop/redact.
    kind         text not null,
    customer_id  bigint,
    -- Shopify's numbers of the orders it names.
    orders       jsonb not null,
    -- received, done or refused.
    state        text not null,
    -- Why it was refused, or what was found. Never personal data.
    outcome      text,
    received_at  timestamptz not null,
    -- When it must be settled.
    due_at       timestamptz not null,
    settled_at   timestamptz,
    primary key (shop_id, request_id),
    unique (shop_id, webhook_id)
);
create index privacy_requests_settled on privacy_requests (settled_at) where settled_at is not null;

-- What was found for a data request, sealed (AES-256-GCM, bound to this column and shop), until the merchant had time to
-- hand it on.
create table privacy_exports (
    shop_id    uuid not null,
    request_id uuid not null,
    made_at    timestamptz not null,
    expires_at timestamptz not null,
    document   bytea not null,
    primary key (shop_id, request_id)
);
