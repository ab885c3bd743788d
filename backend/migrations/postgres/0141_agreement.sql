-- Where our groups of members and Shopify's agree.

-- A comparison: one file of all customers.
create table rfm_comparisons (
    shop_id    uuid not null,
    run_id     uuid not null,
    started_at timestamptz not null,
    -- Null while the file is made, or read.
    ended_at   timestamptz,
    -- Whether the file was read to its end.
    is_whole   boolean not null,
    primary key (shop_id, run_id)
);

-- How many members it found in a group of ours and one of Shopify's; empty where Shopify says none.
create table rfm_compared (
    shop_id uuid not null,
    run_id  uuid not null,
    ours    text not null,
    theirs  text not null,
    members bigint not null,
    primary key (shop_id, run_id, ours, theirs)
);
