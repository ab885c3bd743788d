-- What Shopify is asked to work off by itself: one run for each purpose of a shop at a time.
create table bulk_runs (
    shop_id      uuid not null,
    run_id       uuid not null,
    -- What for; the room that reads the file knows it.
    purpose      text not null,
    state        text not null check (state in ('asked', 'running', 'completed', 'read', 'cut', 'failed', 'canceled', 'expired')),
    -- How often an operation was asked for, from 1.
    attempt      bigint not null,
    -- When Shopify was asked to begin with it; whether it did is not known before operation_id is.
    sent_at      timestamptz,
    -- Shopify's global id.
    operation_id text,
    -- Bytes of the file, and lines, that were acted upon.
    position     bigint not null,
    lines        bigint not null,
    -- Lines that could not be read.
    odd          bigint not null,
    -- Why there is no whole file. Never personal data.
    problem      text,
    asked_at     timestamptz not null,
    ended_at     timestamptz,
    primary key (shop_id, run_id)
);
create unique index bulk_runs_shop_id_purpose_key on bulk_runs (shop_id, purpose) where ended_at is null;
create index bulk_runs_operation on bulk_runs (shop_id, operation_id) where operation_id is not null;
