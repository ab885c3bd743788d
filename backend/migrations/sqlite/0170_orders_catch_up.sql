-- Up to when what has changed of a shop's orders was looked through: Shopify gives up on webhooks that nobody takes.
create table orders_catch_up (
    shop_id blob not null primary key,
    looked_until integer not null
) strict, without rowid;
