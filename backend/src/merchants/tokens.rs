//! Fresh tokens. A pair is refreshed when its access token has under five minutes left, by one caller at a time in all
//! processes: the lease stands in the shop's row. Until the old token is over, nobody waits for that.
//!
//! If the process dies between Shopify's answer and the commit, the old refresh token is still in the row, and still
//! works: Shopify ends it only when its successor is first used.

use std::time::Duration;

use jiff::SignedDuration;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::pairs::{self, ACCESS, REFRESH, SealedPair};
use super::{Shop, ShopError, Shops, staff};
use crate::config::Secret;
use crate::db::{Cipher, CipherError, Db, Timestamp};
use crate::ids::ShopId;
use crate::shopify::{Grant, OAuthError};

/// With less than this left, an access token is refreshed.
const FRESH: SignedDuration = SignedDuration::from_mins(5);
/// Longer than a call for a token may take; then another caller may try.
const LEASE: SignedDuration = SignedDuration::from_secs(30);
/// How long a shop that could not be asked is left alone.
const AFTER_FAILURE: SignedDuration = SignedDuration::from_secs(5);
/// How long to wait for someone else's refresh once the old token is over.
pub(super) const PATIENCE: Duration = Duration::from_secs(8);
/// How often to look meanwhile.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What became of an attempt to refresh.
pub(super) enum Attempt {
    /// The next token.
    Refreshed(Secret),
    /// Someone else is at it, or was faster.
    Taken,
    /// Shopify could not be asked; nobody asks again for a moment.
    Failed(OAuthError),
}

impl Shops {
    /// A token for the shop's Admin API that is good for a while.
    ///
    /// # Errors
    /// [`ShopError::NoToken`] when a merchant must open the app first; [`ShopError::TokenRefused`] when Shopify would
    /// refuse it; [`ShopError::OAuth`] or
    /// [`ShopError::Refreshing`] when the token is over and there is no new one yet.
    pub async fn token(&self, shop: &Shop) -> Result<Secret, ShopError> {
        let give_up = Instant::now() + PATIENCE;
        loop {
            let pair = pairs::tokens(&mut self.db.read(shop.id).await?, shop.id).await?;
            let pair = pair.ok_or(ShopError::NoToken)?;
            let now = self.clock.now();
            if let Some(until) = pair.token_refused_until.filter(|until| now < *until) {
                return Err(ShopError::TokenRefused { until });
            }
            let left = pair.token_expires_at.map_or(SignedDuration::MAX, |until| until - now);
            let held = || open(&self.cipher, ACCESS, shop.id, &pair.sealed_token);
            if left >= FRESH {
                return held();
            }
            let attempt = match &pair.sealed_refresh_token {
                Some(refresh) => {
                    let refresh = open(&self.cipher, REFRESH, shop.id, refresh)?;
                    self.refresh(shop, &pair, &refresh).await?
                }
                None => Attempt::Taken,
            };
            match attempt {
                Attempt::Refreshed(token) => return Ok(token),
                Attempt::Failed(error) if left.is_positive() => {
                    tracing::warn!(shop = %shop.id, %error, "a token is not refreshed; the old one still works");
                    return held();
                }
                Attempt::Failed(error) => return Err(error.into()),
                Attempt::Taken if left.is_positive() => return held(),
                Attempt::Taken if pair.sealed_refresh_token.is_none() => return Err(ShopError::NoToken),
                Attempt::Taken if Instant::now() >= give_up => return Err(ShopError::Refreshing),
                Attempt::Taken => sleep(LOOK_EVERY).await,
            }
        }
    }

    pub(super) async fn refresh(
        &self,
        shop: &Shop,
        pair: &SealedPair,
        refresh: &Secret,
    ) -> Result<Attempt, ShopError> {
        let (lease, now) = (Uuid::now_v7(), self.clock.now());
        let mut tx = self.db.begin(shop.id).await?;
        let leased = pairs::lease_refresh(&mut tx, shop.id, pair, lease, (now, now + LEASE)).await?;
        tx.commit().await?;
        if !leased {
            return Ok(Attempt::Taken);
        }
        // A task of its own, because a refresh that is dropped half-way would keep its lease until that runs out.
        let (shops, shop, refresh) = (self.clone(), shop.clone(), refresh.clone());
        let refreshing = tokio::spawn(async move { shops.refresh_leased(&shop, lease, &refresh, now).await });
        refreshing.await.unwrap_or(Ok(Attempt::Taken))
    }

    async fn refresh_leased(
        &self,
        shop: &Shop,
        lease: Uuid,
        refresh: &Secret,
        asked_at: Timestamp,
    ) -> Result<Attempt, ShopError> {
        let answer = self.oauth.refresh(&shop.domain, refresh).await;
        let now = self.clock.now();
        let mut tx = self.db.begin(shop.id).await?;
        let attempt = match answer {
            Ok(grant) => {
                let next = seal(&self.cipher, shop.id, &grant, asked_at)?;
                match pairs::refreshed(&mut tx, shop.id, lease, &next, now).await? {
                    true => Attempt::Refreshed(grant.access_token),
                    false => Attempt::Taken,
                }
            }
            Err(OAuthError::Refused { code }) => {
                if pairs::drop_tokens(&mut tx, shop.id, lease, now).await? {
                    tracing::warn!(shop = %shop.id, code, "a token cannot be refreshed; a merchant must open the app");
                    self.forget(shop.id);
                }
                // The next look finds no token, or a newer one.
                Attempt::Taken
            }
            Err(error) => {
                pairs::put_off_refresh(&mut tx, shop.id, lease, now + AFTER_FAILURE).await?;
                Attempt::Failed(error)
            }
        };
        tx.commit().await?;
        Ok(attempt)
    }
}

/// A grant as it is kept. Its times count from when it was asked for, so that it never ends before we think so.
pub(super) fn seal(
    cipher: &Cipher,
    shop: ShopId,
    grant: &Grant,
    asked_at: Timestamp,
) -> Result<SealedPair, CipherError> {
    let seal = |column, token: &Secret| cipher.seal(column, shop.0, token.expose().as_bytes());
    Ok(SealedPair {
        sealed_token: seal(ACCESS, &grant.access_token)?,
        token_expires_at: grant.expires_in.map(|life| asked_at + life),
        sealed_refresh_token: grant.refresh_token.as_ref().map(|token| seal(REFRESH, token)).transpose()?,
        refresh_expires_at: grant.refresh_expires_in.map(|life| asked_at + life),
        token_refused_until: None,
    })
}

/// How many shops share a transaction when their tokens are sealed anew.
const TOGETHER: i64 = 100;

/// Whose tokens were sealed anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resealed {
    /// How many shops.
    pub shops: u64,
    /// How many members of their staff.
    pub staff: u64,
}

pub(super) async fn reseal(db: &Db, cipher: &Cipher) -> Result<Resealed, ShopError> {
    Ok(Resealed { shops: reseal_shops(db, cipher).await?, staff: reseal_staff(db, cipher).await? })
}

async fn reseal_staff(db: &Db, cipher: &Cipher) -> Result<u64, ShopError> {
    let mut anew = 0;
    let shops = staff::store::with_tokens(&mut db.read_across().await?).await?;
    for shop in shops {
        let mut tx = db.begin(shop).await?;
        for (user, sealed) in staff::store::sealed(&mut tx, shop).await? {
            if let Some(sealed) = cipher.reseal(staff::store::ONLINE, shop.0, &sealed)? {
                staff::store::reseal(&mut tx, shop, user, &sealed).await?;
                anew += 1;
            }
        }
        tx.commit().await?;
    }
    Ok(anew)
}

async fn reseal_shops(db: &Db, cipher: &Cipher) -> Result<u64, ShopError> {
    let (mut anew, mut after) = (0, ShopId(Uuid::nil()));
    loop {
        let mut tx = db.begin_outside().await?;
        let shops = pairs::sealed_after(&mut tx, after, TOGETHER).await?;
        let Some((last, ..)) = shops.last() else { return Ok(anew) };
        after = *last;
        for (shop, access, refresh) in &shops {
            let access = cipher.reseal(ACCESS, shop.0, access)?;
            let refresh =
                refresh.as_ref().map(|sealed| cipher.reseal(REFRESH, shop.0, sealed)).transpose()?.flatten();
            if access.is_some() || refresh.is_some() {
                pairs::reseal(&mut tx, *shop, access, refresh).await?;
                anew += 1;
            }
        }
        tx.commit().await?;
    }
}

pub(super) fn open(cipher: &Cipher, column: &str, shop: ShopId, sealed: &[u8]) -> Result<Secret, ShopError> {
    let token = cipher.open(column, shop.0, sealed)?;
    Ok(Secret::new(String::from_utf8(token).map_err(|_| CipherError)?))
}
