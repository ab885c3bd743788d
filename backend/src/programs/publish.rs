//! What the checkout and the widgets see of a shop's settings.

use loyalty::Program;

use super::{Error, Versioned, current, local_time, set};
use crate::app::App;
use crate::merchants::Shop;
use crate::shopify::admin::{CompareDigest, MetafieldWrite};

/// Writes what the checkout and the widgets need of a shop's program into its metafields. A shop without a program
/// gets one to begin with.
///
/// # Errors
/// When Shopify or the database does not answer, or Shopify refuses.
pub async fn publish(app: &App, shop: &Shop) -> Result<Versioned, Error> {
    let mut tx = app.db.begin(shop.id).await?;
    let current = match current(&mut tx, shop.id).await {
        Err(Error::Missing) => {
            set(&mut tx, shop.id, Program::standard(shop.currency), app.clock.now()).await?
        }
        current => current?,
    };
    tx.commit().await?;
    let now = local_time(shop, app.clock.now())?;
    let admin = app.admin_of(shop).await?;
    let owner_id = admin.shop_details().await?.id;
    let metafield = |key: &str, value| MetafieldWrite {
        owner_id: owner_id.clone(),
        namespace: "$app".into(),
        key: key.into(),
        r#type: "json".into(),
        value,
        compare_digest: CompareDigest::Any,
    };
    let answer = admin
        .metafields_set(&[
            metafield(Program::METAFIELD, current.program.to_json(current.version, now)?),
            metafield(Program::UI_METAFIELD, current.program.to_ui_json(current.version, now)?),
        ])
        .await?;
    match answer.errors.into_iter().next() {
        Some(error) => Err(Error::Refused(error.message)),
        None => Ok(current),
    }
}
