-- Until when nobody asks with a shop's token, because Shopify refused it and there was no other; null: it is good.
alter table merchants_shops add column token_refused_until integer;
