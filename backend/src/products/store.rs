//! The table of products.

use std::collections::HashMap;

use sqlx::types::Json;

use crate::db;
use crate::db::{Read, Timestamp, Tx};
use crate::ids::ShopId;

crate::holds! {
    products_products [shop_id, product_id] of Nobody, kept "as long as the programme" {
        shop_id: Id, product_id: Plain, title: Plain, handle: Plain, status: Plain, product_type: Plain,
        vendor: Plain, tags: Json, variants: Json, updated_at: Time, deleted_at: Time,
    }
}

/// A product of the shop.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Product {
    /// Shopify's number of it.
    pub product_id: i64,
    /// Its name; none where only its end is known.
    pub title: Option<String>,
    /// Its name in addresses.
    pub handle: Option<String>,
    /// `active`, `archived` or `draft`.
    pub status: Option<String>,
    /// What kind of thing it is.
    pub product_type: Option<String>,
    /// Who makes it.
    pub vendor: Option<String>,
    /// Labels.
    pub tags: Json<Vec<String>>,
    /// Shopify's numbers of its variants.
    pub variants: Json<Vec<i64>>,
    /// When Shopify changed it last, or deleted it (UTC).
    pub updated_at: Timestamp,
    /// When it was deleted (UTC).
    pub deleted_at: Option<Timestamp>,
}

/// A product of a shop, deleted or not.
///
/// # Errors
/// Any error of the database.
pub async fn find(read: &mut Read, shop: ShopId, product: i64) -> Result<Option<Product>, db::Error> {
    db!(
        read.optional,
        "select product_id, title, handle, status, product_type, vendor, tags, variants, updated_at, deleted_at
         from products_products where shop_id = $1 and product_id = $2",
        shop,
        product
    )
}

/// What products are called, by Shopify's numbers of them; nothing of those whose names are not known.
///
/// # Errors
/// Any error of the database.
pub async fn titles(
    read: &mut Read,
    shop: ShopId,
    products: &[i64],
) -> Result<HashMap<i64, String>, db::Error> {
    let found: Vec<(i64, String)> = db!(read.all each products,
        sqlite: "with v (shop_id, product_id) as (values ($1, $2))
                 select p.product_id, p.title from v join products_products p
                     on p.shop_id = v.shop_id and p.product_id = v.product_id where p.title is not null",
        postgres: "with v (shop_id, product_id) as (select * from unnest($1::uuid[], $2::bigint[]))
                   select p.product_id, p.title from v join products_products p
                       on p.shop_id = v.shop_id and p.product_id = v.product_id where p.title is not null",
        |product| shop, *product)?;
    Ok(found.into_iter().collect())
}

/// Keeps what is told of a product, unless something newer is known, and says whether it did. What was deleted in the same
/// instant as it was changed is deleted: nothing changes afterwards.
pub(super) async fn keep(tx: &mut Tx, shop: ShopId, product: &Product) -> Result<bool, db::Error> {
    let kept = db!(
        tx.execute,
        "insert into products_products (shop_id, product_id, title, handle, status, product_type, vendor, tags,
             variants, updated_at, deleted_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         on conflict (shop_id, product_id) do update set
             title = coalesce(excluded.title, products_products.title),
             handle = coalesce(excluded.handle, products_products.handle), status = excluded.status,
             product_type = excluded.product_type, vendor = excluded.vendor, tags = excluded.tags,
             variants = excluded.variants, updated_at = excluded.updated_at, deleted_at = excluded.deleted_at
         where products_products.updated_at < excluded.updated_at
             or (products_products.updated_at = excluded.updated_at and products_products.deleted_at is null
                 and excluded.deleted_at is not null)",
        shop,
        product.product_id,
        product.title,
        product.handle,
        product.status,
        product.product_type,
        product.vendor,
        product.tags,
        product.variants,
        product.updated_at,
        product.deleted_at
    )?;
    Ok(kept > 0)
}
