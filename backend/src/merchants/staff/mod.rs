//! A shop's staff: who of them has opened the app, as what, and with which online token.
//!
//! ```text
//! a session token ── no session, or over ── OAuth: online ──┬─ granted: a session until the token is over
//!                                                           ├─ refused: not staff of this shop (any more)
//!                                                           └─ no answer: may read, nothing else, until Shopify answers
//! ```
//!
//! Shopify decides who can open the app; the role says what they may do in it. The owner of the account is `owner`, whom
//! nobody appoints or removes but Shopify. Everybody else has the role they were given, or the shop's default: `admin`,
//! as with apps that know no roles, until the owner says otherwise; who works for a partner of the shop is an `editor`
//! at most until given more.

mod roles;
mod routes;
mod session;
pub(super) mod store;

use crate::languages::Language;
use crate::shopify::UserId;

pub use roles::RoleError;
pub use routes::api;
pub(super) use session::Sessions;
pub use session::StaffError;

/// What someone may do, from the least to the most; who may do more may do what is less.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Permission {
    /// See everything.
    View,
    /// Change the program and its members.
    Edit,
    /// Change who may do what: staff, support, groups.
    Manage,
    /// Change what new staff may do.
    Own,
}

impl Permission {
    /// Its code.
    pub fn as_str(self) -> &'static str {
        match self {
            Permission::View => "view",
            Permission::Edit => "edit",
            Permission::Manage => "manage",
            Permission::Own => "own",
        }
    }
}

crate::text_enum! {
    /// Who someone is to a shop.
    pub enum Role {
        /// The owner of the account, as Shopify says.
        Owner = "owner",
        /// May do all but change the default.
        Admin = "admin",
        /// Works on the program and its members.
        Editor = "editor",
        /// Looks.
        Viewer = "viewer",
        /// Someone of the installation, for a time.
        Support = "support",
    }
}

impl Role {
    /// The most that someone with this role may do. Support may look; a session that was opened for writing may edit.
    pub fn permission(self) -> Permission {
        match self {
            Role::Owner => Permission::Own,
            Role::Admin => Permission::Manage,
            Role::Editor => Permission::Edit,
            Role::Viewer | Role::Support => Permission::View,
        }
    }

    /// Whether it can be given to someone.
    pub fn is_assignable(self) -> bool {
        matches!(self, Role::Admin | Role::Editor | Role::Viewer)
    }
}

/// A member of a shop's staff, as they stand in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Shopify's number.
    pub user: UserId,
    /// Who they are to the shop.
    pub role: Role,
    /// The language they read.
    pub locale: Option<Language>,
    /// Whether Shopify says that they are staff. While it cannot be asked, they may look and nothing else.
    pub confirmed: bool,
}

impl Standing {
    /// What they may do now.
    pub fn permission(&self) -> Permission {
        if self.confirmed { self.role.permission() } else { Permission::View }
    }
}
