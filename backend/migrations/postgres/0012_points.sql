-- The exact ledger: double-entry, append-only. Balances and lots are a checked derivation of it.

-- One immutable effect.
create table points_entries (
    shop_id         uuid        not null,
    entry_id        uuid        not null,
    member_id       uuid        not null,
    -- The member's account after it: entries of a member are numbered.
    seq             bigint      not null,
    kind            text        not null,
    -- Where the effect comes from, and its name there: no effect is booked twice.
    source          text        not null,
    source_id       text        not null,
    program_version bigint      not null,
    booked_at       timestamptz not null,
    primary key (shop_id, entry_id),
    unique (shop_id, kind, source, source_id)
);
create index points_entries_by_member on points_entries (shop_id, member_id, seq);

-- What an entry moves; the amounts of an entry sum to zero.
create table points_postings (
    shop_id  uuid   not null,
    entry_id uuid   not null,
    -- Of the entry's member: available, pending, held. Of the program: all others.
    account  text   not null,
    amount   bigint not null,
    primary key (shop_id, entry_id, account)
);

-- A member's balances.
create table points_accounts (
    shop_id   uuid   not null,
    member_id uuid   not null,
    available bigint not null,
    pending   bigint not null,
    held      bigint not null,
    -- Grows with every entry, and with every change of what the member's metafield shows.
    seq       bigint not null,
    primary key (shop_id, member_id)
);

-- Points that were earned together and expire together.
create table points_lots (
    shop_id    uuid        not null,
    lot_id     uuid        not null,
    member_id  uuid        not null,
    original   bigint      not null,
    remaining  bigint      not null,
    earned_at  timestamptz not null,
    expires_at timestamptz,
    primary key (shop_id, member_id, lot_id),
    constraint points_lots_remaining check (remaining between 0 and original)
);

-- Which lots a hold pins, or a spending took, so that points go back to where they came from.
create table points_pins (
    shop_id   uuid   not null,
    -- The hold, or the spending without one.
    spend_id  uuid   not null,
    lot_id    uuid   not null,
    member_id uuid   not null,
    -- The order in which lots were taken.
    position  bigint not null,
    points    bigint not null,
    -- How many of them went back.
    returned  bigint not null,
    -- Whether the rest is still held; else it is spent.
    held      boolean not null,
    primary key (shop_id, spend_id, lot_id),
    constraint points_pins_returned check (returned between 0 and points)
);
create index points_pins_held on points_pins (shop_id, member_id) where held;

-- What is booked for an order.
create table points_orders (
    shop_id         uuid   not null,
    order_id        bigint not null,
    member_id       uuid   not null,
    program_version bigint not null,
    -- What the order earned, with all that is needed to recompute it after returns.
    earning         jsonb  not null,
    -- The points that are booked: waiting for the payment, or for good.
    pending         bigint not null,
    posted          bigint not null,
    -- What could not be taken back, because the member had spent it.
    forgiven        bigint not null,
    lot_id          uuid,
    -- How often something was booked.
    revision        bigint not null,
    primary key (shop_id, order_id)
);
