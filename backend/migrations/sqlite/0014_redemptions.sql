-- Holds, and what became of them.
create table redemptions_holds (
    shop_id         blob        not null,
    hold_id         blob        not null,
    member_id       blob        not null,
    reward_id       text        not null,
    state           text        not null,
    -- The complete terms, as the member's metafield carries them.
    terms           text        not null,
    opened_at       integer     not null,
    -- When it closes unless it is renewed; once it is cleared, when its points are free.
    expires_at      integer     not null,
    -- When the metafield was seen without it: the grace begins.
    cleared_at      integer,
    ended_at        integer,
    -- Why it was released.
    reason          text,
    -- The order that captured it, and the points it took.
    order_id        integer,
    captured        integer,
    primary key (shop_id, hold_id)
) strict, without rowid;
-- One live hold per member.
create unique index redemptions_holds_shop_id_member_id_key on redemptions_holds (shop_id, member_id)
    where state in ('opening', 'live', 'closing');
create index redemptions_holds_by_member on redemptions_holds (shop_id, member_id, ended_at);
create index redemptions_holds_due on redemptions_holds (expires_at)
    where state in ('opening', 'live', 'closing');

-- What the discounts on orders were paid with: money as minor units of the order's currency.
create table redemptions_uses (
    shop_id         blob        not null,
    order_id        integer      not null,
    member_id       blob,
    hold_id         blob,
    -- The pins of what was spent: the hold, or a debit of its own.
    spend_id        blob,
    currency        text        not null,
    -- What each line and the delivery used.
    used            text        not null,
    used_minor      integer      not null,
    captured_minor  integer      not null,
    debited_minor   integer      not null,
    unbacked_minor  integer      not null,
    -- What it cost the member, and what nobody paid for.
    paid            integer      not null,
    unbacked        integer      not null,
    -- What of that still stands after returns.
    paid_kept       integer      not null,
    unbacked_kept   integer      not null,
    revision        integer      not null,
    used_at         integer     not null,
    -- A discount that no hold covered: to be reviewed by the merchant.
    flagged         integer     not null,
    tagged_at       integer,
    reviewed_at     integer,
    primary key (shop_id, order_id),
    constraint redemptions_uses_money check (used_minor = captured_minor + debited_minor + unbacked_minor)
) strict, without rowid;
create index redemptions_uses_by_member on redemptions_uses (shop_id, member_id);
create index redemptions_uses_to_tag on redemptions_uses (used_at) where flagged and tagged_at is null;
