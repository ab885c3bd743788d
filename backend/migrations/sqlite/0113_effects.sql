-- Points that are given or taken for something else than an order: by staff, for an action, for an occasion.

-- What was asked for under a name, and what came of it: whoever asks again under the name is told the same.
create table points_effects (
    shop_id   blob        not null,
    -- The name of the entry.
    kind      text        not null,
    source    text        not null,
    source_id text        not null,
    entry_id  blob        not null,
    member_id blob        not null,
    -- What it was for: action:review.
    cause     text        not null,
    -- A digest of all that was asked for: under the same name nothing else is.
    request   text        not null,
    result    text        not null,
    booked_at integer     not null,
    primary key (shop_id, kind, source, source_id)
) strict, without rowid;
create index points_effects_by_member on points_effects (shop_id, member_id, cause, booked_at);

-- Why staff gave or took points: what stands beside an entry and can be erased.
create table points_notes (
    shop_id    blob not null,
    entry_id   blob not null,
    member_id  blob not null,
    reason     text not null,
    note       text,
    actor_kind text not null,
    actor_id   text,
    primary key (shop_id, entry_id)
) strict, without rowid;
create index points_notes_by_member on points_notes (shop_id, member_id);
