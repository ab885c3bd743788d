//! LoyalNest: the exact ledger behind a Shopify loyalty programme.

pub mod app;
pub mod chores;
pub mod cli;
pub mod clock;
pub mod config;
pub mod customers;
pub mod db;
pub mod error;
pub mod events;
pub mod ids;
pub mod inbox;
pub mod merchants;
pub mod metrics;
pub mod orders;
pub mod points;
pub mod programs;
pub mod redemptions;
pub mod replay;
mod retry;
pub mod rounds;
pub mod serve;
pub mod shopify;
pub mod sync;
pub mod tasks;
mod topics;
pub mod web;
