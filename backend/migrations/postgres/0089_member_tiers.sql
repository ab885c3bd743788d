-- Which tier a member belongs to; none where there is no row.
create table campaigns_member_tiers (
    shop_id     uuid        not null,
    member_id   uuid        not null,
    -- The tier's id in the program; the program may have lost it since.
    tier        text        not null,
    assigned_at timestamptz not null,
    primary key (shop_id, member_id)
);
