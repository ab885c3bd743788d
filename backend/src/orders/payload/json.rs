//! The members of these payloads that are read.

use std::str::FromStr;

use loyalty::Currency;
use loyalty::earning::Returned;
use loyalty::line::{LineKind, LineNow};
use loyalty::money::MoneyError;
use loyalty::order::{Facts, Payment, Used, UsedLine};
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

use super::Error;
use crate::db::Timestamp;
use crate::orders::Discount;
use crate::orders::lines::{self, Told};

#[derive(Deserialize)]
pub(super) struct OrderJson {
    pub id: i64,
    #[serde(default)]
    pub test: bool,
    pub customer: Option<CustomerJson>,
    pub created_at: Timestamp,
    /// When it was placed, elsewhere perhaps; an order that was imported was so long before it was created.
    processed_at: Option<Timestamp>,
    pub updated_at: Timestamp,
    cancelled_at: Option<Timestamp>,
    source_name: Option<String>,
    financial_status: Option<String>,
    /// What is still to be paid; below zero what is to be paid back.
    total_outstanding: Option<serde_json::Value>,
    fulfillment_status: Option<String>,
    #[serde(default)]
    taxes_included: bool,
    pub currency: String,
    pub presentment_currency: Option<String>,
    #[serde(default)]
    note_attributes: Vec<Attribute>,
    #[serde(default)]
    discount_applications: Vec<Application>,
    line_items: Vec<LineJson>,
    #[serde(default)]
    shipping_lines: Vec<ShippingJson>,
    #[serde(default)]
    pub refunds: Vec<RefundJson>,
}

#[derive(Deserialize)]
pub(super) struct EditJson {
    pub order_edit: OrderEdit,
}

#[derive(Deserialize)]
pub(super) struct OrderEdit {
    pub order_id: i64,
}

#[derive(Deserialize)]
pub(super) struct NamedJson {
    pub id: i64,
}

#[derive(Deserialize)]
pub(super) struct CustomerJson {
    pub id: i64,
    pub state: Option<String>,
}

#[derive(Deserialize)]
struct Attribute {
    name: String,
    // A theme may write anything here.
    value: serde_json::Value,
}

#[derive(Deserialize)]
struct Application {
    title: Option<String>,
}

#[derive(Deserialize)]
struct LineJson {
    id: i64,
    quantity: i64,
    /// Without what came back and what an edit took off.
    current_quantity: Option<i64>,
    price_set: MoneySet,
    product_id: Option<i64>,
    #[serde(default)]
    gift_card: bool,
    /// Only tips have it, and it may be null.
    #[serde(default, rename = "tip_payment_gateway", deserialize_with = "is_there")]
    tip: bool,
    #[serde(default)]
    tax_lines: Vec<TaxJson>,
    #[serde(default)]
    discount_allocations: Vec<Allocation>,
}

#[derive(Deserialize)]
struct TaxJson {
    price_set: MoneySet,
}

#[derive(Deserialize)]
struct ShippingJson {
    /// Not all that came before it was asked for have one.
    price_set: Option<MoneySet>,
    /// An edit took it off.
    #[serde(default)]
    is_removed: bool,
    #[serde(default)]
    tax_lines: Vec<TaxJson>,
    #[serde(default)]
    discount_allocations: Vec<Allocation>,
}

#[derive(Deserialize)]
struct Allocation {
    amount_set: MoneySet,
    discount_application_index: usize,
}

#[derive(Deserialize)]
struct MoneySet {
    shop_money: MoneyJson,
    presentment_money: MoneyJson,
}

#[derive(Deserialize)]
struct MoneyJson {
    amount: String,
    currency_code: String,
}

#[derive(Deserialize)]
pub(super) struct RefundJson {
    pub id: i64,
    pub order_id: Option<i64>,
    #[serde(default)]
    refund_line_items: Vec<RefundLine>,
    #[serde(default)]
    refund_shipping_lines: Vec<RefundShipping>,
    #[serde(default)]
    order_adjustments: Vec<Adjustment>,
}

#[derive(Deserialize)]
struct RefundLine {
    line_item_id: i64,
    quantity: i64,
    subtotal_set: MoneySet,
}

#[derive(Deserialize)]
struct RefundShipping {
    subtotal_amount_set: MoneySet,
}

/// By what a refund differs from the price of what came back.
#[derive(Deserialize)]
struct Adjustment {
    kind: Option<String>,
    /// Below zero where more was paid back.
    amount_set: Option<MoneySet>,
    tax_amount_set: Option<MoneySet>,
}

fn is_there<'de, D: Deserializer<'de>>(reader: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(reader).map(|_| true)
}

impl OrderJson {
    /// When it was placed: not after it was created.
    pub fn placed_at(&self) -> Timestamp {
        self.processed_at.map_or(self.created_at, |processed| processed.min(self.created_at))
    }

    /// Where it was placed: Shopify names tills so.
    pub fn at_till(&self) -> bool {
        self.source_name.as_deref() == Some("pos")
    }

    pub fn facts(&self) -> Facts {
        let payment = match self.financial_status.as_deref() {
            // What came back hides that an edit has added to it.
            Some("partially_refunded") if self.is_rest_due() => Payment::Pending,
            Some("paid" | "partially_refunded" | "refunded") => Payment::Paid,
            Some("voided" | "expired") => Payment::Void,
            _ => Payment::Pending,
        };
        let facts = Facts::told(self.updated_at.as_microsecond(), payment, self.cancelled_at.is_some());
        let fulfilled = self.fulfillment_status.as_deref() == Some("fulfilled");
        if fulfilled { facts.and_fulfilled() } else { facts }
    }

    fn is_rest_due(&self) -> bool {
        let outstanding = self.total_outstanding.as_ref().and_then(serde_json::Value::as_str);
        outstanding.is_some_and(lines::is_positive)
    }

    /// What was bought, and delivery, in the shop's currency.
    pub fn lines(&self, currency: Currency) -> Result<Vec<LineNow>, Error> {
        let told = self.line_items.iter().map(|line| line.told(currency)?.line(self.taxes_included));
        let mut told = told.collect::<Result<Vec<LineNow>, Error>>()?;
        let parts = self.delivery().filter_map(|line| Some(line.parts(line.price_set.as_ref()?, currency)));
        told.extend(lines::delivery(parts, self.taxes_included)?);
        Ok(told)
    }

    /// What an edit has not taken off.
    fn delivery(&self) -> impl Iterator<Item = &ShippingJson> {
        self.shipping_lines.iter().filter(|line| !line.is_removed)
    }

    /// What its note attribute of this name says, if that can be read.
    pub fn attribute<T: FromStr>(&self, name: &str) -> Option<T> {
        let attribute = self.note_attributes.iter().find(|attribute| attribute.name == name)?;
        attribute.value.as_str()?.parse().ok()
    }

    /// What each discount took off, in minor units of the currency that the order was paid in.
    pub fn discounts(&self, currency: Currency) -> Result<Vec<Discount>, Error> {
        let mut discounts = Vec::with_capacity(self.discount_applications.len());
        for (index, application) in self.discount_applications.iter().enumerate() {
            let mut used = Used::default();
            for line in &self.line_items {
                let amount = allocated(&line.discount_allocations, index, currency)?;
                if amount > 0 {
                    used.lines.push(UsedLine { line: line.id, quantity: line.quantity, amount });
                }
            }
            for line in self.delivery() {
                let amount = allocated(&line.discount_allocations, index, currency)?;
                used.delivery = lines::add(used.delivery, amount)?;
            }
            discounts.push(Discount { title: application.title.clone().unwrap_or_default(), used });
        }
        Ok(discounts)
    }
}

impl LineJson {
    fn told(&self, currency: Currency) -> Result<Told, Error> {
        let kind = match (self.gift_card, self.tip) {
            (true, _) => LineKind::GiftCard,
            (false, true) => LineKind::Tip,
            (false, false) => LineKind::Item,
        };
        Ok(Told {
            id: self.id,
            quantity: self.quantity,
            current: self.current_quantity.unwrap_or(self.quantity),
            price: self.price_set.shop_money.minor(currency)?,
            discount: taken_off(&self.discount_allocations, currency)?,
            tax: tax(&self.tax_lines, currency)?,
            kind,
            product: self.product_id,
        })
    }
}

impl ShippingJson {
    /// Price, discount and tax.
    fn parts(&self, price: &MoneySet, currency: Currency) -> Result<(i64, i64, i64), Error> {
        let discount = taken_off(&self.discount_allocations, currency)?;
        Ok((price.shop_money.minor(currency)?, discount, tax(&self.tax_lines, currency)?))
    }
}

impl RefundJson {
    /// The shop's currency, which a refund names only with its amounts; none where nothing comes back.
    pub fn currency(&self) -> Result<Option<Currency>, MoneyError> {
        let lines = self.refund_line_items.iter().map(|line| &line.subtotal_set);
        let delivery = self.refund_shipping_lines.iter().map(|part| &part.subtotal_amount_set);
        let mut amounts = lines.chain(delivery).chain(self.differences().flat_map(Adjustment::parts));
        amounts.next().map(|amount| Currency::parse(&amount.shop_money.currency_code)).transpose()
    }

    pub fn returned(&self, currency: Currency) -> Result<Vec<Returned>, Error> {
        let mut returned = Vec::with_capacity(self.refund_line_items.len());
        for line in &self.refund_line_items {
            let subtotal = line.subtotal_set.shop_money.minor(currency)?;
            returned.push(Returned { line: line.line_item_id, quantity: line.quantity, subtotal });
        }
        for delivery in &self.refund_shipping_lines {
            let subtotal = delivery.subtotal_amount_set.shop_money.minor(currency)?;
            // Delivery comes back as money, not as units.
            returned.push(Returned { line: LineNow::DELIVERY, quantity: 0, subtotal });
        }
        for difference in self.differences() {
            let parts = difference.parts().map(|part| part.shop_money.minor(currency));
            let subtotal = -lines::sum(parts)?;
            returned.push(Returned { line: LineNow::WHOLE, quantity: 0, subtotal });
        }
        Ok(returned)
    }

    /// What came back of no line. (Of delivery an adjustment told, too, before it had lines of its own.)
    fn differences(&self) -> impl Iterator<Item = &Adjustment> {
        self.order_adjustments.iter().filter(|one| one.kind.as_deref() == Some("refund_discrepancy"))
    }
}

impl Adjustment {
    /// What it is, and the tax on it.
    fn parts(&self) -> impl Iterator<Item = &MoneySet> {
        self.amount_set.iter().chain(&self.tax_amount_set)
    }
}

impl MoneyJson {
    /// Minor units, where the amount is in this currency.
    fn minor(&self, currency: Currency) -> Result<i64, MoneyError> {
        if Currency::parse(&self.currency_code)? == currency {
            currency.parse_minor(&self.amount)
        } else {
            Err(MoneyError::Mixed)
        }
    }
}

fn allocated(allocations: &[Allocation], index: usize, currency: Currency) -> Result<i64, Error> {
    let ours = allocations.iter().filter(|allocation| allocation.discount_application_index == index);
    lines::sum(ours.map(|allocation| allocation.amount_set.presentment_money.minor(currency)))
}

/// What all discounts took off, in the shop's currency.
fn taken_off(allocations: &[Allocation], currency: Currency) -> Result<i64, Error> {
    lines::sum(allocations.iter().map(|allocation| allocation.amount_set.shop_money.minor(currency)))
}

fn tax(taxes: &[TaxJson], currency: Currency) -> Result<i64, Error> {
    lines::sum(taxes.iter().map(|tax| tax.price_set.shop_money.minor(currency)))
}
