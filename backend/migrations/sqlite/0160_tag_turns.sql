-- When an order whose discount no hold covered is to be tagged; later, after it failed. Shops take turns.
alter table redemptions_uses add column tag_at integer not null default 0;
create index redemptions_uses_tag_turns on redemptions_uses (shop_id, tag_at, order_id)
    where flagged and tagged_at is null;
drop index redemptions_uses_to_tag;
