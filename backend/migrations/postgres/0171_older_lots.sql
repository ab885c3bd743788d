-- The lots of an order, or an occasion, before the newest: what an edit adds to an order is earned later.
alter table points_orders add column older_lots jsonb;
alter table points_bonuses add column older_lots jsonb;
