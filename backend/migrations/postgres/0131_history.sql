-- What customers bought before the app came, and how far it was read.

-- An order that the app was told of by a file alone. It has no booking: it earns nothing.
create table history_orders (
    shop_id   uuid        not null,
    order_id  bigint      not null,
    member_id uuid        not null,
    placed_at timestamptz not null,
    -- Whether anything is left of it, and what was paid for that, in minor units of the shop's currency.
    kept      boolean     not null,
    spent     bigint      not null,
    -- From when this is: what is newer comes after it.
    as_of     timestamptz not null,
    primary key (shop_id, order_id)
);
create index history_orders_by_member on history_orders (shop_id, member_id);

-- What came of reading a file.
create table history_reports (
    shop_id     uuid        not null,
    -- The bulk run.
    run_id      uuid        not null,
    -- `customers` or `orders`.
    subject     text        not null,
    asked_at    timestamptz not null,
    -- Whether Shopify shows all orders; else those of the last 60 days. Null until it has begun.
    all_orders  boolean,
    taken       bigint      not null default 0,
    new_members bigint      not null default 0,
    passed_by   bigint      not null default 0,
    refused     bigint      not null default 0,
    primary key (shop_id, run_id)
);
create index history_reports_by_subject on history_reports (shop_id, subject, run_id);

-- The first lines that could not be taken.
create table history_refusals (
    shop_id     uuid   not null,
    run_id      uuid   not null,
    place       bigint not null,
    order_id    bigint,
    customer_id bigint,
    code        text   not null,
    primary key (shop_id, run_id, place)
);
create index history_refusals_by_customer on history_refusals (shop_id, customer_id) where customer_id is not null;
