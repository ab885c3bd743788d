//! An order as it is now: read again where a webhook says only that it changed.

use graphql_client::GraphQLQuery;
use serde::{Deserialize, Serialize};

use super::operations::text;
use super::queries::{self, order_now};
use super::{Admin, AdminError, RefundNow};
use crate::ids::OrderId;

/// The pages of an answer must end somewhere: more lines (of 50 each) than Shopify lets an order have.
const MOST_PAGES: usize = 40;

/// An order as the Admin API tells it. Amounts are decimal texts, ids global.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderNow {
    /// Placed while testing payments.
    pub test: bool,
    /// When Shopify was told of it (RFC 3339).
    pub created_at: String,
    /// When it was placed, elsewhere perhaps (RFC 3339).
    pub processed_at: String,
    /// When anything about it last changed (RFC 3339).
    pub updated_at: String,
    /// When it was cancelled (RFC 3339).
    pub cancelled_at: Option<String>,
    /// `PAID`, `VOIDED`, …
    pub financial_status: Option<String>,
    /// `FULFILLED`, …
    #[serde(default)]
    pub fulfillment_status: String,
    /// Whether prices have the tax in them.
    #[serde(default)]
    pub taxes_included: bool,
    /// The shop's currency, ISO 4217.
    pub currency: String,
    /// What it was paid in, ISO 4217.
    pub presentment_currency: String,
    /// Where it was placed: `web`, `pos`, …
    pub source: Option<String>,
    /// What was given on top, in the shop's currency.
    pub tips: Option<Amount>,
    /// What is still to be paid, below zero what is to be paid back, in the shop's currency.
    pub outstanding: Option<Amount>,
    /// Who placed it.
    pub customer: Option<String>,
    /// The state of their account: `ENABLED`, `DISABLED`, …
    #[serde(default)]
    pub customer_state: Option<String>,
    /// What the cart carried: names and values.
    pub attributes: Vec<(String, String)>,
    /// Its metafield `redemption`.
    pub redemption: Option<String>,
    /// What was bought.
    pub lines: Vec<OrderLine>,
    /// What delivery costs, part by part.
    pub delivery: Vec<Delivery>,
    /// The global ids of its refunds.
    pub refund_ids: Vec<String>,
    /// What came back of it, where that was read, too.
    pub refunds: Vec<RefundNow>,
}

/// A line of an order. Quantity, price and discounts are of all units, whatever became of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderLine {
    /// Its global id.
    pub id: String,
    /// Units bought.
    pub quantity: i64,
    /// Units that were neither returned nor taken off.
    pub current: i64,
    /// Whether it is a gift card.
    pub gift_card: bool,
    /// The global id of the product, where there is one.
    #[serde(default)]
    pub product: Option<String>,
    /// What a unit costs, in the shop's currency.
    pub price: Amount,
    /// Its taxes, in the shop's currency.
    #[serde(default)]
    pub taxes: Vec<Amount>,
    /// What was taken off.
    pub discounts: Vec<Allocated>,
}

/// A part of what delivery costs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// In the shop's currency.
    pub price: Amount,
    /// Its taxes, in the shop's currency.
    #[serde(default)]
    pub taxes: Vec<Amount>,
    /// What was taken off.
    pub discounts: Vec<Allocated>,
}

/// What a discount took off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allocated {
    /// The title of an automatic discount; none of any other.
    pub title: Option<String>,
    /// In the shop's currency.
    pub shop: Amount,
    /// In the currency that the order was paid in.
    pub presentment: Amount,
}

/// An amount of money as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amount {
    /// A decimal number.
    pub amount: String,
    /// ISO 4217.
    pub currency: String,
}

impl Admin {
    /// The order with all its lines, page by page; none if Shopify has no such order.
    ///
    /// # Errors
    /// See [`AdminError`].
    pub async fn order_now(&self, order: OrderId) -> Result<Option<OrderNow>, AdminError> {
        let (mut found, mut after): (Option<OrderNow>, _) = (None, None);
        for _ in 0..MOST_PAGES {
            let variables = order_now::Variables { id: order.gid(), after };
            let data: order_now::ResponseData = self.call(&queries::OrderNow::build_query(variables)).await?;
            let Some(page) = data.order else { return Ok(None) };
            let (lines, info) = (page.line_items.nodes, page.line_items.page_info);
            let order = found.get_or_insert_with(|| OrderNow {
                test: page.test,
                created_at: page.created_at,
                processed_at: page.processed_at,
                updated_at: page.updated_at,
                cancelled_at: page.cancelled_at,
                financial_status: page.display_financial_status.as_ref().map(text),
                fulfillment_status: text(&page.display_fulfillment_status),
                taxes_included: page.taxes_included,
                currency: text(&page.currency_code),
                presentment_currency: text(&page.presentment_currency_code),
                source: page.source_name,
                outstanding: Some(amount(page.total_outstanding_set)),
                tips: Some(amount(page.total_tip_received_set)),
                customer_state: page.customer.as_ref().map(|customer| text(&customer.state)),
                customer: page.customer.map(|customer| customer.id),
                attributes: page
                    .custom_attributes
                    .into_iter()
                    .map(|attribute| (attribute.key, attribute.value.unwrap_or_default()))
                    .collect(),
                redemption: page.metafield.map(|metafield| metafield.value),
                lines: Vec::new(),
                delivery: page.shipping_lines.nodes.into_iter().map(delivery).collect(),
                refund_ids: page.refunds.into_iter().map(|refund| refund.id).collect(),
                refunds: Vec::new(),
            });
            order.lines.extend(lines.into_iter().map(line));
            after = info.end_cursor.filter(|_| info.has_next_page);
            if after.is_none() {
                return Ok(found);
            }
        }
        Err(AdminError::Malformed("an order's lines have no end".into()))
    }
}

fn line(line: order_now::OrderNowOrderLineItemsNodes) -> OrderLine {
    OrderLine {
        id: line.id,
        quantity: line.quantity,
        current: line.current_quantity,
        gift_card: line.is_gift_card,
        product: line.product.map(|product| product.id),
        price: amount(line.original_unit_price_set),
        taxes: line.tax_lines.into_iter().map(|tax| amount(tax.price_set)).collect(),
        discounts: line.discount_allocations.into_iter().map(allocated).collect(),
    }
}

fn delivery(line: order_now::OrderNowOrderShippingLinesNodes) -> Delivery {
    Delivery {
        price: amount(line.original_price_set),
        taxes: line.tax_lines.into_iter().map(|tax| amount(tax.price_set)).collect(),
        discounts: line.discount_allocations.into_iter().map(allocated).collect(),
    }
}

fn amount(set: order_now::InShopMoney) -> Amount {
    Amount { amount: set.shop_money.amount, currency: text(&set.shop_money.currency_code) }
}

fn allocated(allocation: order_now::Allocated) -> Allocated {
    use order_now::AllocatedDiscountApplicationOn as Application;
    let (shop, presentment) =
        (allocation.allocated_amount_set.shop_money, allocation.allocated_amount_set.presentment_money);
    Allocated {
        title: match allocation.discount_application.on {
            Application::AutomaticDiscountApplication(automatic) => Some(automatic.title),
            _ => None,
        },
        shop: Amount { amount: shop.amount, currency: text(&shop.currency_code) },
        presentment: Amount { amount: presentment.amount, currency: text(&presentment.currency_code) },
    }
}
