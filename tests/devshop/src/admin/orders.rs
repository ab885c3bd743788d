//! `orders`: all of them, or the newer ones; by their numbers, or by when they changed.

use apollo_compiler::resolvers::{FieldError, ObjectValue, ResolveInfo, ResolvedValue};

use jiff::{SignedDuration, Timestamp};

use super::execute::Context;
use super::objects::text;
use super::order::{OrderObject, Page};
use crate::orders::Order;

/// What an app sees that was not granted `read_all_orders`.
const RECENT: SignedDuration = SignedDuration::from_hours(60 * 24);

/// # Errors
/// When the page is none, or the search is for anything but `updated_at:>='…'`.
pub(super) fn resolve<'a>(
    context: &'a Context<'a>,
    info: &ResolveInfo<'_>,
) -> Result<ResolvedValue<'a>, FieldError> {
    let shows_all = context.shop.scopes().split(',').any(|scope| scope == "read_all_orders");
    let since = context.shop.clock().now() - RECENT;
    let is_shown = |order: &&Order| shows_all || order.created_at >= since;
    let now = context.shop.clock().now();
    let searched = text(info, "query").map(changed_since).transpose()?;
    let lag = SignedDuration::try_from(context.shop.switches().order_search.lag()).unwrap_or_default();
    // Shopify searches in whole seconds, and finds what has changed somewhat later.
    let is_found = |order: &&Order| {
        let is_since = |since: Timestamp| order.updated_at.as_second() >= since.as_second();
        searched.is_none_or(|since| is_since(since) && order.updated_at + lag <= now)
    };
    let by_change = text(info, "sortKey") == Some("UPDATED_AT");
    let state = context.shop.state();
    let found = state.orders.values().filter(is_shown).filter(is_found);
    let mut found: Vec<(Place, Order)> =
        found.map(|order| (Place::of(order, by_change), order.clone())).collect();
    drop(state);
    found.sort_by_key(|(place, _)| *place);
    if context.in_bulk {
        let (orders, more) = (found, false);
        return Ok(context.object(Orders { context, orders, more }));
    }
    if let Some(after) = text(info, "after") {
        let after = Place::read(after).ok_or_else(|| FieldError { message: "Invalid cursor".into() })?;
        found.retain(|(place, _)| *place > after);
    }
    let Page { to, more, .. } = Page::first(info, found.len())?;
    found.truncate(to);
    Ok(context.object(Orders { context, orders: found, more }))
}

/// Where an order stands in a list, whatever comes and goes meanwhile: by when it changed, or not, and by its number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place(i64, u64);

impl Place {
    fn of(order: &Order, by_change: bool) -> Place {
        Place(if by_change { order.updated_at.as_second() } else { 0 }, order.id)
    }

    fn read(cursor: &str) -> Option<Place> {
        let (second, number) = cursor.split_once(' ')?;
        Some(Place(second.parse().ok()?, number.parse().ok()?))
    }

    fn cursor(self) -> String {
        format!("{} {}", self.0, self.1)
    }
}

/// From when on what a search looks for has changed.
fn changed_since(query: &str) -> Result<Timestamp, FieldError> {
    let time = query.strip_prefix("updated_at:>='").and_then(|rest| rest.strip_suffix('\''));
    let unknown = || FieldError { message: format!("the local shop does not search for {query}") };
    time.and_then(|time| time.parse().ok()).ok_or_else(unknown)
}

struct Orders<'s> {
    context: &'s Context<'s>,
    orders: Vec<(Place, Order)>,
    more: bool,
}

impl ObjectValue for Orders<'_> {
    fn type_name(&self) -> &str {
        "OrderConnection"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        let context = self.context;
        let shown = || self.orders.iter().map(|(_, order)| order.clone());
        Ok(match info.field_name() {
            "nodes" => {
                ResolvedValue::list(shown().map(|order| context.object(OrderObject { context, order })))
            }
            "edges" => ResolvedValue::list(shown().map(|order| context.object(Edge { context, order }))),
            "pageInfo" => context
                .object(Turn { more: self.more, end: self.orders.last().map(|(place, _)| place.cursor()) }),
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

/// How a list goes on.
struct Turn {
    more: bool,
    end: Option<String>,
}

impl ObjectValue for Turn {
    fn type_name(&self) -> &str {
        "PageInfo"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        Ok(match info.field_name() {
            "hasNextPage" => ResolvedValue::leaf(self.more),
            "endCursor" => self.end.clone().map_or_else(ResolvedValue::null, ResolvedValue::leaf),
            _ => return Err(self.unknown_field_error(info)),
        })
    }
}
