//! Tokens that Shopify refuses (401) although they should still be good: it revoked them, or their times were told
//! wrong.
//!
//! ```text
//! refused ─ the row holds another by now? ─ yes: that one
//!              └─ no: refreshed, under the lease ─ that one; refused, too? ─┐
//!                    └─ nothing to refresh it with, or nobody to ask ───────┴─ it rests; a merchant opens the app
//! ```
//!
//! While a token rests nobody asks Shopify with it: no lost cause is called for again and again. Whatever was marked stays
//! marked. After the rest it is tried once more, in case that it was Shopify's own fault.

use async_trait::async_trait;
use jiff::SignedDuration;
use tokio::time::{Instant, sleep};

use super::pairs::{self, ACCESS, REFRESH};
use super::tokens::{Attempt, LOOK_EVERY, PATIENCE, open};
use super::{Shop, ShopError, Shops};
use crate::config::Secret;
use crate::shopify::admin::{Admin, AdminApi, Tokens};

/// How long a token rests that Shopify refuses.
const REFUSED: SignedDuration = SignedDuration::from_hours(1);
/// How long one rests when Shopify could not be asked for another.
const UNASKED: SignedDuration = SignedDuration::from_mins(1);

impl Shops {
    /// A shop's Admin API, with a token that is good for a while, and another should Shopify refuse that one.
    ///
    /// # Errors
    /// As [`Shops::token`].
    pub async fn admin(&self, api: &AdminApi, shop: &Shop) -> Result<Admin, ShopError> {
        let token = self.token(shop).await?;
        let tokens = TokensOf { shops: self.clone(), shop: shop.clone() };
        Ok(api.shop(&shop.domain, &token).with_tokens(std::sync::Arc::new(tokens)))
    }

    /// Another token for the shop than the one that Shopify refused; none if there is none to be had.
    async fn other_token(&self, shop: &Shop, refused: &Secret) -> Result<Option<Secret>, ShopError> {
        let give_up = Instant::now() + PATIENCE;
        loop {
            let pair = pairs::tokens(&mut self.db.read(shop.id).await?, shop.id).await?;
            let Some(pair) = pair else { return Ok(None) };
            let held = open(&self.cipher, ACCESS, shop.id, &pair.sealed_token)?;
            if held != *refused {
                return Ok(Some(held));
            }
            let Some(refresh) = &pair.sealed_refresh_token else {
                self.rest(shop, refused, REFUSED).await?;
                return Ok(None);
            };
            let refresh = open(&self.cipher, REFRESH, shop.id, refresh)?;
            match self.refresh(shop, &pair, &refresh).await? {
                Attempt::Refreshed(token) => return Ok(Some(token)),
                Attempt::Taken if Instant::now() < give_up => sleep(LOOK_EVERY).await,
                Attempt::Taken | Attempt::Failed(_) => {
                    self.rest(shop, refused, UNASKED).await?;
                    return Ok(None);
                }
            }
        }
    }

    /// Nobody asks with this token for a time, if it is still the shop's.
    async fn rest(&self, shop: &Shop, refused: &Secret, rest: SignedDuration) -> Result<(), ShopError> {
        let pair = pairs::tokens(&mut self.db.read(shop.id).await?, shop.id).await?;
        let Some(pair) = pair else { return Ok(()) };
        if open(&self.cipher, ACCESS, shop.id, &pair.sealed_token)? != *refused {
            return Ok(());
        }
        let until = self.clock.now() + rest;
        let mut tx = self.db.begin(shop.id).await?;
        pairs::rest(&mut tx, shop.id, &pair, until).await?;
        tx.commit().await?;
        self.forget(shop.id);
        tracing::warn!(shop = %shop.id, %until, "Shopify refuses a token; a merchant must open the app");
        Ok(())
    }
}

/// The tokens of one shop, as its Admin API sees them.
struct TokensOf {
    shops: Shops,
    shop: Shop,
}

impl std::fmt::Debug for TokensOf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("TokensOf").field(&self.shop.id).finish()
    }
}

#[async_trait]
impl Tokens for TokensOf {
    async fn instead_of(&self, refused: &Secret) -> Option<Secret> {
        self.shops.other_token(&self.shop, refused).await.unwrap_or_else(|error| {
            tracing::warn!(shop = %self.shop.id, %error, "no token instead of one that Shopify refuses");
            None
        })
    }

    async fn are_refused(&self, last: &Secret) {
        if let Err(error) = self.shops.rest(&self.shop, last, REFUSED).await {
            tracing::warn!(shop = %self.shop.id, %error, "a token that Shopify refuses is not noted");
        }
    }
}
