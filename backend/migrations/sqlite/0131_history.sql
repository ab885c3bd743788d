-- What customers bought before the app came, and how far it was read.

-- An order that the app was told of by a file alone. It has no booking: it earns nothing.
create table history_orders (
    shop_id   blob    not null,
    order_id  integer not null,
    member_id blob    not null,
    placed_at integer not null,
    -- Whether anything is left of it, and what was paid for that, in minor units of the shop's currency.
    kept      integer not null,
    spent     integer not null,
    -- From when this is: what is newer comes after it.
    as_of     integer not null,
    primary key (shop_id, order_id)
) strict, without rowid;
create index history_orders_by_member on history_orders (shop_id, member_id);

-- What came of reading a file.
create table history_reports (
    shop_id     blob    not null,
    -- The bulk run.
    run_id      blob    not null,
    -- `customers` or `orders`.
    subject     text    not null,
    asked_at    integer not null,
    -- Whether Shopify shows all orders; else those of the last 60 days. Null until it has begun.
    all_orders  integer,
    taken       integer not null default 0,
    new_members integer not null default 0,
    passed_by   integer not null default 0,
    refused     integer not null default 0,
    primary key (shop_id, run_id)
) strict, without rowid;
create index history_reports_by_subject on history_reports (shop_id, subject, run_id);

-- The first lines that could not be taken.
create table history_refusals (
    shop_id     blob    not null,
    run_id      blob    not null,
    place       integer not null,
    order_id    integer,
    customer_id integer,
    code        text    not null,
    primary key (shop_id, run_id, place)
) strict, without rowid;
create index history_refusals_by_customer on history_refusals (shop_id, customer_id) where customer_id is not null;
