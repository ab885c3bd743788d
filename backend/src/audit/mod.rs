//! The audit log: who did what in a shop, before and after.
//!
//! An entry is written in the transaction of what it tells of, so that neither is without the other, and it is never
//! changed. It holds codes, ids and settings, no personal data of shoppers or staff; the sentence that a person reads is
//! made when it is read, in their language.

mod action;
mod csv;
pub mod routes;
mod store;
mod words;

use serde_json::Value;
use uuid::Uuid;

use crate::db::{self, Timestamp, Tx};
use crate::ids::ShopId;
use crate::shopify::UserId;

pub use action::Action;

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// A member of the shop's staff.
    User(UserId),
    /// Someone of the installation, as the shop's staff for a time.
    Support {
        /// The support session.
        session: Uuid,
        /// Who.
        operator: String,
    },
    /// A program of the merchant, by the id of its token.
    Api(String),
    /// The program itself, or Shopify.
    System,
    /// Whoever runs commands where the program is installed.
    Cli,
}

crate::text_enum! {
    /// The kinds of actors.
    pub enum ActorKind {
        /// A member of the shop's staff.
        User = "user",
        /// Support.
        Support = "support",
        /// A program of the merchant.
        Api = "api",
        /// The program itself, or Shopify.
        System = "system",
        /// A command.
        Cli = "cli",
    }
}

impl Actor {
    /// What kind of actor it is.
    pub fn kind(&self) -> ActorKind {
        match self {
            Actor::User(_) => ActorKind::User,
            Actor::Support { .. } => ActorKind::Support,
            Actor::Api(_) => ActorKind::Api,
            Actor::System => ActorKind::System,
            Actor::Cli => ActorKind::Cli,
        }
    }

    /// Its number or name, if it has one.
    pub fn id(&self) -> Option<String> {
        match self {
            Actor::User(user) => Some(user.0.to_string()),
            Actor::Support { session, .. } => Some(session.to_string()),
            Actor::Api(token) => Some(token.clone()),
            Actor::System | Actor::Cli => None,
        }
    }

    fn operator(&self) -> Option<&str> {
        match self {
            Actor::Support { operator, .. } => Some(operator),
            _ => None,
        }
    }
}

/// Who acts, and in which request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct By {
    /// Who.
    pub actor: Actor,
    /// The request's id, which the logs name, too.
    pub request: Option<String>,
}

impl From<Actor> for By {
    fn from(actor: Actor) -> Self {
        By { actor, request: None }
    }
}

/// What was done.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// What kind of thing.
    pub action: Action,
    /// To whom or what: an id.
    pub target: Option<String>,
    /// How it was; null where there was nothing.
    pub before: Value,
    /// How it is.
    pub after: Value,
}

/// Writes down what someone does in this transaction.
///
/// # Errors
/// Any error of the database; then the change must not be committed either.
pub async fn record(
    tx: &mut Tx,
    shop: ShopId,
    by: &By,
    change: Change,
    now: Timestamp,
) -> Result<(), db::Error> {
    store::insert(tx, shop, Uuid::now_v7(), by, &change, now).await
}
