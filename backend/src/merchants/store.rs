//! Shops in the database. The token is sealed, bound to its column and shop.

use loyalty::Currency;

use super::{Shop, ShopError};
use crate::config::Secret;
use crate::db;
use crate::db::{Cipher, CipherError, Read, Timestamp, Tx};
use crate::ids::ShopId;

const TOKEN: &str = "merchants_shops.sealed_token";

#[derive(sqlx::FromRow)]
pub(super) struct ShopRow {
    shop_id: ShopId,
    domain: String,
    name: String,
    currency: String,
    time_zone: String,
    sealed_token: Vec<u8>,
    installed_at: Timestamp,
}

impl ShopRow {
    pub(super) fn open(self, cipher: &Cipher) -> Result<Shop, ShopError> {
        let token = cipher.open(TOKEN, self.shop_id.0, &self.sealed_token)?;
        Ok(Shop {
            id: self.shop_id,
            domain: self.domain.parse().map_err(|error| db::Error::Other(Box::new(error)))?,
            name: self.name,
            currency: Currency::parse(&self.currency)?,
            time_zone: self.time_zone,
            token: Secret::new(String::from_utf8(token).map_err(|_| CipherError)?),
            installed_at: self.installed_at,
        })
    }
}

pub(super) async fn find_by_domain(read: &mut Read, domain: &str) -> Result<Option<ShopRow>, db::Error> {
    db!(
        read.optional,
        "select shop_id, domain, name, currency, time_zone, sealed_token, installed_at
         from merchants_shops where domain = $1 and uninstalled_at is null and sealed_token is not null",
        domain
    )
}

pub(super) async fn find(read: &mut Read, id: ShopId) -> Result<Option<ShopRow>, db::Error> {
    db!(
        read.optional,
        "select shop_id, domain, name, currency, time_zone, sealed_token, installed_at
         from merchants_shops where shop_id = $1 and uninstalled_at is null and sealed_token is not null",
        id
    )
}

/// The id of a shop, installed or not.
pub(super) async fn find_id(read: &mut Read, domain: &str) -> Result<Option<ShopId>, db::Error> {
    let found: Option<(ShopId,)> =
        db!(read.optional, "select shop_id from merchants_shops where domain = $1", domain)?;
    Ok(found.map(|(id,)| id))
}

pub(super) async fn upsert(tx: &mut Tx, shop: &Shop, cipher: &Cipher) -> Result<(), ShopError> {
    let sealed = cipher.seal(TOKEN, shop.id.0, shop.token.expose().as_bytes())?;
    db!(
        tx.execute,
        "insert into merchants_shops (shop_id, domain, name, currency, time_zone, sealed_token,
                                      installed_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $7)
         on conflict (domain) do update set
             name = excluded.name,
             currency = excluded.currency,
             time_zone = excluded.time_zone,
             sealed_token = excluded.sealed_token,
             installed_at = case when merchants_shops.uninstalled_at is null
                                 then merchants_shops.installed_at else excluded.installed_at end,
             uninstalled_at = null,
             updated_at = excluded.updated_at",
        shop.id,
        shop.domain.as_str(),
        shop.name,
        shop.currency.code(),
        shop.time_zone,
        sealed,
        shop.installed_at
    )?;
    Ok(())
}
