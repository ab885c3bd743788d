//! The versions of settings, as lists show them.

use serde::Serialize;

use crate::db;
use crate::db::{Read, Timestamp};
use crate::ids::ShopId;

/// A version of a shop's settings, without them.
#[derive(Debug, Clone, Serialize, sqlx::FromRow)]
pub struct Listed {
    /// Counts up from 1.
    pub version: i64,
    /// Since when it counts (UTC).
    pub created_at: Timestamp,
}

/// The newest versions, those first.
pub(super) async fn list(read: &mut Read, shop: ShopId, most: i64) -> Result<Vec<Listed>, db::Error> {
    db!(
        read.all,
        "select version, created_at from programs_versions where shop_id = $1 order by version desc limit $2",
        shop,
        most
    )
}
