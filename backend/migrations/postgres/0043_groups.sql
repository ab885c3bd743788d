-- Groups: several shops of one merchant. A group belongs to no single shop, so these tables cross tenants by nature.
create table merchants_groups (
    group_id   uuid        not null primary key,
    created_at timestamptz not null
);

-- A shop is in one group at most.
create table merchants_group_shops (
    shop_id   uuid        not null primary key,
    group_id  uuid        not null,
    joined_at timestamptz not null
);
create index merchants_group_shops_by_group on merchants_group_shops (group_id);

-- Invitations: a code, good once and for a day. Only its hash is kept (SHA-256).
create table merchants_group_invitations (
    code_hash  bytea       not null primary key,
    group_id   uuid        not null,
    -- The shop that invited.
    shop_id    uuid        not null,
    expires_at timestamptz not null,
    used_at    timestamptz
);
