//! Exports of other programmes: which of their headers is which of our columns.
//!
//! Documented by their makers, and read there in November 2026: Smile's `email` and `points` (the file that its import
//! takes) and the names of its customers' fields (`points_balance`, `date_of_birth`, whose year 1004 means that none is
//! known, `referral_url`); Yotpo's `Email`, `Points Balance` and `Birthday (MM/DD) or (MM/DD/YYYY)`; Rivo's
//! `Email,Points Balance,Birthdate,VIP Tier`, and `Customer ID` or `Shopify Customer ID` in its logs of points; of
//! LoyaltyLion the names of its customers' fields (`merchant_id`, `email`, `points_approved`, `birthday`): which headers its
//! exports have is chosen by whoever makes one. The other names here are likely and not verified. A header that is none of
//! them is given with `--column`.

use super::columns::Field;
use super::dates::Order;

/// Whose export a file is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Template {
    /// Our own columns.
    #[default]
    Own,
    /// Smile.io.
    Smile,
    /// LoyaltyLion.
    Loyaltylion,
    /// Yotpo Loyalty & Referrals, formerly Swell.
    Yotpo,
    /// Rivo.
    Rivo,
}

impl Template {
    /// The headers that a column has there, besides our own name of it.
    pub(super) fn headers(self, field: Field) -> &'static [&'static str] {
        match (self, field) {
            (Template::Smile, Field::Points) => &["points_balance"],
            (Template::Smile, Field::Tier) => &["vip_tier", "vip_tier_name"],
            (Template::Smile, Field::Birthday) => &["date_of_birth", "birthdate"],
            (Template::Loyaltylion, Field::Customer) => &["merchant_id", "shopify_id", "shopify_customer_id"],
            (Template::Loyaltylion, Field::Email) => &["customer_email", "email_address"],
            (Template::Loyaltylion, Field::Points) => {
                &["points_approved", "approved_points", "points_balance"]
            }
            (Template::Loyaltylion, Field::Tier) => &["loyalty_tier", "tier_name", "current_tier"],
            (Template::Loyaltylion, Field::Birthday) => &["birth_date", "date_of_birth"],
            (Template::Yotpo, Field::Email) => &["email_address"],
            (Template::Yotpo, Field::Points) => &["points_balance", "current_points_balance"],
            (Template::Yotpo, Field::Tier) => &["vip_tier", "vip_tier_name"],
            (Template::Yotpo, Field::Birthday) => {
                &["birthday (MM/DD) or (MM/DD/YYYY)", "birthday (MM/DD/YYYY)"]
            }
            (Template::Rivo, Field::Customer) => &["shopify_customer_id"],
            (Template::Rivo, Field::Email) => &["customer_email", "shopify_customer_email"],
            (Template::Rivo, Field::Points) => &["points_balance"],
            (Template::Rivo, Field::Tier) => &["vip_tier"],
            (Template::Rivo, Field::Birthday) => &["birthdate"],
            _ => &[],
        }
    }

    /// What comes first in its dates with slashes, where that is documented.
    pub(super) fn dates(self) -> Option<Order> {
        (self == Template::Yotpo).then_some(Order::Mdy)
    }
}
