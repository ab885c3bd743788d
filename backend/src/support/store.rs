//! Support sessions in the database. An operator's commands look for those of all shops.

use uuid::Uuid;

use crate::db;
use crate::db::{Read, Timestamp, Tx};
use crate::ids::ShopId;

crate::holds! {
    support_sessions [shop_id, session_id] of Nobody, kept "with the shop" {
        shop_id: Id, session_id: Id, token_hash: Sealed, operator: Plain, reason: Plain, may_write: Plain,
        opened_at: Time, expires_at: Time, closed_at: Time,
    }
}

/// A support session.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Session {
    /// The shop.
    pub shop_id: ShopId,
    /// Its id.
    pub session_id: Uuid,
    pub(super) token_hash: Vec<u8>,
    /// Who of the installation.
    pub operator: String,
    /// Why.
    pub reason: String,
    /// Whether they may edit.
    pub may_write: bool,
    /// When it began.
    pub opened_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
    /// When someone ended it.
    pub closed_at: Option<Timestamp>,
}

pub(super) async fn insert(tx: &mut Tx, session: &Session) -> Result<(), db::Error> {
    db!(
        tx.execute,
        "insert into support_sessions (shop_id, session_id, token_hash, operator, reason, may_write, opened_at,
                                       expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        session.shop_id,
        session.session_id,
        session.token_hash,
        session.operator,
        session.reason,
        session.may_write,
        session.opened_at,
        session.expires_at
    )?;
    Ok(())
}

pub(super) async fn find(read: &mut Read, shop: ShopId, session: Uuid) -> Result<Option<Session>, db::Error> {
    db!(
        read.optional,
        "select shop_id, session_id, token_hash, operator, reason, may_write, opened_at, expires_at, closed_at
         from support_sessions where shop_id = $1 and session_id = $2",
        shop,
        session
    )
}

/// A shop's sessions, the newest first.
pub(super) async fn of_shop(read: &mut Read, shop: ShopId, limit: i64) -> Result<Vec<Session>, db::Error> {
    db!(
        read.all,
        "select shop_id, session_id, token_hash, operator, reason, may_write, opened_at, expires_at, closed_at
         from support_sessions where shop_id = $1 order by session_id desc limit $2",
        shop,
        limit
    )
}

/// The sessions of all shops that are open, the oldest first.
pub(super) async fn all_open(read: &mut Read, now: Timestamp) -> Result<Vec<Session>, db::Error> {
    db!(
        read.all,
        "select shop_id, session_id, token_hash, operator, reason, may_write, opened_at, expires_at, closed_at
         from support_sessions where closed_at is null and expires_at > $1 order by session_id",
        now
    )
}

/// Ends those of a shop that are open, or one of them, and says which.
pub(super) async fn close(
    tx: &mut Tx,
    shop: ShopId,
    session: Option<Uuid>,
    now: Timestamp,
) -> Result<Vec<(Uuid,)>, db::Error> {
    db!(
        tx.all,
        "update support_sessions set closed_at = $3
         where shop_id = $1 and session_id = coalesce($2, session_id) and closed_at is null and expires_at > $3
         returning session_id",
        shop,
        session,
        now
    )
}
