//! LoyalNest: the exact ledger behind a Shopify loyalty programme.
