//! The plans of this app that shops pay for.

use crate::db;
use crate::db::{Read, Timestamp, Tx};
use crate::ids::ShopId;

crate::holds! {
    merchants_plans [shop_id, subscription_id] of Nobody, kept "with the shop" {
        shop_id: Id, subscription_id: Plain, name: Plain, plan_handle: Plain, status: Plain, updated_at: Time,
    }
}

/// A plan of this app that a shop is or was subscribed to.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Plan {
    /// Shopify's global id of the subscription.
    pub subscription_id: String,
    /// What the merchant sees.
    pub name: String,
    /// Its name in the app's price list.
    pub plan_handle: Option<String>,
    /// `PENDING`, `ACTIVE`, `FROZEN`, `CANCELLED`, …
    pub status: String,
    /// When Shopify changed it last (UTC).
    pub updated_at: Timestamp,
}

/// Keeps what is told of a plan, unless something newer is known.
pub(super) async fn keep(tx: &mut Tx, id: ShopId, plan: &Plan) -> Result<(), db::Error> {
    db!(
        tx.execute,
        "insert into merchants_plans (shop_id, subscription_id, name, plan_handle, status, updated_at)
         values ($1, $2, $3, $4, $5, $6)
         on conflict (shop_id, subscription_id) do update set name = excluded.name,
             plan_handle = excluded.plan_handle, status = excluded.status, updated_at = excluded.updated_at
         where merchants_plans.updated_at < excluded.updated_at",
        id,
        plan.subscription_id,
        plan.name,
        plan.plan_handle,
        plan.status,
        plan.updated_at
    )?;
    Ok(())
}

/// The plan that a shop is subscribed to now: the newest that is active.
///
/// # Errors
/// Any error of the database.
pub async fn plan(read: &mut Read, id: ShopId) -> Result<Option<Plan>, db::Error> {
    db!(
        read.optional,
        "select subscription_id, name, plan_handle, status, updated_at from merchants_plans
         where shop_id = $1 and status = 'ACTIVE' order by updated_at desc limit 1",
        id
    )
}
