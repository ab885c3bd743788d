-- Where our groups of members and Shopify's agree.

-- A comparison: one file of all customers.
create table rfm_comparisons (
    shop_id    blob not null,
    run_id     blob not null,
    started_at integer not null,
    -- Null while the file is made, or read.
    ended_at   integer,
    -- Whether the file was read to its end.
    is_whole   integer not null,
    primary key (shop_id, run_id)
) strict, without rowid;

-- How many members it found in a group of ours and one of Shopify's; empty where Shopify says none.
create table rfm_compared (
    shop_id blob not null,
    run_id  blob not null,
    ours    text not null,
    theirs  text not null,
    members integer not null,
    primary key (shop_id, run_id, ours, theirs)
) strict, without rowid;
