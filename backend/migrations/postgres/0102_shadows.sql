-- Whether a customer has no account at the shop: what their orders earn waits until they have one. Null where that was never
-- so, false once they have one.
alter table customers_members add column shadow boolean;
