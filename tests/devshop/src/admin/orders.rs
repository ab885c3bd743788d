//! `orders`: all of them, or the newer ones, by their numbers.

use apollo_compiler::resolvers::{FieldError, ObjectValue, ResolveInfo, ResolvedValue};

use jiff::SignedDuration;

use super::execute::Context;
use super::order::{OrderObject, Page, PageInfo};
use crate::orders::Order;

/// What an app sees that was not granted `read_all_orders`.
const RECENT: SignedDuration = SignedDuration::from_hours(60 * 24);

/// # Errors
/// When the page is none.
pub(super) fn resolve<'a>(
    context: &'a Context<'a>,
    info: &ResolveInfo<'_>,
) -> Result<ResolvedValue<'a>, FieldError> {
    let shows_all = context.shop.scopes().split(',').any(|scope| scope == "read_all_orders");
    let since = context.shop.clock().now() - RECENT;
    let is_shown = |order: &&Order| shows_all || order.created_at >= since;
    let orders: Vec<Order> = context.shop.state().orders.values().filter(is_shown).cloned().collect();
    let whole = Page { from: 0, to: orders.len(), more: false };
    let page = if context.in_bulk { whole } else { Page::of(info, orders.len())? };
    Ok(context.object(Orders { context, orders, page }))
}

struct Orders<'s> {
    context: &'s Context<'s>,
    orders: Vec<Order>,
    page: Page,
}

impl ObjectValue for Orders<'_> {
    fn type_name(&self) -> &str {
        "OrderConnection"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        let context = self.context;
        let shown = || self.orders[self.page.from..self.page.to].iter().cloned();
        Ok(match info.field_name() {
            "nodes" => {
                ResolvedValue::list(shown().map(|order| context.object(OrderObject { context, order })))
            }
            "edges" => ResolvedValue::list(shown().map(|order| context.object(Edge { context, order }))),
            "pageInfo" => context.object(PageInfo(self.page)),
            _ => return Err(self.unknown_field_error(info)),
        })
    }
}

struct Edge<'s> {
    context: &'s Context<'s>,
    order: Order,
}

impl ObjectValue for Edge<'_> {
    fn type_name(&self) -> &str {
        "OrderEdge"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        match info.field_name() {
            "node" => {
                Ok(self.context.object(OrderObject { context: self.context, order: self.order.clone() }))
            }
            _ => Err(self.unknown_field_error(info)),
        }
    }
}
