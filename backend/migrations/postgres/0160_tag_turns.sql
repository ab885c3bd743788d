-- When an order whose discount no hold covered is to be tagged; later, after it failed. Shops take turns.
alter table redemptions_uses add column tag_at timestamptz not null default '1970-01-01T00:00:00Z';
create index redemptions_uses_tag_turns on redemptions_uses (shop_id, tag_at, order_id)
    where flagged and tagged_at is null;
drop index redemptions_uses_to_tag;
