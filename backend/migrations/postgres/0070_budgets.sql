-- What is left of a shop's budget at the Admin API, as all processes know it; written only while there is little left.
create table budgets_buckets (
    shop_id    uuid primary key,
    -- Cost points: how many there are, fit, come back each second, are set aside for calls under way.
    bucket     jsonb not null,
    changed_at timestamptz not null
);
