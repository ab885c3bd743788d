//! LoyalNest: the exact ledger behind a Shopify loyalty programme.

pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod customers;
pub mod db;
pub mod error;
pub mod ids;
pub mod inbox;
pub mod merchants;
pub mod orders;
pub mod points;
pub mod programs;
pub mod redemptions;
pub mod replay;
pub mod rounds;
pub mod serve;
pub mod shopify;
pub mod sync;
pub mod web;
