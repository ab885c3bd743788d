//! What must always hold of imports, counted.

use crate::db;
use crate::db::Read;
use crate::ids::ShopId;

/// Counts the files of members of a shop of which it is told that another number of rows was imported than there is.
///
/// # Errors
/// Any error of the database.
pub async fn violations(read: &mut Read, shop: ShopId) -> Result<Vec<(&'static str, i64)>, db::Error> {
    let (differing,): (i64,) = db!(
        read.one,
        "select count(*) from imports_batches b left join (
             select batch_id, count(*) as written from imports_rows where shop_id = $1 group by batch_id
         ) as r on r.batch_id = b.batch_id
         where b.shop_id = $1 and b.kind = 'members' and b.state <> 'checking'
             and b.imported <> coalesce(r.written, 0)",
        shop
    )?;
    Ok(vec![("imports_are_their_rows", differing)])
}
