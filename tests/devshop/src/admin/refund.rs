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

/// What of delivery was given back: as a part of it, and once more as an adjustment without a reason; and by how much the
/// refund differs from what it is worth.
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
                let Refund { shipping, shipping_ids, difference, difference_id, .. } = parent.refund;
                let is_any = |amount: MoneySet| amount != MoneySet::default();
                if self.of != "OrderAdjustmentConnection" {
                    let part = || parent.context.object(ShippingPart(parent));
                    return Ok(ResolvedValue::list(is_any(shipping).then(part)));
                }
                let all = [
                    Adjustment { parent, id: shipping_ids[1], reason: None, amount: shipping },
                    Adjustment {
                        parent,
                        id: difference_id,
                        reason: Some("REFUND_DISCREPANCY"),
                        amount: difference,
                    },
                ];
                let all = all.into_iter().filter(move |one| is_any(one.amount));
                Ok(ResolvedValue::list(all.map(|one| parent.context.object(one))))
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

/// What was given back beside its lines, and why.
struct Adjustment<'o> {
    parent: &'o RefundObject<'o>,
    id: u64,
    reason: Option<&'static str>,
    amount: MoneySet,
}

impl ObjectValue for Adjustment<'_> {
    fn type_name(&self) -> &str {
        "OrderAdjustment"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        Ok(match info.field_name() {
            "id" => ResolvedValue::leaf(gid("OrderAdjustment", self.id)),
            "reason" => self.reason.map_or_else(ResolvedValue::null, ResolvedValue::leaf),
            "amountSet" => self.parent.money(MoneySet::default() - self.amount),
            "taxAmountSet" => self.parent.money(MoneySet::default()),
            _ => return Err(self.unknown_field_error(info)),
        })
    }
}
