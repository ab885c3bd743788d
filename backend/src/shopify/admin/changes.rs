//! Which orders have changed, and what came back of one: for whoever was not told.

use graphql_client::GraphQLQuery;
use serde::{Deserialize, Serialize};

use super::operations::text;
use super::order::Amount;
use super::queries::{self, order_refund, orders_changed};
use super::{Admin, AdminError, OrderNow};
use crate::db::Timestamp;
use crate::ids::OrderId;

/// The pages of an answer must end somewhere: more lines (of 50 each) than Shopify lets an order have.
const MOST_PAGES: usize = 40;

/// An order that changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderChanged {
    /// Which.
    pub order: OrderId,
    /// Placed while testing payments.
    pub test: bool,
    /// When anything about it last changed (UTC, whole seconds).
    pub updated_at: Timestamp,
}

/// Some of the orders that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrdersChanged {
    /// By when they last did.
    pub orders: Vec<OrderChanged>,
    /// After what the next ones come; none if there are no more.
    pub next: Option<String>,
}

/// A refund as the Admin API tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundNow {
    /// Its global id.
    pub id: String,
    /// Units of lines that came back.
    pub lines: Vec<RefundedLine>,
    /// What of delivery was paid back, in the shop's currency.
    pub delivery: Vec<Amount>,
    /// By what it differs from the price of what came back.
    pub adjustments: Vec<Adjustment>,
}

/// Units of a line that came back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundedLine {
    /// The global id of the order's line.
    pub line: String,
    /// How many.
    pub quantity: i64,
    /// What was paid for them, in the shop's currency.
    pub subtotal: Amount,
}

/// By what a refund differs from the price of what came back: below zero where more was paid back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adjustment {
    /// Such as `REFUND_DISCREPANCY`. None where it only says what the refund says of delivery.
    pub reason: Option<String>,
    /// In the shop's currency.
    pub amount: Amount,
    /// The tax on it.
    pub tax: Amount,
}

impl Admin {
    /// Orders that changed at this time or later, by when they last did, from after a place in their list on. The list may
    /// lag behind.
    ///
    /// # Errors
    /// See [`AdminError`].
    pub async fn orders_changed(
        &self,
        since: Timestamp,
        after: Option<String>,
    ) -> Result<OrdersChanged, AdminError> {
        let variables = orders_changed::Variables { query: format!("updated_at:>='{since}'"), after };
        let data: orders_changed::ResponseData =
            self.call(&queries::OrdersChanged::build_query(variables)).await?;
        let page = data.orders;
        let mut orders = Vec::with_capacity(page.nodes.len());
        for node in page.nodes {
            let unreadable = || AdminError::Malformed("when an order changed is no time".into());
            let updated_at = node.updated_at.parse().map_err(|_| unreadable())?;
            if let Some(order) = number(&node.id) {
                orders.push(OrderChanged { order, test: node.test, updated_at });
            }
        }
        let next = page.page_info.end_cursor.filter(|_| page.page_info.has_next_page);
        Ok(OrdersChanged { orders, next })
    }

    /// The order with all its lines and with what came back of it; none if Shopify has no such order.
    ///
    /// # Errors
    /// See [`AdminError`].
    pub async fn order_and_refunds(&self, order: OrderId) -> Result<Option<OrderNow>, AdminError> {
        let Some(mut order) = self.order_now(order).await? else { return Ok(None) };
        for refund in order.refund_ids.clone() {
            order.refunds.extend(self.order_refund(&refund).await?);
        }
        Ok(Some(order))
    }

    /// A refund with all its lines, page by page; none if Shopify has no such refund.
    ///
    /// # Errors
    /// See [`AdminError`].
    pub async fn order_refund(&self, id: &str) -> Result<Option<RefundNow>, AdminError> {
        let (mut found, mut after): (Option<RefundNow>, _) = (None, None);
        for _ in 0..MOST_PAGES {
            let variables = order_refund::Variables { id: id.to_owned(), after };
            let data: order_refund::ResponseData =
                self.call(&queries::OrderRefund::build_query(variables)).await?;
            let Some(page) = data.refund else { return Ok(None) };
            let (lines, info) = (page.refund_line_items.nodes, page.refund_line_items.page_info);
            let (delivery, adjustments) = (page.refund_shipping_lines.nodes, page.order_adjustments.nodes);
            let refund = found.get_or_insert_with(|| RefundNow {
                id: page.id,
                lines: Vec::new(),
                delivery: delivery.into_iter().map(|part| amount(part.subtotal_amount_set)).collect(),
                adjustments: adjustments.into_iter().map(adjustment).collect(),
            });
            refund.lines.extend(lines.into_iter().map(|line| RefundedLine {
                line: line.line_item.id,
                quantity: line.quantity,
                subtotal: amount(line.subtotal_set),
            }));
            after = info.end_cursor.filter(|_| info.has_next_page);
            if after.is_none() {
                return Ok(found);
            }
        }
        Err(AdminError::Malformed("a refund's lines have no end".into()))
    }
}

fn adjustment(node: order_refund::OrderRefundRefundOrderAdjustmentsNodes) -> Adjustment {
    Adjustment {
        reason: node.reason.as_ref().map(text),
        amount: amount(node.amount_set),
        tax: amount(node.tax_amount_set),
    }
}

fn amount(set: order_refund::InShopMoney) -> Amount {
    Amount { amount: set.shop_money.amount, currency: text(&set.shop_money.currency_code) }
}

fn number(gid: &str) -> Option<OrderId> {
    gid.strip_prefix("gid://shopify/Order/")?.parse().ok().map(OrderId)
}
