-- The collections and tags that earning rules name (a shelf is collection:ID or tag:TEXT), when they were read, and which
-- products stand on them.
create table products_shelves (
    shop_id blob not null,
    shelf   text not null,
    read_at integer not null,
    primary key (shop_id, shelf)
) strict, without rowid;

create table products_shelved (
    shop_id    blob not null,
    product_id integer not null,
    shelf      text not null,
    primary key (shop_id, product_id, shelf)
) strict, without rowid;
create index products_shelved_by_shelf on products_shelved (shop_id, shelf);
