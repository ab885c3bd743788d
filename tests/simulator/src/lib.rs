//! A shop's weeks in seconds.
//!
//! One seed makes one world: some local shops, the backend, and what happens to them. It is drawn ahead as a list of
//! [`steps`] and taken one by one (`world`). Nothing runs by itself: no listener, no worker, no timer; the clock moves
//! when a step moves it, and each turn of the backend (the inbox, a batch of metafields, what is due) is a step. So
//! the same seed takes the same steps to the same end, and a test holds two runs against each other.
//!
//! ```text
//! seed ─► plan ─► step ─┬─► the local shop ── webhooks on their way ─┐ out of order, twice, lost, answered into the void
//!                       ├─► the backend ◄────────────────────────────┘ the real router, inbox, ledger and sync on SQLite
//!                       │     └─ Shopify's Admin API: the local shop in this process; it fails when told to
//!                       └─► the model: told what the backend has acted upon
//!                                 └──────── balances, bookings and holds must agree
//! ```
//!
//! The `model` is naive: vectors and loops, written from the papers, without a line or a type of the product. A process
//! of the backend (`process`) is a runtime of its own: it dies between any two steps, and in the middle of one just before
//! or just after a commit; whoever waited for an answer asks again. Once a day everything comes to rest: then every
//! invariant holds, every order is booked once and every metafield shows the ledger.
//!
//! When they disagree, steps are left out as long as they still do (`shrink`), and what is left is told, a line for each.
//!
//! At checkout the Function's rules run natively, called as the Function calls them (`native`): its WebAssembly, in which a run
//! costs as much as all the rest of a step, has its own tests, and runs here where it is asked for (`--wasm`).

mod model;
mod native;
mod plan;
mod process;
pub mod run;
mod shrink;
pub mod steps;
mod world;

pub use process::Trip;
pub use world::{Template, Trouble};
