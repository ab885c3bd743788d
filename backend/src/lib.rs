//! LoyalNest: the exact ledger behind a Shopify loyalty programme.

pub mod clock;
pub mod config;
pub mod customers;
pub mod db;
pub mod ids;
pub mod orders;
pub mod points;
pub mod programs;
pub mod redemptions;
pub mod shopify;
pub mod sync;
