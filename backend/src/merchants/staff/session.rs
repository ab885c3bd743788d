//! Sessions of staff. The first request of someone gets an online token for them; later ones use that session until the
//! token is over or the session is ended, then it is renewed. One exchange per person is under way in a process; two
//! processes may both ask, and the later answer is kept.
//!
//! Whoever Shopify refuses is not let in. While Shopify cannot be asked, staff can still look: their session token is
//! signed by Shopify and a minute old. They cannot change anything, and Shopify is left alone for a moment.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::SignedDuration;
use tokio::time::timeout;

use super::store::{self, Kept, StaffRow};
use super::{Role, Standing};
use crate::audit::{self, Action, Actor, By, Change};
use crate::db::{self, CipherError, Timestamp};
use crate::ids::ShopId;
use crate::languages::Language;
use crate::merchants::{Shop, Shops, lock_installed};
use crate::shopify::{OAuthError, OnlineGrant, UserId};

/// How long someone waits for Shopify's answer before they may look without it.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long Shopify is left alone about someone it could not be asked about.
const AFTER_FAILURE: SignedDuration = SignedDuration::from_secs(5);
/// How often it is noted that someone was here.
const NOTED_EVERY: SignedDuration = SignedDuration::from_mins(10);
/// Exchanges of people who share a stripe wait for each other.
const STRIPES: usize = 64;
/// How many people may be known to be unaskable before those whose time has come are forgotten.
const KNOWN: usize = 4_096;

/// Why someone with a good session token is not let in.
#[derive(Debug, thiserror::Error)]
pub enum StaffError {
    /// Shopify does not know them as staff of this shop, or the session token is over.
    #[error("Shopify does not accept the session token: {code}")]
    Refused {
        /// Shopify's word for it.
        code: String,
    },
    /// Their session was ended after the session token was made.
    #[error("the session was ended")]
    Revoked,
    /// The app was uninstalled meanwhile.
    #[error("the app was uninstalled meanwhile")]
    Uninstalled,
    /// The online token cannot be sealed or opened.
    #[error(transparent)]
    Sealed(#[from] CipherError),
    /// The database's error.
    #[error(transparent)]
    Database(#[from] db::Error),
}

/// Whose exchanges are under way, and about whom Shopify could not be asked. Cheap to clone.
#[derive(Clone)]
pub(in crate::merchants) struct Sessions {
    exchanging: Arc<[tokio::sync::Mutex<()>; STRIPES]>,
    /// Until when Shopify is left alone about them.
    left_alone: Arc<Mutex<HashMap<(ShopId, UserId), Timestamp>>>,
}

impl Sessions {
    pub fn new() -> Self {
        let exchanging = Arc::new(std::array::from_fn(|_| tokio::sync::Mutex::default()));
        Sessions { exchanging, left_alone: Arc::default() }
    }

    fn stripe(&self, shop: ShopId, user: UserId) -> &tokio::sync::Mutex<()> {
        let mut hasher = DefaultHasher::new();
        (shop, user).hash(&mut hasher);
        &self.exchanging[(hasher.finish() % STRIPES as u64) as usize]
    }

    fn is_left_alone(&self, who: (ShopId, UserId), now: Timestamp) -> bool {
        let left_alone = self.left_alone.lock().unwrap_or_else(PoisonError::into_inner);
        left_alone.get(&who).is_some_and(|until| now < *until)
    }

    fn leave_alone(&self, who: (ShopId, UserId), now: Timestamp) {
        let mut left_alone = self.left_alone.lock().unwrap_or_else(PoisonError::into_inner);
        if left_alone.len() >= KNOWN {
            left_alone.retain(|_, until| now < *until);
        }
        left_alone.insert(who, now + AFTER_FAILURE);
    }
}

impl Shops {
    /// Who this member of staff is to the shop. Their session token, made at `issued_at`, begins or renews their session
    /// where that is needed.
    ///
    /// # Errors
    /// [`StaffError`]: they are not let in.
    pub async fn standing(
        &self,
        shop: &Shop,
        user: UserId,
        (session_token, issued_at): (&str, Timestamp),
        request: Option<&str>,
    ) -> Result<Standing, StaffError> {
        if let Some(standing) = self.known(shop, user, issued_at).await? {
            return Ok(standing);
        }
        let _turn = self.sessions.stripe(shop.id, user).lock().await;
        // Whoever had the turn before may have done it.
        if let Some(standing) = self.known(shop, user, issued_at).await? {
            return Ok(standing);
        }
        let asked_at = self.clock.now();
        if self.sessions.is_left_alone((shop.id, user), asked_at) {
            return self.unconfirmed(shop, user).await;
        }
        match timeout(PATIENCE, self.oauth.exchange_online(&shop.domain, session_token)).await {
            Ok(Ok(grant)) if grant.user == user => {
                return self.begin(shop, &grant, asked_at, request).await;
            }
            Ok(Err(OAuthError::Refused { code })) => {
                let mut tx = self.db.begin(shop.id).await?;
                store::end(&mut tx, shop.id, user, None).await?;
                tx.commit().await?;
                return Err(StaffError::Refused { code });
            }
            Ok(Ok(_)) => tracing::error!(shop = %shop.id, "an online token is someone else's"),
            Ok(Err(error)) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(shop = %shop.id, error, "no online token; staff may look and nothing else");
            }
            Err(_) => {
                tracing::warn!(shop = %shop.id, "no online token in time; staff may look and nothing else")
            }
        }
        self.sessions.leave_alone((shop.id, user), asked_at);
        self.unconfirmed(shop, user).await
    }

    /// Who they are, if their session is open.
    async fn known(
        &self,
        shop: &Shop,
        user: UserId,
        issued_at: Timestamp,
    ) -> Result<Option<Standing>, StaffError> {
        let row = store::find(&mut self.db.read(shop.id).await?, shop.id, user).await?;
        let Some(row) = row else { return Ok(None) };
        if row.revoked_at.is_some_and(|at| issued_at <= at) {
            return Err(StaffError::Revoked);
        }
        let now = self.clock.now();
        if !row.is_open(now) {
            return Ok(None);
        }
        self.note(shop, &row, now).await;
        Ok(Some(row.standing(true)))
    }

    /// Notes now and then that someone was here. If it cannot be noted, they may still look.
    async fn note(&self, shop: &Shop, row: &StaffRow, now: Timestamp) {
        let unless_since = now - NOTED_EVERY;
        if row.last_seen_at >= unless_since {
            return;
        }
        let noted = async {
            let mut tx = self.db.begin(shop.id).await?;
            store::seen(&mut tx, shop.id, UserId(row.user_id), unless_since, now).await?;
            tx.commit().await
        };
        if let Err(error) = noted.await {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(shop = %shop.id, error, "it is not noted who was here");
        }
    }

    /// Who they are as far as is known, while Shopify cannot be asked.
    async fn unconfirmed(&self, shop: &Shop, user: UserId) -> Result<Standing, StaffError> {
        let row = store::find(&mut self.db.read(shop.id).await?, shop.id, user).await?;
        let stranger = Standing { user, role: Role::Viewer, locale: None, confirmed: false };
        Ok(row.map_or(stranger, |row| row.standing(false)))
    }

    /// Begins or renews a session with what Shopify granted when it was asked.
    async fn begin(
        &self,
        shop: &Shop,
        grant: &OnlineGrant,
        asked_at: Timestamp,
        request: Option<&str>,
    ) -> Result<Standing, StaffError> {
        let sealed = self.cipher.seal(store::ONLINE, shop.id.0, grant.access_token.expose().as_bytes())?;
        // What is not a language is none.
        let locale = grant.locale.as_deref().and_then(|locale| locale.parse::<Language>().ok());
        let kept = Kept {
            user: grant.user,
            is_owner: grant.account_owner,
            collaborator: grant.collaborator,
            locale: locale.as_ref().map(Language::as_str),
            scopes: &grant.scopes,
            sealed,
            expires_at: asked_at + grant.expires_in,
            asked_at,
        };
        let now = self.clock.now();
        let mut tx = self.db.begin(shop.id).await?;
        if !lock_installed(&mut tx, shop.id).await? {
            return Err(StaffError::Uninstalled);
        }
        let before = store::find(&mut tx, shop.id, grant.user).await?;
        if !store::keep(&mut tx, shop.id, &kept, now).await? {
            return Err(StaffError::Revoked);
        }
        let row = store::find(&mut tx, shop.id, grant.user).await?.ok_or(db::Error::NoRow)?;
        if before.is_none() {
            let by = By { actor: Actor::User(grant.user), request: request.map(str::to_owned) };
            let change = Change {
                action: Action::StaffJoined,
                target: Some(grant.user.0.to_string()),
                before: serde_json::Value::Null,
                after: serde_json::json!({"role": row.role().as_str()}),
            };
            audit::record(&mut tx, shop.id, &by, change, now).await?;
        }
        tx.commit().await?;
        tracing::info!(shop = %shop.id, user = grant.user.0, "a session of staff begins");
        Ok(row.standing(true))
    }
}
