//! A refund, as the Admin API returns it.

use apollo_compiler::resolvers::{FieldError, ObjectValue, ResolveInfo, ResolvedValue};

use super::execute::Context;
use super::order::{MoneyBag, Page, PageInfo};
use crate::ids::{gid, parse_gid};
use crate::money::{Currency, MoneySet};
use crate::orders::{Refund, RefundedLine};

/// A refund of an order that was paid in this currency.
pub(super) struct RefundObject<'s> {
    pub context: &'s Context<'s>,
    pub currency: Currency,
    pub refund: Refund,
}

/// `refund(id:)`: null where there is none.
pub(super) fn resolve<'a>(context: &'a Context<'a>, id: &str) -> ResolvedValue<'a> {
    let number = parse_gid(id).filter(|(kind, _)| *kind == "Refund").map(|(_, number)| number);
    let state = context.shop.state();
    let mut all = state
        .orders
        .values()
        .flat_map(|order| order.refunds.iter().map(|refund| (order.presentment_currency, refund.clone())));
    let found = all.find(|(_, refund)| Some(refund.id) == number);
    drop(state);
    found.map_or_else(ResolvedValue::null, |(currency, refund)| {
        context.object(RefundObject { context, currency, refund })
    })
}

impl RefundObject<'_> {
    fn money<'a>(&'a self, set: MoneySet) -> ResolvedValue<'a> {
        let shop = (self.context.shop.facts().settings.currency, set.shop);
        self.context.object(MoneyBag {
            context: self.context,
            shop,
            presentment: (self.currency, set.presentment),
        })
    }
}

impl ObjectValue for RefundObject<'_> {
    fn type_name(&self) -> &str {
        "Refund"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        Ok(match info.field_name() {
            "id" => ResolvedValue::leaf(gid("Refund", self.refund.id)),
            "refundLineItems" => {
                let page = Page::of(info, self.refund.lines.len())?;
                self.context.object(Lines { parent: self, page })
            }
            "refundShippingLines" => {
                self.context.object(Parts { parent: self, of: "RefundShippingLineConnection" })
            }
            "orderAdjustments" => {
                self.context.object(Parts { parent: self, of: "OrderAdjustmentConnection" })
            }
            _ => return Err(self.unknown_field_error(info)),
        })
    }
}

struct Lines<'o> {
    parent: &'o RefundObject<'o>,
    page: Page,
}

impl ObjectValue for Lines<'_> {
    fn type_name(&self) -> &str {
        "RefundLineItemConnection"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        let (parent, page) = (self.parent, self.page);
        Ok(match info.field_name() {
            "nodes" => ResolvedValue::list(
                parent.refund.lines[page.from..page.to]
                    .iter()
                    .map(|line| parent.context.object(Line { parent, line })),
            ),
            "pageInfo" => parent.context.object(PageInfo(page)),
            _ => return Err(self.unknown_field_error(info)),
        })
    }
}

struct Line<'o> {
    parent: &'o RefundObject<'o>,
    line: &'o RefundedLine,
}

impl ObjectValue for Line<'_> {
    fn type_name(&self) -> &str {
        "RefundLineItem"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        Ok(match info.field_name() {
            "lineItem" => self.parent.context.object(LineItem(self.line.line)),
            "quantity" => ResolvedValue::leaf(self.line.quantity),
            "subtotalSet" => self.parent.money(self.line.subtotal),
            _ => return Err(self.unknown_field_error(info)),
        })
    }
}

/// A line of the order, by its number: that is all a refund is asked for.
struct LineItem(u64);

impl ObjectValue for LineItem {
    fn type_name(&self) -> &str {
        "LineItem"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        match info.field_name() {
            "id" => Ok(ResolvedValue::leaf(gid("LineItem", self.0))),
            _ => Err(self.unknown_field_error(info)),
        }
    }
}

/// What of delivery was given back: as a part of it, and once more as an adjustment without a reason.
struct Parts<'o> {
    parent: &'o RefundObject<'o>,
    of: &'static str,
}

impl ObjectValue for Parts<'_> {
    fn type_name(&self) -> &str {
        self.of
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        let parent = self.parent;
        match info.field_name() {
            "nodes" => {
                let is_any = parent.refund.shipping != MoneySet::default();
                let part = || match self.of {
                    "OrderAdjustmentConnection" => parent.context.object(Adjustment(parent)),
                    _ => parent.context.object(ShippingPart(parent)),
                };
                Ok(ResolvedValue::list(is_any.then(part)))
            }
            _ => Err(self.unknown_field_error(info)),
        }
    }
}

struct ShippingPart<'o>(&'o RefundObject<'o>);

impl ObjectValue for ShippingPart<'_> {
    fn type_name(&self) -> &str {
        "RefundShippingLine"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        let refund = &self.0.refund;
        Ok(match info.field_name() {
            "id" => ResolvedValue::leaf(gid("RefundShippingLine", refund.shipping_ids[0])),
            "subtotalAmountSet" => self.0.money(refund.shipping),
            _ => return Err(self.unknown_field_error(info)),
        })
    }
}

struct Adjustment<'o>(&'o RefundObject<'o>);

impl ObjectValue for Adjustment<'_> {
    fn type_name(&self) -> &str {
        "OrderAdjustment"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        let refund = &self.0.refund;
        Ok(match info.field_name() {
            "id" => ResolvedValue::leaf(gid("OrderAdjustment", refund.shipping_ids[1])),
            "reason" => ResolvedValue::null(),
            "amountSet" => self.0.money(MoneySet::default() - refund.shipping),
            "taxAmountSet" => self.0.money(MoneySet::default()),
            _ => return Err(self.unknown_field_error(info)),
        })
    }
}
