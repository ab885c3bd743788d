//! Every integration test, in one binary. The same scenario runs on SQLite and on PostgreSQL.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

mod activation;
mod admin;
mod audit;
mod budget;
mod configuration;
mod db;
mod dead_letters;
mod events;
mod forgery;
mod groups;
mod hostile_answers;
mod inbox;
mod install;
mod intake;
mod journey;
mod kill;
mod languages;
mod ledger;
mod limits;
mod load;
mod metrics;
mod outgoing;
mod payloads;
mod privacy;
mod publications;
mod serve;
mod session;
mod staff;
mod storefront;
mod subscriptions;
mod support_access;
mod tasks;
mod topics;
