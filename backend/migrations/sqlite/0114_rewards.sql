-- How many of a reward are left. A reward without a row has no end.
create table redemptions_stock (
    shop_id   blob    not null,
    reward_id text    not null,
    remaining integer not null,
    primary key (shop_id, reward_id),
    constraint redemptions_stock_remaining check (remaining >= 0)
) strict, without rowid;
-- Whether it took one of the stock and has not given it back.
alter table redemptions_holds add column stocked integer not null default 0;
-- How often a member had a reward.
create index redemptions_holds_by_reward on redemptions_holds (shop_id, member_id, reward_id, opened_at)
    where state <> 'released';
