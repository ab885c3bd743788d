-- What tills did while they were offline, in the order in which each did it.

-- Which operation of a device comes next.
create table pos_devices (
    shop_id       uuid   not null,
    device        text   not null,
    next_sequence bigint not null,
    primary key (shop_id, device)
);

-- What became of each operation: whoever sends it again is told.
create table pos_operations (
    shop_id    uuid        not null,
    device     text        not null,
    sequence   bigint      not null,
    -- A digest of the operation: under its number it is no other.
    request    text        not null,
    kind       text        not null,
    member_id  uuid,
    order_id   bigint,
    state      text        not null,
    code       text        not null,
    points     bigint,
    done_at    timestamptz not null,
    settled_at timestamptz not null,
    primary key (shop_id, device, sequence)
);
create index pos_operations_by_member on pos_operations (shop_id, member_id);
