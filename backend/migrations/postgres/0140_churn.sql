-- How long the members of a shop stayed away between two orders.
create table rfm_churn (
    shop_id    uuid        not null,
    -- The life tables; null where too few came again.
    tables     jsonb,
    -- The days from one order to the next, where most come at that interval.
    every_days bigint,
    -- How often somebody came again.
    returns    bigint      not null,
    -- When that was counted.
    counted_at timestamptz not null,
    primary key (shop_id)
);
