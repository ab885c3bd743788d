//! The table of labels.

use crate::db;
use crate::db::{Read, Tx};
use crate::ids::{MemberId, ShopId};

crate::holds! {
    rfm_labels [shop_id, member_id] of Member("member_id"), kept "until the customer is deleted, merged or erased" {
        shop_id: Id, member_id: Id, metafield: Plain, tag: Plain,
    }
}

/// What Shopify shows of a member.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub(super) struct Shown {
    pub member_id: MemberId,
    pub metafield: Option<String>,
    pub tag: Option<String>,
}

/// What it shows of these members; of those who are missing nothing.
pub(super) async fn shown(
    read: &mut Read,
    shop: ShopId,
    members: &[MemberId],
) -> Result<Vec<Shown>, db::Error> {
    db!(read.all each members,
        sqlite: "with v (shop_id, member_id) as (values ($1, $2))
                 select l.member_id, l.metafield, l.tag from v join rfm_labels l
                     on l.shop_id = v.shop_id and l.member_id = v.member_id",
        postgres: "with v (shop_id, member_id) as (select * from unnest($1::uuid[], $2::uuid[]))
                   select l.member_id, l.metafield, l.tag from v join rfm_labels l
                       on l.shop_id = v.shop_id and l.member_id = v.member_id",
        |member| shop, *member)
}

/// Shopify shows this now.
pub(super) async fn note(tx: &mut Tx, shop: ShopId, shown: &[Shown]) -> Result<(), db::Error> {
    db!(tx.each shown,
        sqlite: "insert into rfm_labels (shop_id, member_id, metafield, tag) values ($1, $2, $3, $4)
                 on conflict (shop_id, member_id) do update set metafield = excluded.metafield, tag = excluded.tag",
        postgres: "insert into rfm_labels (shop_id, member_id, metafield, tag)
                   select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[])
                   on conflict (shop_id, member_id) do update set metafield = excluded.metafield, tag = excluded.tag",
        |one| shop, one.member_id, one.metafield.as_deref(), one.tag.as_deref())?;
    Ok(())
}

/// Nothing is known of what Shopify shows of a member: their customer is gone, or has become another.
pub(in crate::rfm) async fn forget(tx: &mut Tx, shop: ShopId, member: MemberId) -> Result<(), db::Error> {
    db!(tx.execute, "delete from rfm_labels where shop_id = $1 and member_id = $2", shop, member)?;
    Ok(())
}
