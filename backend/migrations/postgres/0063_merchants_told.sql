-- What Shopify tells of a shop by webhooks: its name, currency and time zone, as of `told_at`.
alter table merchants_shops add column told_at timestamptz;

-- The plans of this app that a shop is or was subscribed to.
create table merchants_plans (
    shop_id         uuid not null,
    -- Shopify's global id.
    subscription_id text not null,
    name            text not null,
    plan_handle     text,
    -- PENDING, ACTIVE, FROZEN, CANCELLED, …
    status          text not null,
    updated_at      timestamptz not null,
    primary key (shop_id, subscription_id)
);
