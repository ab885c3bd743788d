//! Everything that is held of a customer, as one JSON document.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::store;
use crate::app::App;
use crate::customers;
use crate::db::{self, Cipher, CipherError, Db, Of, Read, Resealed, Table, Timestamp};
use crate::ids::{CustomerId, ShopId};

/// What sealed exports are bound to.
pub(super) const DOCUMENT: &str = "privacy_exports.document";
/// The most rows of one table that an export shows; no person has as many.
const MOST: i64 = 100_000;

/// Why an export cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// It was sealed with a key that is not known any more.
    #[error(transparent)]
    Sealed(#[from] CipherError),
    /// The database's error.
    #[error(transparent)]
    Db(#[from] db::Error),
}

/// What was found for a data request, as JSON; none if there is no such request, it is not settled, or its time is over.
///
/// # Errors
/// [`ExportError`].
pub async fn document(app: &App, shop: ShopId, request: Uuid) -> Result<Option<Vec<u8>>, ExportError> {
    let sealed = store::export(&mut app.db.read(shop).await?, shop, request, app.clock.now()).await?;
    let Some(sealed) = sealed else { return Ok(None) };
    Ok(Some(app.cipher.open(DOCUMENT, shop.0, &sealed)?))
}

/// Seals with the current key what an older one has sealed.
///
/// # Errors
/// Any error of the database. What is done stays done.
pub async fn reseal(db: &Db, cipher: &Cipher) -> Result<Resealed, db::Error> {
    let mut resealed = Resealed::default();
    for (shop, request) in store::exports(&mut db.read_across().await?).await? {
        let mut tx = db.begin(shop).await?;
        let Some(sealed) = store::hold_export(&mut tx, shop, request).await? else { continue };
        match cipher.reseal(DOCUMENT, shop.0, &sealed) {
            Ok(None) => {}
            Ok(Some(anew)) => {
                store::reseal(&mut tx, shop, request, &anew).await?;
                tx.commit().await?;
                resealed.done += 1;
            }
            Err(CipherError) => resealed.lost += 1,
        }
    }
    Ok(resealed)
}

/// Collects it: of every table whose rows are a person's, theirs. Says whether anything is held.
pub(super) async fn collect(
    read: &mut Read,
    cipher: &Cipher,
    shop: ShopId,
    customer: CustomerId,
    now: Timestamp,
) -> Result<(Value, bool), db::Error> {
    let member = customers::member(read, shop, customer).await?;
    let known = customers::numbers(read, shop, customer).await?;
    let mut numbers: Vec<CustomerId> = known.into_iter().map(|known| known.customer_id).collect();
    if !numbers.contains(&customer) {
        numbers.push(customer);
    }
    let mut found = Map::new();
    for table in Table::all() {
        let mut rows = Vec::new();
        match (table.of, member) {
            (Of::Customer(columns), _) => {
                for column in columns {
                    for number in &numbers {
                        rows.append(&mut table.dump(read, shop, (column, number), MOST).await?);
                    }
                }
            }
            (Of::Member(columns), Some(member)) => {
                for column in columns {
                    rows.append(&mut table.dump(read, shop, (column, &member), MOST).await?);
                }
            }
            _ => {}
        }
        if !rows.is_empty() {
            found.insert(table.name.to_owned(), json!({"kept": table.kept, "rows": rows}));
        }
    }
    let email = match member {
        Some(member) => customers::emails::of_member(read, cipher, shop, member).await?,
        None => None,
    };
    // The request itself is one row, and says nothing of the customer.
    let holds_something = found.keys().any(|table| table != "privacy_requests");
    let document = json!({
        "customer": customer.gid(),
        "made_at": now,
        "holds_something": holds_something,
        "held_here": found,
        "email": email.map(|email| email.unwrap_or_else(|_| "sealed with a key that is lost".to_owned())),
        "held_at_shopify": "the customer's metafield `$app.account`, which shows balance, tier and segment",
        "held_for_a_time": "the bodies of webhooks about the customer, sealed, for some days (`inbox.payloads_kept`)",
    });
    Ok((document, holds_something))
}
