-- What becomes of a customer.
-- Null once everything that leads to a person is erased.
alter table customers_members alter column customer_id drop not null;
alter table customers_members
    -- The customer's account at the shop, in Shopify's word (enabled, disabled, invited, declined), as of `told_at`.
    add column state text,
    add column told_at timestamptz,
    -- The member that this customer was merged into: points, orders and holds are that one's.
    add column merged_into uuid,
    add column deleted_at timestamptz,
    add column redacted_at timestamptz;

create index customers_members_merged on customers_members (shop_id, merged_into) where merged_into is not null;

-- Nothing is booked on the account of a member who was merged into another.
alter table points_accounts add column merged_into uuid;
