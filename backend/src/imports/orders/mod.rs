//! Orders that a shop brings along, from a file of CSV: they become history.
//!
//! A row is an order. Its columns, whose names and order are free as long as the header says what they are:
//!
//! | column | |
//! |---|---|
//! | `order_id` | Shopify's number of the order, or … |
//! | `name` | … what it was called where it was placed: such an order is none of Shopify's |
//! | `customer_id` | Shopify's number of the customer, or … |
//! | `email` | … their address, where the shop keeps addresses |
//! | `placed_at` | when it was placed |
//! | `total` | what was to be paid: `1234.50`, in the shop's currency |
//! | `refunded` | what was given back of that; else nothing |
//! | `currency` | which must be the shop's; else it is |
//! | `cancelled_at` | filled in, the order counts as none |
//!
//! The headers of Shopify's own export are known. It writes a row for each line of an order; only the first of them says what the
//! order came to, and the others are passed by.
//!
//! What Shopify tells of the same order, before or after, is newer than any file.

mod row;
mod run;

pub use row::OrderField;
pub(super) use run::revert;
pub use run::{Report, Request, import};
