-- Rewards that Shopify pays out: store credit and gift cards. The row is there before Shopify is asked, because it is asked once.
create table redemptions_payouts (
    shop_id    uuid        not null,
    -- Whoever asks made it up, so that asking again is asking for the same.
    payout_id  uuid        not null,
    member_id  uuid        not null,
    reward_id  text        not null,
    kind       text        not null,
    currency   text        not null,
    minor      bigint      not null,
    -- Held until it is known what came of it.
    points     bigint      not null,
    spend_id   uuid        not null,
    -- Whether it took one of the reward's stock.
    stocked    boolean     not null,
    state      text        not null,
    asked_at   timestamptz not null,
    sent_at    timestamptz,
    settled_at timestamptz,
    -- What Shopify made, and why it made nothing.
    made_id    text,
    reason     text,
    primary key (shop_id, payout_id),
    unique (shop_id, made_id)
);
create index redemptions_payouts_by_member on redemptions_payouts (shop_id, member_id, reward_id, asked_at);
