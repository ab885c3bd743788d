//! A shop's languages in the database.

use super::Languages;
use crate::db;
use crate::db::{Read, Timestamp, Tx};
use crate::ids::ShopId;
use crate::languages::Language;

pub(super) async fn of_shop(read: &mut Read, shop: ShopId) -> Result<Languages, db::Error> {
    let (primary, others): (Option<String>, String) =
        db!(read.one, "select primary_locale, languages from merchants_shops where shop_id = $1", shop)?;
    let primary = primary.and_then(|primary| primary.parse().ok());
    Ok(Languages::new(primary, others.split(',').filter_map(|tag| tag.parse().ok())))
}

pub(super) async fn set(
    tx: &mut Tx,
    shop: ShopId,
    languages: &[Language],
    now: Timestamp,
) -> Result<(), db::Error> {
    let tags = languages.iter().map(Language::as_str).collect::<Vec<_>>().join(",");
    db!(
        tx.execute,
        "update merchants_shops set languages = $2, updated_at = $3 where shop_id = $1",
        shop,
        tags,
        now
    )?;
    Ok(())
}

/// Keeps a shop's own language, and says whether it was another.
pub(super) async fn set_primary(
    tx: &mut Tx,
    shop: ShopId,
    primary: &Language,
    now: Timestamp,
) -> Result<bool, db::Error> {
    let changed = db!(
        tx.execute,
        "update merchants_shops set primary_locale = $2, updated_at = $3
         where shop_id = $1 and (primary_locale is null or primary_locale <> $2)",
        shop,
        primary.as_str(),
        now
    )?;
    Ok(changed > 0)
}
