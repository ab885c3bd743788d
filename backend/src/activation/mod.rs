//! What must stand in Shopify for the program to work, beside the widgets: the program's metafields, the definition by which
//! orders take over their cart's mark, and the discounts and customizations that put our Functions to work.
//!
//! ```text
//! WANTED ──┐                 ┌─ GET /api/activation: a state and a sentence for each thing
//!          ├─ look: compare ─┤
//! Shopify ─┘                 └─ stand: make, put right, look again ── on install, daily, when the title changes, POST
//! ```
//!
//! What the merchant did on purpose stays: a discount that they switched off is never switched on here, and one that they
//! deleted is made again only when staff ask for it, or when the app is installed anew.

mod customize;
mod define;
mod jobs;
mod look;
pub mod routes;
mod stand;
mod store;
mod words;

use loyalty::Program;

use crate::db;
use crate::merchants::ShopError;
use crate::programs;
use crate::shopify::admin::{AdminError, Customizes, DiscountClass};

pub use jobs::{LookDaily, Stand, stand_soon};
pub use look::look;
pub use stand::{Again, stand};

crate::text_enum! {
    /// The things that must stand.
    pub enum Kind {
        /// The program's metafields.
        Program = "program",
        /// The discount that points buy.
        Points = "points",
        /// The discount that gives members' perks.
        Perks = "perks",
        /// The validation that says why points cannot be used.
        Guard = "guard",
        /// The customization that shows members the delivery options that are theirs.
        Delivery = "delivery",
        /// The definition by which an order takes over its cart's mark of a redemption.
        Mark = "mark",
    }
}

crate::text_enum! {
    /// How a thing stands.
    pub enum State {
        /// As it should.
        Ok = "ok",
        /// It is not there.
        Missing = "missing",
        /// The merchant switched it off, or lets it begin later.
        SwitchedOff = "switched_off",
        /// It is there, and not as it should be.
        Differs = "differs",
        /// The Function that it needs is not deployed.
        NotDeployed = "not_deployed",
    }
}

crate::text_enum! {
    /// Why a thing stands as it does.
    pub enum Code {
        /// As it should.
        Ok = "ok",
        /// It was not made yet.
        NotMade = "not_made",
        /// It was made, and the merchant deleted it.
        Deleted = "deleted",
        /// The merchant switched it off.
        SwitchedOff = "switched_off",
        /// The merchant lets it begin later.
        Scheduled = "scheduled",
        /// Something about it was changed.
        Differs = "differs",
        /// The Function that it needs is not deployed.
        NotDeployed = "function_not_deployed",
        /// The shop has as many active discounts of apps, or customizations of its kind, as Shopify allows.
        TooMany = "too_many_discounts",
        /// Another discount has its title.
        TitleTaken = "title_taken",
        /// Only a new version of the app can change it.
        OfTheApp = "of_the_app",
        /// Shopify refuses it for another reason, which the log has.
        Refused = "refused",
    }
}

/// A discount that must stand: who adds one adds it here, and its kind above.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// Which it is. It is noted on the discount, too.
    pub kind: Kind,
    /// The handle of the Function that decides.
    pub handle: &'static str,
    /// What it is called: by it, orders tell which discount was used.
    pub title: fn(&Program) -> &str,
    /// What it may discount, sorted. It may meet every other discount.
    pub classes: &'static [DiscountClass],
    /// Whether a program has any use for it. One that was made stays when there is none any more.
    pub used: fn(&Program) -> bool,
}

/// Every discount that must stand. Both are of one Function, which knows the second by the perks that are noted on it.
pub const WANTED: [Wanted; 2] = [
    Wanted {
        kind: Kind::Points,
        handle: "points-redemption",
        title: |program| program.discount_title.trim(),
        classes: &[DiscountClass::Order, DiscountClass::Product, DiscountClass::Shipping],
        used: |_| true,
    },
    Wanted {
        kind: Kind::Perks,
        handle: "points-redemption",
        title: |program| program.perks_title.trim(),
        classes: &[DiscountClass::Product, DiscountClass::Shipping],
        used: Program::takes_off,
    },
];

/// A customization that must stand: who adds one adds it here, and its kind above.
#[derive(Debug, Clone, Copy)]
pub struct Customized {
    /// Which it is.
    pub kind: Kind,
    /// What it customizes.
    pub of: Customizes,
    /// The handle of the Function that decides.
    pub handle: &'static str,
    /// What it is called when it is made. Only the merchant sees it, and may call it otherwise.
    pub title: &'static str,
    /// Whether a program has any use for it. One that was made stays when there is none any more, and says nothing.
    pub used: fn(&Program) -> bool,
}

/// Every customization that must stand.
pub const CUSTOMIZED: [Customized; 2] = [
    Customized {
        kind: Kind::Guard,
        of: Customizes::Checkout,
        handle: "redemption-guard",
        title: "Loyalty: why points cannot be used",
        used: |program| program.guard,
    },
    Customized {
        kind: Kind::Delivery,
        of: Customizes::Delivery,
        handle: "tier-delivery",
        title: "Loyalty: delivery options of tiers",
        used: Program::changes_options,
    },
];

/// How a thing stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thing {
    /// Which it is.
    pub kind: Kind,
    /// How it stands.
    pub state: State,
    /// Why.
    pub code: Code,
    /// What about it is not as it should be: `title`, `classes`, `combines_with`, `cart_to_order_copyable`, or a metafield's key.
    pub differs: Vec<&'static str>,
    /// What it is called, or should be; none of metafields and their definitions.
    pub title: Option<String>,
    /// Shopify's global id of it.
    pub discount_id: Option<String>,
}

/// Why nothing can be said or done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Someone else is at it for this shop.
    #[error("someone else is at it")]
    Busy,
    /// It took so long that someone else may have begun meanwhile.
    #[error("the lease is over")]
    Lost,
    /// Shopify.
    #[error(transparent)]
    Admin(#[from] AdminError),
    /// The shop's token.
    #[error(transparent)]
    Shop(#[from] ShopError),
    /// The program.
    #[error(transparent)]
    Program(#[from] programs::Error),
    /// The database.
    #[error(transparent)]
    Db(#[from] db::Error),
}
