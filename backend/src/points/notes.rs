//! Notes: why staff gave or took points. They stand beside the entries, which hold ids and codes only, and can be erased.

use sha2::{Digest, Sha256};
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
        salt: Sealed, digest: Sealed,
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
    let (salt, kind, id) = (Uuid::new_v4(), by.actor.kind(), by.actor.id());
    let digest = digest(salt.as_bytes(), (reason.as_str(), note), (kind.as_str(), id.as_deref()));
    db!(
        tx.execute,
        "insert into points_notes (shop_id, entry_id, member_id, reason, note, actor_kind, actor_id, salt, digest)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        shop,
        entry,
        member,
        reason,
        note,
        kind,
        id,
        salt.as_bytes().as_slice(),
        digest
    )?;
    Ok(())
}

/// What is sealed of a note: nobody who tries words finds out what it said, once the salt is erased with it.
pub(super) fn digest(
    salt: &[u8],
    (reason, note): (&str, Option<&str>),
    (actor_kind, actor_id): (&str, Option<&str>),
) -> Vec<u8> {
    let mut hash = Sha256::new_with_prefix(salt);
    for text in [Some(reason), note, Some(actor_kind), actor_id] {
        // None is another length than any.
        hash.update(text.map_or(u64::MAX, |text| text.len() as u64).to_be_bytes());
        hash.update(text.unwrap_or_default());
    }
    hash.finalize().to_vec()
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
        "update points_notes set note = null, salt = null where shop_id = $1 and member_id = $2",
        shop,
        member
    )?;
    Ok(())
}
