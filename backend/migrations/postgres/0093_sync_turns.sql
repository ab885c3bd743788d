-- Shops are served in turn: who comes next is one step into this index, however much another has waiting.
create index sync_accounts_turns on sync_accounts (shop_id, due_at, member_id) where due_at is not null;
drop index sync_accounts_due;
-- Since when the metafield has been behind; null when there is nothing to write.
alter table sync_accounts add column behind_since timestamptz;
update sync_accounts set behind_since = due_at where due_at is not null;
