-- Shops take turns: who comes next is one step into these indexes, however much another has waiting.
create index tasks_turns on tasks (priority, shop_id, due_at, task_id) where state = 'ready';
create index inbox_messages_turns on inbox_messages (shop_id, message_id) where state = 'ready';
-- So do buckets.
create index inbox_messages_buckets on inbox_messages (bucket) where state = 'ready';
drop index inbox_messages_ready;
