//! Members as paths name them: by Shopify's number of the customer.

use axum::http::StatusCode;

use super::store;
use crate::db::Read;
use crate::ids::{CustomerId, MemberId, ShopId};
use crate::web::Problem;

/// The member that the customer of this number is.
///
/// # Errors
/// 404 `unknown_member`, or when the database is not available.
pub async fn of_path(read: &mut Read, shop: ShopId, customer: &str) -> Result<MemberId, Problem> {
    let number = customer.parse::<i64>().ok().filter(|number| *number > 0).ok_or_else(unknown_member)?;
    store::member(read, shop, CustomerId(number)).await?.ok_or_else(unknown_member)
}

fn unknown_member() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "unknown_member", "This customer is no member of the program.")
}
