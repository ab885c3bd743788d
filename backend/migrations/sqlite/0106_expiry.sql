-- Until when points can be spent, and which lots every entry moved.

-- Whether the member's activity moves on some of its lots.
alter table points_accounts add column rolls integer not null default 0;

-- What of it expired, and was not to be taken back since.
alter table points_lots add column lapsed integer not null default 0;
-- The month in which it was earned, in the shop: 202611.
alter table points_lots add column cohort integer not null default 0;
-- By what activity moves its expiry on: P12M.
alter table points_lots add column rolls text;
-- The last warning that was given: how many days ahead.
alter table points_lots add column warned integer;
update points_lots set cohort = cast(strftime('%Y%m', earned_at / 1000000, 'unixepoch') as integer);
create index points_lots_by_expiry on points_lots (shop_id, expires_at)
    where remaining > 0 and expires_at is not null;

-- What an entry does to a lot: to what is left to spend of it, and to what is pinned of it.
create table points_moves (
    shop_id   blob not null,
    entry_id  blob not null,
    lot_id    blob not null,
    cohort    integer not null,
    available integer not null,
    held      integer not null,
    primary key (shop_id, entry_id, lot_id)
) strict, without rowid;
-- Nothing tells what entries did to lots before: what they hold now is where it starts.
insert into points_moves (shop_id, entry_id, lot_id, cohort, available, held)
select l.shop_id, l.lot_id, l.lot_id, l.cohort, l.remaining, coalesce(p.pinned, 0)
from points_lots l left join (
    select shop_id, lot_id, sum(points - returned) as pinned from points_pins where held group by shop_id, lot_id
) as p on p.shop_id = l.shop_id and p.lot_id = l.lot_id
where l.remaining > 0 or p.pinned > 0;
