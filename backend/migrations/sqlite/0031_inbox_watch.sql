-- For the list of what a person should look at.
create index inbox_messages_dead on inbox_messages (shop_id, message_id) where state = 'dead';

-- Shops whose webhooks wait too long, from when this is told until they have caught up.
create table inbox_behind (
    shop_id blob not null primary key,
    since   integer not null
) strict, without rowid;
