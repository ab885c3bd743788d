-- Members' birthdays.
create table customers_birthdays (
    shop_id   uuid not null,
    member_id uuid not null,
    -- Month and day: 05-27.
    day       text not null,
    -- When it was told; null if an import brought it: then it was known long before.
    told_at   timestamptz,
    primary key (shop_id, member_id)
);
create index customers_birthdays_by_day on customers_birthdays (shop_id, day, member_id);

-- When the first day begins whose birthdays were not looked at yet.
create table customers_celebrated (
    shop_id  uuid    not null,
    until    timestamptz not null,
    primary key (shop_id)
);

-- Those that waited in imports.
insert into customers_birthdays (shop_id, member_id, day)
select r.shop_id, coalesce(m.merged_into, m.member_id), right(r.birthday, 5)
from imports_rows r join customers_members m on m.shop_id = r.shop_id and m.customer_id = r.customer_id
where r.birthday is not null and m.deleted_at is null
on conflict (shop_id, member_id) do nothing;
update imports_rows set birthday = null where birthday is not null;
