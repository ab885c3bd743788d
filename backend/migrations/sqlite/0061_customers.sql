-- What becomes of a customer. SQLite cannot let a column be null later on, so the table is made anew.
create table customers_members_new (
    shop_id     blob not null,
    member_id   blob not null,
    -- Shopify's number of the customer; null once everything that leads to a person is erased.
    customer_id integer,
    enrolled_at integer not null,
    -- The customer's account at the shop, in Shopify's word (enabled, disabled, invited, declined), as of `told_at`.
    state       text,
    told_at     integer,
    -- The member that this customer was merged into: points, orders and holds are that one's.
    merged_into blob,
    deleted_at  integer,
    redacted_at integer,
    primary key (shop_id, member_id),
    unique (shop_id, customer_id)
) strict, without rowid;

insert into customers_members_new (shop_id, member_id, customer_id, enrolled_at)
select shop_id, member_id, customer_id, enrolled_at from customers_members;
drop table customers_members;
alter table customers_members_new rename to customers_members;

create index customers_members_merged on customers_members (shop_id, merged_into) where merged_into is not null;

-- Nothing is booked on the account of a member who was merged into another.
alter table points_accounts add column merged_into blob;
