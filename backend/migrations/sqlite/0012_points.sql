-- The exact ledger: double-entry, append-only. Balances and lots are a checked derivation of it.

-- One immutable effect.
create table points_entries (
    shop_id         blob        not null,
    entry_id        blob        not null,
    member_id       blob        not null,
    -- The member's account after it: entries of a member are numbered.
    seq             integer      not null,
    kind            text        not null,
    -- Where the effect comes from, and its name there: no effect is booked twice.
    source          text        not null,
    source_id       text        not null,
    program_version integer      not null,
    booked_at       integer     not null,
    primary key (shop_id, entry_id),
    unique (shop_id, kind, source, source_id)
) strict, without rowid;
create index points_entries_by_member on points_entries (shop_id, member_id, seq);

-- What an entry moves; the amounts of an entry sum to zero.
create table points_postings (
    shop_id  blob   not null,
    entry_id blob   not null,
    -- Of the entry's member: available, pending, held. Of the program: all others.
    account  text   not null,
    amount   integer not null,
    primary key (shop_id, entry_id, account)
) strict, without rowid;

-- A member's balances.
create table points_accounts (
    shop_id   blob   not null,
    member_id blob   not null,
    available integer not null,
    pending   integer not null,
    held      integer not null,
    -- Grows with every entry, and with every change of what the member's metafield shows.
    seq       integer not null,
    primary key (shop_id, member_id)
) strict, without rowid;

-- Points that were earned together and expire together.
create table points_lots (
    shop_id    blob        not null,
    lot_id     blob        not null,
    member_id  blob        not null,
    original   integer      not null,
    remaining  integer      not null,
    earned_at  integer     not null,
    expires_at integer,
    primary key (shop_id, member_id, lot_id),
    constraint points_lots_remaining check (remaining between 0 and original)
) strict, without rowid;

-- Which lots a hold pins, or a spending took, so that points go back to where they came from.
create table points_pins (
    shop_id   blob   not null,
    -- The hold, or the spending without one.
    spend_id  blob   not null,
    lot_id    blob   not null,
    member_id blob   not null,
    -- The order in which lots were taken.
    position  integer not null,
    points    integer not null,
    -- How many of them went back.
    returned  integer not null,
    -- Whether the rest is still held; else it is spent.
    held      integer not null,
    primary key (shop_id, spend_id, lot_id),
    constraint points_pins_returned check (returned between 0 and points)
) strict, without rowid;
create index points_pins_held on points_pins (shop_id, member_id) where held;

-- What is booked for an order.
create table points_orders (
    shop_id         blob   not null,
    order_id        integer not null,
    member_id       blob   not null,
    program_version integer not null,
    -- What the order earned, with all that is needed to recompute it after returns.
    earning         text   not null,
    -- The points that are booked: waiting for the payment, or for good.
    pending         integer not null,
    posted          integer not null,
    -- What could not be taken back, because the member had spent it.
    forgiven        integer not null,
    lot_id          blob,
    -- How often something was booked.
    revision        integer not null,
    primary key (shop_id, order_id)
) strict, without rowid;
