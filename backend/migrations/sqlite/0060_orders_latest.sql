-- The lines of an order and our discount on it, as its newest facts tell them: an edit changes them.
alter table orders_orders add column latest text;
