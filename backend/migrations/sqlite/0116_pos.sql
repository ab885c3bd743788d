-- What tills did while they were offline, in the order in which each did it.

-- Which operation of a device comes next.
create table pos_devices (
    shop_id       blob   not null,
    device        text   not null,
    next_sequence integer not null,
    primary key (shop_id, device)
) strict, without rowid;

-- What became of each operation: whoever sends it again is told.
create table pos_operations (
    shop_id    blob        not null,
    device     text        not null,
    sequence   integer      not null,
    -- A digest of the operation: under its number it is no other.
    request    text        not null,
    kind       text        not null,
    member_id  blob,
    order_id   integer,
    state      text        not null,
    code       text        not null,
    points     integer,
    done_at    integer not null,
    settled_at integer not null,
    primary key (shop_id, device, sequence)
) strict, without rowid;
create index pos_operations_by_member on pos_operations (shop_id, member_id);
