-- Which of a member's orders is the first that stands, and what it gives beside.

-- When the order was placed.
alter table points_orders add column placed_at timestamptz not null default 'epoch';
-- What it gives as long as it is the first; fixed when it is seen first.
alter table points_orders add column first_order bigint not null default 0;
-- What becomes of its points: gone, waits or stands.
alter table points_orders add column standing text not null default 'stands';
update points_orders set
    placed_at = coalesce((select o.placed_at from orders_orders o
        where o.shop_id = points_orders.shop_id and o.order_id = points_orders.order_id), 'epoch'),
    standing = case when pending > 0 then 'waits' when posted = 0 and revision > 1 then 'gone' else 'stands' end;
drop index points_orders_by_member;
create index points_orders_by_member on points_orders (shop_id, member_id, placed_at, order_id);

-- What a member has for an occasion: signing up, the first order, a birthday. Each once.
create table points_bonuses (
    shop_id     uuid    not null,
    -- sign_up, first_order, or birthday:2026.
    occasion    text    not null,
    member_id   uuid    not null,
    -- The name of its entries, whoever the member is by now.
    bonus_id    uuid    not null,
    -- The order that it is for.
    order_id    bigint,
    -- When the occasion was.
    occurred_at timestamptz not null,
    pending     bigint not null,
    posted      bigint not null,
    forgiven    bigint not null,
    lot_id      uuid,
    revision    bigint not null,
    primary key (shop_id, occasion, member_id)
);
create index points_bonuses_by_member on points_bonuses (shop_id, member_id);
