-- Which tier a member belongs to; none where there is no row.
create table campaigns_member_tiers (
    shop_id     blob    not null,
    member_id   blob    not null,
    -- The tier's id in the program; the program may have lost it since.
    tier        text    not null,
    assigned_at integer not null,
    primary key (shop_id, member_id)
) strict, without rowid;
