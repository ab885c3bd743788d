//! Support: someone of the installation acts as a shop's staff, for a time and with a reason, and the merchant sees it.
//!
//! ```text
//! loyalnest support open ─ lns_… once ─▶ Authorization: Bearer lns_… ─▶ every request in the audit log
//!                                        ends: its time, `support close`, the merchant, no support allowed, uninstall
//! ```
//!
//! Support looks; a session opened with `--write` may also edit the program and its members. What staff may do, who else
//! is let in and which shops belong together is never changed by support. Only a hash of the token is kept.

pub mod command;
pub mod routes;
mod store;
mod token;
mod watch;

use jiff::SignedDuration;
use serde_json::json;
use subtle::ConstantTimeEq;
use uuid::Uuid;

use crate::app::App;
use crate::audit::{self, Action, Actor, By, Change};
use crate::db::{self, Timestamp, Tx};
use crate::ids::ShopId;
use crate::merchants::{Permission, Shop, lock_installed, support_allowed};

pub use store::Session;
pub use token::Token;
pub use watch::watch;

/// The longest that support may be let in at once.
pub const LONGEST: SignedDuration = SignedDuration::from_mins(120);
/// The longest name of an operator, in characters.
const NAME: usize = 64;
/// The longest reason, in characters.
const REASON: usize = 200;

/// Why support is not let in.
#[derive(Debug, thiserror::Error)]
pub enum SupportError {
    /// The merchant wants none.
    #[error("the shop does not allow support to be let in")]
    NotAllowed,
    /// The shop has not installed the app.
    #[error("the shop has not installed the app")]
    Uninstalled,
    /// The name, reason or time makes no sense.
    #[error("{0}")]
    Nonsense(&'static str),
    /// The machine has no randomness to give.
    #[error("no token can be made")]
    Random,
    /// The database's error.
    #[error(transparent)]
    Database(#[from] db::Error),
}

/// Who is to be let in, and how.
#[derive(Debug, Clone)]
pub struct Wish {
    /// Who of the installation.
    pub operator: String,
    /// Why; the merchant reads it.
    pub reason: String,
    /// For how long, in minutes.
    pub minutes: u32,
    /// Whether they may edit.
    pub may_write: bool,
}

impl Wish {
    fn checked(&self) -> Result<SignedDuration, SupportError> {
        let fine = |text: &str, most: usize| {
            let length = text.chars().count();
            (1..=most).contains(&length) && text.trim() == text && !text.chars().any(char::is_control)
        };
        if !fine(&self.operator, NAME) {
            return Err(SupportError::Nonsense("the operator's name has 1 to 64 characters, in one line"));
        }
        if !fine(&self.reason, REASON) {
            return Err(SupportError::Nonsense("the reason has 1 to 200 characters, in one line"));
        }
        let life = SignedDuration::from_mins(self.minutes.into());
        if !life.is_positive() || life > LONGEST {
            return Err(SupportError::Nonsense("support is let in for 1 to 120 minutes"));
        }
        Ok(life)
    }
}

/// Lets support in. The token is not kept: it is shown once.
///
/// # Errors
/// [`SupportError`]; then nothing has changed.
pub async fn open(app: &App, shop: &Shop, wish: Wish) -> Result<(Session, Token), SupportError> {
    let life = wish.checked()?;
    let now = app.clock.now();
    let token = Token::new(shop.id)?;
    let session = Session {
        shop_id: shop.id,
        session_id: token.session,
        token_hash: token.hash().to_vec(),
        operator: wish.operator,
        reason: wish.reason,
        may_write: wish.may_write,
        opened_at: now,
        expires_at: now + life,
        closed_at: None,
    };
    let mut tx = app.db.begin(shop.id).await?;
    // Whoever switches support off waits here, or is waited for.
    if !lock_installed(&mut tx, shop.id).await? {
        return Err(SupportError::Uninstalled);
    }
    if !support_allowed(&mut tx, shop.id).await? {
        return Err(SupportError::NotAllowed);
    }
    store::insert(&mut tx, &session).await?;
    let change = Change {
        action: Action::SupportOpened,
        target: Some(session.session_id.to_string()),
        before: serde_json::Value::Null,
        after: json!({"until": session.expires_at, "reason": session.reason, "write": session.may_write}),
    };
    audit::record(&mut tx, shop.id, &By::from(session.actor()), change, now).await?;
    tx.commit().await?;
    Ok((session, token))
}

/// Ends a session of a shop, or all that are open there, and says how many.
///
/// # Errors
/// Any error of the database.
pub async fn close(
    tx: &mut Tx,
    shop: ShopId,
    session: Option<Uuid>,
    by: &By,
    now: Timestamp,
) -> Result<usize, db::Error> {
    let closed = store::close(tx, shop, session, now).await?;
    for (session,) in &closed {
        let change = Change {
            action: Action::SupportClosed,
            target: Some(session.to_string()),
            before: json!({"open": true}),
            after: json!({"open": false}),
        };
        audit::record(tx, shop, by, change, now).await?;
    }
    Ok(closed.len())
}

/// The session of a token, open or not.
///
/// # Errors
/// Any error of the database.
pub async fn find(app: &App, token: &str) -> Result<Option<Session>, db::Error> {
    let Some(token) = Token::read(token) else { return Ok(None) };
    let session = store::find(&mut app.db.read(token.shop).await?, token.shop, token.session).await?;
    Ok(session.filter(|session| bool::from(session.token_hash.ct_eq(&token.hash()[..]))))
}

impl Session {
    /// Whether it still stands.
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.closed_at.is_none() && now < self.expires_at
    }

    /// The most that it allows.
    pub fn permission(&self) -> Permission {
        if self.may_write { Permission::Edit } else { Permission::View }
    }

    /// In whose name to write down what is done in it.
    pub fn actor(&self) -> Actor {
        Actor::Support { session: self.session_id, operator: self.operator.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_has_a_name_a_reason_and_a_time() {
        let wish = |operator: &str, reason: &str, minutes| Wish {
            operator: operator.into(),
            reason: reason.into(),
            minutes,
            may_write: false,
        };
        assert_eq!(wish("Ada", "ticket 7", 120).checked().unwrap(), LONGEST);
        for (operator, reason, minutes) in [
            ("", "ticket 7", 10),
            (" Ada", "ticket 7", 10),
            ("A\0da", "ticket 7", 10),
            ("Ada\nBob", "ticket 7", 10),
            (&"a".repeat(65), "ticket 7", 10),
            ("Ada", "", 10),
            ("Ada", " ", 10),
            ("Ada", "\u{7f}", 10),
            ("Ada", &"é".repeat(201), 10),
            ("Ada", "ticket 7", 0),
            ("Ada", "ticket 7", 121),
            ("Ada", "ticket 7", u32::MAX),
        ] {
            let checked = wish(operator, reason, minutes).checked();
            assert!(matches!(checked, Err(SupportError::Nonsense(_))), "{operator:?} {reason:?} {minutes}");
        }
    }
}
