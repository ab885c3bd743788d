//! Shelves: the collections and tags that earning rules name, and which products stand on them. So an order is priced
//! without asking Shopify.

use std::collections::{BTreeMap, BTreeSet};

use loyalty::multiplier::{Labels, Selection};
use loyalty::rule::EarnRule;

use super::Shelf;
use crate::db;
use crate::db::{Read, Timestamp, Tx};
use crate::ids::ShopId;

crate::holds! {
    products_shelves [shop_id, shelf] of Nobody, kept "as long as a rule names it" {
        shop_id: Id, shelf: Plain, read_at: Time,
    }
}

crate::holds! {
    products_shelved [shop_id, product_id, shelf] of Nobody, kept "as long as a rule names the shelf" {
        shop_id: Id, product_id: Plain, shelf: Plain,
    }
}

/// Every shelf that these rules name.
pub fn named<'r>(rules: impl IntoIterator<Item = &'r EarnRule>) -> BTreeSet<Shelf> {
    let mut named = BTreeSet::new();
    for multiplier in rules.into_iter().flat_map(|rule| &rule.multipliers) {
        match &multiplier.of {
            Selection::Products(_) => {}
            Selection::Collections(ids) => named.extend(ids.iter().copied().map(Shelf::Collection)),
            Selection::Tags(tags) => named.extend(tags.iter().map(|tag| Shelf::tag(tag))),
        }
    }
    named
}

/// By product: which of the collections and tags that these rules name it has. Products that have none are left out.
///
/// # Errors
/// Any error of the database.
pub async fn labels<'r>(
    tx: &mut Read,
    shop: ShopId,
    products: &BTreeSet<i64>,
    rules: impl IntoIterator<Item = &'r EarnRule>,
) -> Result<BTreeMap<i64, Labels>, db::Error> {
    let mut labels: BTreeMap<i64, Labels> = BTreeMap::new();
    let named = named(rules);
    if named.is_empty() || products.is_empty() {
        return Ok(labels);
    }
    let products: Vec<i64> = products.iter().copied().collect();
    let rows: Vec<(i64, String)> = db!(tx.all each products,
        sqlite: "with v (shop_id, product_id) as (values ($1, $2))
                 select s.product_id, s.shelf from v join products_shelved s
                     on s.shop_id = v.shop_id and s.product_id = v.product_id",
        postgres: "with v (shop_id, product_id) as (select * from unnest($1::uuid[], $2::bigint[]))
                   select s.product_id, s.shelf from v join products_shelved s
                       on s.shop_id = v.shop_id and s.product_id = v.product_id",
        |product| shop, *product)?;
    let shelved: BTreeSet<(i64, Shelf)> =
        rows.iter().filter_map(|(product, shelf)| Some((*product, Shelf::read(shelf)?))).collect();
    for (product, shelf) in shelved.into_iter().filter(|(_, shelf)| named.contains(shelf)) {
        let labels = labels.entry(product).or_default();
        match shelf {
            Shelf::Collection(id) => labels.collections.push(id),
            Shelf::Tag(tag) => labels.tags.push(tag),
        }
    }
    Ok(labels)
}

/// The shelves that a rule names and that were never read.
///
/// # Errors
/// Any error of the database.
pub async fn unread(read: &mut Read, shop: ShopId, rule: &EarnRule) -> Result<Vec<String>, db::Error> {
    let kept = kept(read, shop).await?;
    Ok(named([rule]).difference(&kept).map(Shelf::to_string).collect())
}

/// The shelves of a shop that are kept.
pub(super) async fn kept(read: &mut Read, shop: ShopId) -> Result<BTreeSet<Shelf>, db::Error> {
    let rows: Vec<(String,)> = db!(read.all, "select shelf from products_shelves where shop_id = $1", shop)?;
    Ok(rows.iter().filter_map(|(shelf,)| Shelf::read(shelf)).collect())
}

/// Keeps which products stand on a shelf, as Shopify told at `read_at`, unless something newer is known.
pub(super) async fn fill(
    tx: &mut Tx,
    shop: ShopId,
    shelf: &Shelf,
    products: &[i64],
    read_at: Timestamp,
) -> Result<(), db::Error> {
    let name = shelf.to_string();
    let is_newer = db!(
        tx.execute,
        "insert into products_shelves (shop_id, shelf, read_at) values ($1, $2, $3)
         on conflict (shop_id, shelf) do update set read_at = excluded.read_at
         where products_shelves.read_at <= excluded.read_at",
        shop,
        &name,
        read_at
    )?;
    if is_newer == 0 {
        return Ok(());
    }
    db!(tx.execute, "delete from products_shelved where shop_id = $1 and shelf = $2", shop, &name)?;
    db!(tx.each products,
        sqlite: "insert into products_shelved (shop_id, product_id, shelf) values ($1, $2, $3)
                 on conflict do nothing",
        postgres: "insert into products_shelved (shop_id, product_id, shelf)
                   select * from unnest($1::uuid[], $2::bigint[], $3::text[]) on conflict do nothing",
        |product| shop, *product, name.clone())?;
    Ok(())
}

/// Forgets a shelf that no rule names any more.
pub(super) async fn forget(tx: &mut Tx, shop: ShopId, shelf: &Shelf) -> Result<(), db::Error> {
    let name = shelf.to_string();
    db!(tx.execute, "delete from products_shelved where shop_id = $1 and shelf = $2", shop, &name)?;
    db!(tx.execute, "delete from products_shelves where shop_id = $1 and shelf = $2", shop, &name)?;
    Ok(())
}

/// Puts a product on the shelves of its tags, of those that are kept, and takes it off the others. A product that is gone
/// has none.
pub(super) async fn shelve(
    tx: &mut Tx,
    shop: ShopId,
    product: i64,
    tags: &[String],
    kept: &BTreeSet<Shelf>,
) -> Result<(), db::Error> {
    let tags: BTreeSet<Shelf> = tags.iter().map(|tag| Shelf::tag(tag)).collect();
    for shelf in kept.iter().filter(|shelf| matches!(shelf, Shelf::Tag(_))) {
        let name = shelf.to_string();
        if tags.contains(shelf) {
            db!(
                tx.execute,
                "insert into products_shelved (shop_id, product_id, shelf) values ($1, $2, $3)
                 on conflict do nothing",
                shop,
                product,
                &name
            )?;
        } else {
            db!(
                tx.execute,
                "delete from products_shelved where shop_id = $1 and product_id = $2 and shelf = $3",
                shop,
                product,
                &name
            )?;
        }
    }
    Ok(())
}
