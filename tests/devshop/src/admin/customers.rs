//! `customers`: all of them, by their numbers.

use apollo_compiler::resolvers::{FieldError, ObjectValue, ResolveInfo, ResolvedValue};

use super::execute::Context;
use super::objects::CustomerObject;
use super::order::{Page, PageInfo};

/// # Errors
/// When the page is none.
pub(super) fn resolve<'a>(
    context: &'a Context<'a>,
    info: &ResolveInfo<'_>,
) -> Result<ResolvedValue<'a>, FieldError> {
    let mut ids: Vec<u64> = context.shop.state().customers.keys().copied().collect();
    let page = if context.in_bulk {
        let left_out = context.shop.bulk().faults.left_out.clone();
        ids.retain(|id| !left_out.contains(id));
        Page { from: 0, to: ids.len(), more: false }
    } else {
        Page::of(info, ids.len())?
    };
    Ok(context.object(Customers { context, ids, page }))
}

struct Customers<'s> {
    context: &'s Context<'s>,
    ids: Vec<u64>,
    page: Page,
}

impl ObjectValue for Customers<'_> {
    fn type_name(&self) -> &str {
        "CustomerConnection"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        let context = self.context;
        let shown =
            || self.ids[self.page.from..self.page.to].iter().map(|id| CustomerObject { context, id: *id });
        Ok(match info.field_name() {
            "nodes" => ResolvedValue::list(shown().map(|customer| context.object(customer))),
            "edges" => {
                ResolvedValue::list(shown().map(|customer| context.object(Edge { context, id: customer.id })))
            }
            "pageInfo" => context.object(PageInfo(self.page)),
            _ => return Err(self.unknown_field_error(info)),
        })
    }
}

struct Edge<'s> {
    context: &'s Context<'s>,
    id: u64,
}

impl ObjectValue for Edge<'_> {
    fn type_name(&self) -> &str {
        "CustomerEdge"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        match info.field_name() {
            "node" => Ok(self.context.object(CustomerObject { context: self.context, id: self.id })),
            _ => Err(self.unknown_field_error(info)),
        }
    }
}
