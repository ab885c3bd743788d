//! Dead letters: what could not be acted upon, why, and how it gets another chance.

use uuid::Uuid;

use crate::db;
use crate::db::{Read, Timestamp, Tx};
use crate::ids::ShopId;

/// A webhook that could not be acted upon and waits for a person.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct DeadLetter {
    /// Whose it is.
    pub shop_id: ShopId,
    /// Ours.
    pub message_id: Uuid,
    /// Shopify's id of the delivery.
    pub webhook_id: String,
    /// E.g. `orders/paid`.
    pub topic: String,
    /// When it came (UTC).
    pub received_at: Timestamp,
    /// How often it failed.
    pub attempts: i64,
    /// Why it is dead.
    pub reason: Option<String>,
    /// Whether its body is still there, so that it can be requeued.
    pub has_body: bool,
}

/// The oldest dead letters, of one shop or of all.
pub(super) async fn list(
    read: &mut Read,
    shop: Option<ShopId>,
    most: i64,
) -> Result<Vec<DeadLetter>, db::Error> {
    db!(
        read.all,
        "select shop_id, message_id, webhook_id, topic, received_at, attempts, reason,
                exists (select 1 from inbox_payloads p
                        where p.shop_id = m.shop_id and p.message_id = m.message_id) as has_body
         from inbox_messages m
         where state = 'dead' and shop_id = coalesce($1, shop_id)
         order by shop_id, message_id limit $2",
        shop,
        most
    )
}

/// Makes dead letters ready again that still have their body, all their tries ahead of them: one, or all, of one shop
/// or of all. Says how many those were.
pub(super) async fn requeue(
    tx: &mut Tx,
    shop: Option<ShopId>,
    message: Option<Uuid>,
) -> Result<u64, db::Error> {
    db!(
        tx.execute,
        "update inbox_messages set state = 'ready', attempts = 0, reason = null, settled_at = null
         where state = 'dead' and shop_id = coalesce($1, shop_id) and message_id = coalesce($2, message_id)
           and exists (select 1 from inbox_payloads p
                       where p.shop_id = inbox_messages.shop_id and p.message_id = inbox_messages.message_id)",
        shop,
        message
    )
}
