-- When a customer signed up, as far as the app saw it: who had an account before it came has none.
alter table customers_members add column signed_up_at timestamptz;
