-- Rewards that Shopify pays out: store credit and gift cards. The row is there before Shopify is asked, because it is asked once.
create table redemptions_payouts (
    shop_id    blob        not null,
    -- Whoever asks made it up, so that asking again is asking for the same.
    payout_id  blob        not null,
    member_id  blob        not null,
    reward_id  text        not null,
    kind       text        not null,
    currency   text        not null,
    minor      integer      not null,
    -- Held until it is known what came of it.
    points     integer      not null,
    spend_id   blob        not null,
    -- Whether it took one of the reward's stock.
    stocked    integer     not null,
    state      text        not null,
    asked_at   integer not null,
    sent_at    integer,
    settled_at integer,
    -- What Shopify made, and why it made nothing.
    made_id    text,
    reason     text,
    primary key (shop_id, payout_id),
    unique (shop_id, made_id)
) strict, without rowid;
create index redemptions_payouts_by_member on redemptions_payouts (shop_id, member_id, reward_id, asked_at);
