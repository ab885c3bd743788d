-- Orders that a merchant brings by a file: history, which can be taken back.
alter table history_orders add column batch_id uuid;
create index history_orders_by_batch on history_orders (shop_id, batch_id) where batch_id is not null;

-- What a file is of: members or orders.
alter table imports_batches add column kind text not null default 'members';
