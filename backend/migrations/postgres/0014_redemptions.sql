-- Holds, and what became of them.
create table redemptions_holds (
    shop_id         uuid        not null,
    hold_id         uuid        not null,
    member_id       uuid        not null,
    reward_id       text        not null,
    state           text        not null,
    -- The complete terms, as the member's metafield carries them.
    terms           jsonb       not null,
    opened_at       timestamptz not null,
    -- When it closes unless it is renewed; once it is cleared, when its points are free.
    expires_at      timestamptz not null,
    -- When the metafield was seen without it: the grace begins.
    cleared_at      timestamptz,
    ended_at        timestamptz,
    -- Why it was released.
    reason          text,
    -- The order that captured it, and the points it took.
    order_id        bigint,
    captured        bigint,
    primary key (shop_id, hold_id)
);
-- One live hold per member.
create unique index redemptions_holds_shop_id_member_id_key on redemptions_holds (shop_id, member_id)
    where state in ('opening', 'live', 'closing');
create index redemptions_holds_by_member on redemptions_holds (shop_id, member_id, ended_at);
create index redemptions_holds_due on redemptions_holds (expires_at)
    where state in ('opening', 'live', 'closing');

-- What the discounts on orders were paid with: money as minor units of the order's currency.
create table redemptions_uses (
    shop_id         uuid        not null,
    order_id        bigint      not null,
    member_id       uuid,
    hold_id         uuid,
    -- The pins of what was spent: the hold, or a debit of its own.
    spend_id        uuid,
    currency        text        not null,
    -- What each line and the delivery used.
    used            jsonb       not null,
    used_minor      bigint      not null,
    captured_minor  bigint      not null,
    debited_minor   bigint      not null,
    unbacked_minor  bigint      not null,
    -- What it cost the member, and what nobody paid for.
    paid            bigint      not null,
    unbacked        bigint      not null,
    -- What of that still stands after returns.
    paid_kept       bigint      not null,
    unbacked_kept   bigint      not null,
    revision        bigint      not null,
    used_at         timestamptz not null,
    -- A discount that no hold covered: to be reviewed by the merchant.
    flagged         boolean     not null,
    tagged_at       timestamptz,
    reviewed_at     timestamptz,
    primary key (shop_id, order_id),
    constraint redemptions_uses_money check (used_minor = captured_minor + debited_minor + unbacked_minor)
);
create index redemptions_uses_by_member on redemptions_uses (shop_id, member_id);
create index redemptions_uses_to_tag on redemptions_uses (used_at) where flagged and tagged_at is null;
