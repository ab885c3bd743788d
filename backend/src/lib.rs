//! LoyalNest: the exact ledger behind a Shopify loyalty programme.

pub mod clock;
pub mod db;
