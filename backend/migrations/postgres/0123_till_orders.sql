-- Where an order was placed, which is the source of its entries: shopify, or pos.
alter table points_orders add column source text not null default 'shopify';
