//! Notes: why staff gave or took points. They stand beside the entries, which hold ids and codes only, and can be erased.

use sqlx::types::Json;
use uuid::Uuid;

use super::effects::Receipt;
use crate::audit::By;
use crate::db;
use crate::db::{Read, Tx};
use crate::ids::{MemberId, ShopId};

crate::holds! {
    points_notes [shop_id, entry_id] of Member("member_id"), kept "with their entries; the note until it is to be erased" {
        shop_id: Id, entry_id: Id, member_id: Id, reason: Plain, note: Link, actor_kind: Plain, actor_id: Staff,
    }
}

/// What entries of this kind are for, in `points_effects`.
pub(super) const CAUSE: &str = "adjustment";

crate::text_enum! {
    /// Why points are given or taken by hand.
    pub enum Reason {
        /// The shop means well.
        Goodwill = "goodwill",
        /// Something went wrong with an order or its points.
        Correction = "correction",
        /// Something went wrong for the customer.
        Compensation = "compensation",
        /// The points were got by deceit.
        Abuse = "abuse",
        /// What the note says.
        Other = "other",
    }
}

/// Why points were given or taken, and by whom.
#[derive(Debug, sqlx::FromRow)]
pub struct Note {
    /// What was booked.
    pub result: Json<Receipt>,
    /// The code.
    pub reason: Reason,
    /// In words; none where there were none, or they were erased.
    pub note: Option<String>,
    /// Who it was.
    pub actor_kind: String,
    /// Their number.
    pub actor_id: Option<String>,
}

/// Notes why an entry was made.
pub(super) async fn write(
    tx: &mut Tx,
    shop: ShopId,
    (member, entry): (MemberId, Uuid),
    (reason, note): (Reason, Option<&str>),
    by: &By,
) -> Result<(), db::Error> {
    db!(
        tx.execute,
        "insert into points_notes (shop_id, entry_id, member_id, reason, note, actor_kind, actor_id)
         values ($1, $2, $3, $4, $5, $6, $7)",
        shop,
        entry,
        member,
        reason,
        note,
        by.actor.kind(),
        by.actor.id()
    )?;
    Ok(())
}

/// The newest of a member's entries by hand, newest first.
pub(super) async fn newest(
    read: &mut Read,
    shop: ShopId,
    member: MemberId,
    limit: i64,
) -> Result<Vec<Note>, db::Error> {
    db!(
        read.all,
        "select e.result, n.reason, n.note, n.actor_kind, n.actor_id
         from points_effects e join points_notes n on n.shop_id = e.shop_id and n.entry_id = e.entry_id
         where e.shop_id = $1 and e.member_id = $2 and e.cause = $3
         order by e.booked_at desc, e.entry_id desc limit $4",
        shop,
        member,
        CAUSE,
        limit
    )
}

/// The notes about one member are about another.
pub(super) async fn merge(
    tx: &mut Tx,
    shop: ShopId,
    from: MemberId,
    into: MemberId,
) -> Result<(), db::Error> {
    db!(
        tx.execute,
        "update points_notes set member_id = $3 where shop_id = $1 and member_id = $2",
        shop,
        from,
        into
    )?;
    Ok(())
}

/// Erases what was noted about a member in words: it may name them.
///
/// # Errors
/// Any error of the database.
pub async fn redact(tx: &mut Tx, shop: ShopId, member: MemberId) -> Result<(), db::Error> {
    db!(
        tx.execute,
        "update points_notes set note = null where shop_id = $1 and member_id = $2",
        shop,
        member
    )?;
    Ok(())
}
