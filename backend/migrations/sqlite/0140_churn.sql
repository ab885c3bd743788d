-- How long the members of a shop stayed away between two orders.
create table rfm_churn (
    shop_id    blob    not null,
    -- The life tables; null where too few came again.
    tables     text,
    -- The days from one order to the next, where most come at that interval.
    every_days integer,
    -- How often somebody came again.
    returns    integer not null,
    -- When that was counted.
    counted_at integer not null,
    primary key (shop_id)
) strict, without rowid;
