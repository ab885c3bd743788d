//! Staff, and what they may do: a handler asks for `Staff<Edit>` and is only called for who may edit.
//!
//! What may be done is a type, so that it cannot be forgotten: a function that changes something asks for the `Staff<…>`
//! that may, and only such a one says in whose name to write the change down ([`Staff::by`]). Code that holds a
//! `Staff<View>` has neither:
//!
//! ```compile_fail,E0599
//! fn looks(staff: &loyalnest::web::Staff<loyalnest::web::View>) {
//!     staff.by();
//! }
//! ```
//!
//! ```
//! fn edits(staff: &loyalnest::web::Staff<loyalnest::web::Edit>) {
//!     staff.by();
//! }
//! ```

use std::marker::PhantomData;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{Extensions, StatusCode};
use tower_http::request_id::RequestId;

use super::session::{self, Verified};
use super::{Problem, SessionCaller};
use crate::app::App;
use crate::audit::{Actor, By};
use crate::languages::Language;
use crate::merchants::{Permission, Role, Shop, StaffError};
use crate::shopify::{Bearer, UserId};
use crate::support;

/// What a handler does with a shop.
pub trait Capability: Send + Sync + 'static {
    /// What that takes.
    const NEEDS: Permission;
}

/// What changes something.
pub trait Writes: Capability {}

macro_rules! capabilities {
    ($($(#[$meta:meta])* $name:ident $($writes:ident)?;)+) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy)]
        pub enum $name {}

        impl Capability for $name {
            const NEEDS: Permission = Permission::$name;
        }

        $(impl $writes for $name {})?
    )+};
}

capabilities! {
    /// Sees.
    View;
    /// Changes the program and its members.
    Edit Writes;
    /// Changes who may do what.
    Manage Writes;
    /// Changes what new staff may do.
    Own Writes;
}

/// Someone of the shop's staff, or support in their place, who may do what `C` says.
#[derive(Debug, Clone)]
pub struct Staff<C> {
    /// The shop.
    pub shop: Arc<Shop>,
    /// Who they are to it.
    pub role: Role,
    /// The language they read, if that is known.
    pub locale: Option<Language>,
    by: By,
    may: PhantomData<C>,
}

impl<C> Staff<C> {
    /// Their number; none for support.
    pub fn user(&self) -> Option<UserId> {
        match self.by.actor {
            Actor::User(user) => Some(user),
            _ => None,
        }
    }
}

impl<C: Writes> Staff<C> {
    /// In whose name to write down what is changed.
    pub fn by(&self) -> &By {
        &self.by
    }
}

/// Whoever calls below `/api`.
#[derive(Debug, Clone)]
pub enum Caller {
    /// Staff, who may at least look.
    Staff(Staff<View>),
    /// A shopper.
    Shopper(SessionCaller),
}

impl<C: Capability> FromRequestParts<App> for Staff<C> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        match caller::<C>(parts, app).await? {
            Found::Staff(staff) => Ok(staff),
            Found::Shopper(_) => Err(Problem::new(
                StatusCode::FORBIDDEN,
                "staff_only",
                "Only the shop's staff may ask for this.",
            )),
        }
    }
}

impl FromRequestParts<App> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        Ok(match caller::<View>(parts, app).await? {
            Found::Staff(staff) => Caller::Staff(staff),
            Found::Shopper(caller) => Caller::Shopper(caller),
        })
    }
}

enum Found<C> {
    Staff(Staff<C>),
    Shopper(SessionCaller),
}

async fn caller<C: Capability>(parts: &mut Parts, app: &App) -> Result<Found<C>, Problem> {
    let request = request_id(&parts.extensions);
    if let Some(session) = parts.extensions.get::<support::Session>() {
        return supporter(session, app, request).await.map(Found::Staff);
    }
    let Verified { caller, token, issued_at } = session::verified(parts, app).await?;
    let Bearer::User(user) = caller.bearer else { return Ok(Found::Shopper(caller)) };
    let standing = app.shops.standing(&caller.shop, user, (&token, issued_at), request.as_deref()).await?;
    if standing.permission() < C::NEEDS {
        return Err(match standing.confirmed {
            true => forbidden(standing.role, C::NEEDS),
            false => unconfirmed(),
        });
    }
    let by = By { actor: Actor::User(user), request };
    let (role, locale) = (standing.role, standing.locale);
    Ok(Found::Staff(Staff { shop: caller.shop, role, locale, by, may: PhantomData }))
}

/// Support in the place of staff: its session was found to be open before the request got here.
async fn supporter<C: Capability>(
    session: &support::Session,
    app: &App,
    request: Option<String>,
) -> Result<Staff<C>, Problem> {
    let shop = app.shops.find(session.shop_id).await?.ok_or_else(Problem::unknown_shop)?;
    if session.permission() < C::NEEDS {
        return Err(forbidden(Role::Support, C::NEEDS));
    }
    let by = By { actor: session.actor(), request };
    Ok(Staff { shop: Arc::new(shop), role: Role::Support, locale: None, by, may: PhantomData })
}

/// The request's id, if it is fit to be kept: whoever calls may have made it up.
pub fn request_id(extensions: &Extensions) -> Option<String> {
    let id = extensions.get::<RequestId>()?.header_value().to_str().ok()?;
    (id.len() <= 64).then(|| id.to_owned())
}

fn forbidden(role: Role, needs: Permission) -> Problem {
    Problem::new(StatusCode::FORBIDDEN, "forbidden_role", "Your role does not allow that.")
        .with("role", role.as_str())
        .with("needs", needs.as_str())
}

fn unconfirmed() -> Problem {
    Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "staff_unconfirmed",
        "Shopify cannot be asked just now whether you work here, so nothing can be changed. Please try again.",
    )
    .retry_after(5)
}

impl From<StaffError> for Problem {
    fn from(error: StaffError) -> Self {
        match error {
            StaffError::Database(error) => error.into(),
            StaffError::Sealed(error) => {
                tracing::error!(%error, "an online token cannot be sealed");
                Problem::internal()
            }
            StaffError::Refused { code } => {
                tracing::warn!(code, "Shopify refuses an online token");
                session::unauthorized("invalid_session_token", "Shopify does not accept the session token.")
            }
            StaffError::Revoked => session::unauthorized(
                "session_ended",
                "This session was ended. A new one begins with the next token.",
            ),
            StaffError::Uninstalled => {
                session::unauthorized("invalid_session_token", "The app was uninstalled meanwhile.")
            }
        }
    }
}
