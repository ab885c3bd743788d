//! What a checkout comes to: prices, discounts, totals, and what every Function was shown and said.

use apollo_compiler::response::JsonValue;
use serde::Serialize;
use serde_json::Value;

use super::basket::{BasketLine, DeliveryOption};
use crate::cart::Cart;
use crate::discounts::DiscountClass;
use crate::money::{Currency, MoneySet, scale};

/// What a checkout comes to.
#[derive(Debug, Clone, Serialize)]
pub struct Quote {
    /// The cart as it was.
    pub cart: Cart,
    /// The shop's currency; the customer's is the cart's.
    pub shop_currency: Currency,
    /// In the order of the cart.
    pub lines: Vec<QuoteLine>,
    /// The chosen shipping, if anything is shipped.
    pub shipping: Option<QuoteShipping>,
    /// What is taken off; allocations name these by position.
    pub discounts: Vec<AppliedDiscount>,
    /// What keeps the checkout from going on, as validations say.
    pub errors: Vec<String>,
    /// The delivery options as the customer sees them.
    pub delivery_options: Vec<DeliveryOption>,
    /// Tax contained in prices, basis points.
    pub tax_included_bp: u32,
    /// Every Function that was asked, in the order of the discounts.
    pub runs: Vec<FunctionRun>,
}

/// A line with what is taken off it.
#[derive(Debug, Clone, Serialize)]
pub struct QuoteLine {
    /// The line.
    #[serde(flatten)]
    pub line: BasketLine,
    /// What is taken off, each discount once.
    pub allocations: Vec<Allocation>,
}

/// Shipping with what is taken off it.
#[derive(Debug, Clone, Serialize)]
pub struct QuoteShipping {
    /// The chosen option.
    #[serde(flatten)]
    pub option: DeliveryOption,
    /// What is taken off, each discount once.
    pub allocations: Vec<Allocation>,
}

/// A part of a discount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Allocation {
    /// The position of its discount.
    pub discount: usize,
    /// How much, above zero in the customer's currency.
    pub amount: MoneySet,
}

/// A discount that is given.
#[derive(Debug, Clone, Serialize)]
pub struct AppliedDiscount {
    /// The number of its node.
    pub node: u64,
    /// Whether it is a code that was entered.
    pub is_code: bool,
    /// What the customer reads: the candidate's message or the node's title, by the switch.
    pub title: String,
    /// The candidate's message, if it gave one.
    pub message: Option<String>,
    /// What it lowers.
    pub class: DiscountClass,
    /// As the Function put it.
    pub value: DiscountValue,
    /// Off some lines only.
    pub entitled: bool,
    /// Off each unit, not off all together.
    pub each: bool,
    /// All its allocations together.
    pub total: MoneySet,
}

/// How much a discount is, as the Function put it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DiscountValue {
    /// Minor units of the customer's currency.
    Fixed(i64),
    /// Hundredths of a per cent.
    BasisPoints(i64),
}

/// One run of a Function.
#[derive(Debug, Clone, Serialize)]
pub struct FunctionRun {
    /// The number of the discount, or of the customization.
    pub node: u64,
    /// The Function.
    pub function: String,
    /// Which target.
    pub target: String,
    /// What it was shown; null when its query could not be executed.
    pub input: JsonValue,
    /// What it said; null when it failed.
    pub output: Value,
    /// What it took, as the platform counts.
    pub instructions: u64,
    /// Whether that count is exact.
    pub exact: bool,
    /// What it logged.
    pub logs: String,
    /// Why it counts for nothing, or what of it was dropped.
    pub error: Option<String>,
}

impl QuoteLine {
    /// What is taken off.
    pub fn discount(&self) -> MoneySet {
        self.allocations.iter().map(|allocation| allocation.amount).sum()
    }

    /// What is paid.
    pub fn net(&self) -> MoneySet {
        self.line.gross - self.discount()
    }
}

impl QuoteShipping {
    /// What is taken off.
    pub fn discount(&self) -> MoneySet {
        self.allocations.iter().map(|allocation| allocation.amount).sum()
    }

    /// What is paid.
    pub fn net(&self) -> MoneySet {
        self.option.price - self.discount()
    }
}

impl Quote {
    /// Lines less their discounts.
    pub fn subtotal(&self) -> MoneySet {
        self.lines.iter().map(QuoteLine::net).sum()
    }

    /// All discounts, on lines and shipping.
    pub fn total_discounts(&self) -> MoneySet {
        self.discounts.iter().map(|discount| discount.total).sum()
    }

    /// What is paid in all.
    pub fn total(&self) -> MoneySet {
        self.subtotal() + self.shipping.as_ref().map(QuoteShipping::net).unwrap_or_default()
    }

    /// Tax contained in the total.
    pub fn total_tax(&self) -> MoneySet {
        let shipping = self.shipping.iter().map(|shipping| self.tax_in(shipping.net()));
        self.lines.iter().map(|line| self.tax_in(line.net())).chain(shipping).sum()
    }

    /// Tax contained in an amount.
    pub fn tax_in(&self, amount: MoneySet) -> MoneySet {
        tax_in(amount, self.tax_included_bp)
    }
}

/// The tax contained in an amount at a rate in basis points, half up.
pub(crate) fn tax_in(amount: MoneySet, basis_points: u32) -> MoneySet {
    let (part, whole) = (i64::from(basis_points), 10_000 + i64::from(basis_points));
    MoneySet { shop: scale(amount.shop, part, whole), presentment: scale(amount.presentment, part, whole) }
}
