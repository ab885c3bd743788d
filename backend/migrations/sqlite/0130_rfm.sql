-- What members have bought, and their segments by it.

-- Whether anything is left of the order; null until it was looked at. And what was paid for that, in minor units of the
-- shop's currency.
alter table points_orders add column kept integer;
alter table points_orders add column spent integer not null default 0;
create index points_orders_uncounted on points_orders (shop_id, order_id) where kept is null;

-- By what a shop's members are scored.
create table rfm_shops (
    shop_id    blob    not null,
    -- Null until members are scored for the first time.
    scale      text,
    -- Which refresh laid the scale, and when.
    refresh_id blob,
    laid_at    integer,
    -- Whether it has scored everyone by it.
    is_done    integer not null default 0,
    primary key (shop_id)
) strict, without rowid;

-- What a member has bought, added up order by order.
create table rfm_members (
    shop_id       blob    not null,
    member_id     blob    not null,
    -- When the last of the orders was placed of which something is left; null without any.
    last_order_at integer,
    orders        integer not null check (orders >= 0),
    -- In minor units of the shop's currency; less than nothing where more came back than was paid.
    spent         integer not null,
    -- The three scores, such as 543; null where there are none.
    segment       integer,
    -- False once the customer is deleted or erased: they are scored no more.
    is_there      integer not null default 1,
    primary key (shop_id, member_id)
) strict, without rowid;

-- Every change of a member's segment.
create table rfm_history (
    shop_id    blob    not null,
    member_id  blob    not null,
    changed_at integer not null,
    -- Null where there is none.
    before     integer,
    segment    integer,
    primary key (shop_id, member_id, changed_at)
) strict, without rowid;

-- How many members were in each segment when they were refreshed on a day.
create table rfm_days (
    shop_id  blob    not null,
    -- When the day begins in the shop.
    day_from integer not null,
    -- 0 for members without an order of which something is left.
    segment  integer not null,
    members  integer not null,
    primary key (shop_id, day_from, segment)
) strict, without rowid;

-- Whoever is gone already is not scored.
insert into rfm_members (shop_id, member_id, orders, spent, is_there)
select shop_id, member_id, 0, 0, 0 from customers_members
where merged_into is null and (deleted_at is not null or redacted_at is not null);
