//! An order and its lines, as the Admin API returns them.

use apollo_compiler::resolvers::{FieldError, ObjectValue, ResolveInfo, ResolvedValue};
use apollo_compiler::response::JsonValue;

use super::execute::Context;
use super::objects::{CustomerObject, metafield, text, texts};
use super::products::ProductObject;
use super::refund::RefundObject;
use crate::checkout::{Allocation, AppliedDiscount, tax_in};
use crate::clock::utc_text;
use crate::ids::gid;
use crate::money::{Currency, MoneySet};
use crate::orders::{Order, OrderLine};

pub(super) struct OrderObject<'s> {
    pub context: &'s Context<'s>,
    pub order: Order,
}

impl ObjectValue for OrderObject<'_> {
    fn type_name(&self) -> &str {
        "Order"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        let order = &self.order;
        Ok(match info.field_name() {
            "id" => ResolvedValue::leaf(order.gid()),
            "name" => ResolvedValue::leaf(order.name()),
            "test" => ResolvedValue::leaf(order.test),
            "tags" => texts(order.tags.clone()),
            "createdAt" | "processedAt" => ResolvedValue::leaf(utc_text(order.created_at)),
            "updatedAt" => ResolvedValue::leaf(utc_text(order.updated_at)),
            "cancelledAt" => {
                ResolvedValue::leaf(order.cancelled_at.map_or(JsonValue::Null, |at| utc_text(at).into()))
            }
            "displayFinancialStatus" => ResolvedValue::leaf(order.financial_status().to_uppercase()),
            "displayFulfillmentStatus" => ResolvedValue::leaf(match order.fulfilled_at {
                Some(_) => "FULFILLED",
                None => "UNFULFILLED",
            }),
            "taxesIncluded" => ResolvedValue::leaf(order.tax_included_bp > 0),
            "currencyCode" => ResolvedValue::leaf(self.context.shop.facts().settings.currency.code()),
            "presentmentCurrencyCode" => ResolvedValue::leaf(order.presentment_currency.code()),
            "customer" => self.customer(),
            "customAttributes" => ResolvedValue::list(
                order
                    .note_attributes
                    .iter()
                    .map(|attribute| self.context.object(AttributeObject(&attribute.name, &attribute.value))),
            ),
            "subtotalLineItemsQuantity" => {
                ResolvedValue::leaf(order.goods().map(|line| line.item.quantity).sum::<u32>())
            }
            "currentSubtotalLineItemsQuantity" => {
                ResolvedValue::leaf(order.goods().map(OrderLine::current_quantity).sum::<u32>())
            }
            "currentSubtotalPriceSet" => self.money(order.goods().map(OrderLine::kept).sum()),
            "currentShippingPriceSet" => self.money(order.shipping_now()),
            "totalOutstandingSet" => self.money(order.outstanding()),
            "totalTipReceivedSet" => self.money(order.tips()),
            "metafield" => metafield(self.context, &order.gid(), info),
            "sourceName" => ResolvedValue::leaf(order.source_name),
            "refunds" => ResolvedValue::list(order.refunds.iter().map(|refund| {
                let (context, currency) = (self.context, order.presentment_currency);
                context.object(RefundObject { context, currency, refund: refund.clone() })
            })),
            "lineItems" => {
                self.context.object(Lines { parent: self, page: Page::of(info, order.lines.len())? })
            }
            "shippingLines" => self.context.object(ShippingLines(self)),
            _ => return Err(self.unknown_field_error(info)),
        })
    }
}

impl<'s> OrderObject<'s> {
    fn money<'a>(&'a self, set: MoneySet) -> ResolvedValue<'a> {
        let shop = (self.context.shop.facts().settings.currency, set.shop);
        let presentment = (self.order.presentment_currency, set.presentment);
        self.context.object(MoneyBag { context: self.context, shop, presentment })
    }

    /// None where there was none, or is none any more.
    fn customer(&self) -> ResolvedValue<'_> {
        let is_there = |id: &u64| self.context.shop.customer(*id).is_some();
        match self.order.customer.as_ref().map(|customer| customer.id).filter(is_there) {
            Some(id) => self.context.object(CustomerObject { context: self.context, id }),
            None => ResolvedValue::null(),
        }
    }

    /// None where it was deleted.
    fn product<'a>(&'a self, id: u64) -> ResolvedValue<'a> {
        let found = self.context.shop.products().into_iter().find(|product| product.id == id);
        found.map_or_else(ResolvedValue::null, |product| {
            self.context.object(ProductObject { context: self.context, product })
        })
    }

    fn taxes<'a>(&'a self, net: MoneySet) -> ResolvedValue<'a> {
        let points = self.order.tax_included_bp;
        let taxed = (points > 0).then(|| TaxLine { parent: self, tax: tax_in(net, points) });
        ResolvedValue::list(taxed.into_iter().map(|tax| self.context.object(tax)))
    }

    fn allocations<'a>(&'a self, allocations: &'a [Allocation]) -> ResolvedValue<'a> {
        let one = |allocation| self.context.object(AllocationObject { parent: self, allocation });
        ResolvedValue::list(allocations.iter().map(one))
    }
}

struct AttributeObject<'a>(&'a str, &'a str);

impl ObjectValue for AttributeObject<'_> {
    fn type_name(&self) -> &str {
        "Attribute"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        Ok(match info.field_name() {
            "key" => ResolvedValue::leaf(self.0),
            "value" => ResolvedValue::leaf(self.1),
            _ => return Err(self.unknown_field_error(info)),
        })
    }
}

/// Which part of a list a connection shows; a cursor is the place after the last one shown.
#[derive(Clone, Copy)]
pub(super) struct Page {
    pub from: usize,
    pub to: usize,
    pub more: bool,
}

impl Page {
    /// # Errors
    /// When no number is asked for, or what is to come before it is none of the list.
    pub fn of(info: &ResolveInfo<'_>, length: usize) -> Result<Page, FieldError> {
        let invalid = |what: &str| FieldError { message: format!("Invalid {what}") };
        let from = match text(info, "after") {
            Some(cursor) => cursor.parse().map_err(|_| invalid("cursor"))?,
            None => 0,
        };
        Page::after(from, info, length)
    }

    /// The first page.
    ///
    /// # Errors
    /// When no number is asked for.
    pub fn first(info: &ResolveInfo<'_>, length: usize) -> Result<Page, FieldError> {
        Page::after(0, info, length)
    }

    fn after(from: usize, info: &ResolveInfo<'_>, length: usize) -> Result<Page, FieldError> {
        let first = info.arguments().get("first").and_then(JsonValue::as_u64);
        let first = first.ok_or_else(|| FieldError { message: "Invalid first".into() })?;
        let to = length.min(from.saturating_add(usize::try_from(first).unwrap_or(usize::MAX).min(250)));
        Ok(Page { from: from.min(to), to, more: to < length })
    }
}

struct Lines<'o, 's> {
    parent: &'o OrderObject<'s>,
    page: Page,
}

impl ObjectValue for Lines<'_, '_> {
    fn type_name(&self) -> &str {
        "LineItemConnection"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        let parent = self.parent;
        Ok(match info.field_name() {
            "nodes" => {
                let lines = &parent.order.lines[self.page.from..self.page.to];
                ResolvedValue::list(
                    lines.iter().map(|line| parent.context.object(LineObject { parent, line })),
                )
            }
            "pageInfo" => parent.context.object(PageInfo(self.page)),
            _ => return Err(self.unknown_field_error(info)),
        })
    }
}

pub(super) struct PageInfo(pub Page);

impl ObjectValue for PageInfo {
    fn type_name(&self) -> &str {
        "PageInfo"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        Ok(match info.field_name() {
            "hasNextPage" => ResolvedValue::leaf(self.0.more),
            "endCursor" => ResolvedValue::leaf(self.0.to.to_string()),
            _ => return Err(self.unknown_field_error(info)),
        })
    }
}

struct LineObject<'o, 's> {
    parent: &'o OrderObject<'s>,
    line: &'o OrderLine,
}

impl ObjectValue for LineObject<'_, '_> {
    fn type_name(&self) -> &str {
        "LineItem"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        let line = self.line;
        Ok(match info.field_name() {
            "id" => ResolvedValue::leaf(gid("LineItem", line.id)),
            "quantity" => ResolvedValue::leaf(line.item.quantity),
            "currentQuantity" => ResolvedValue::leaf(line.current_quantity()),
            "isGiftCard" => ResolvedValue::leaf(line.item.gift_card),
            "product" => self.parent.product(line.item.product),
            "taxLines" => self.parent.taxes(line.net()),
            "originalUnitPriceSet" => self.parent.money(line.item.unit),
            "discountAllocations" => self.parent.allocations(&line.allocations),
            _ => return Err(self.unknown_field_error(info)),
        })
    }
}

struct ShippingLines<'o, 's>(&'o OrderObject<'s>);

impl ObjectValue for ShippingLines<'_, '_> {
    fn type_name(&self) -> &str {
        "ShippingLineConnection"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        match info.field_name() {
            "nodes" => {
                let lines = self.0.order.shipping.iter();
                Ok(ResolvedValue::list(lines.map(|_| self.0.context.object(ShippingLine(self.0)))))
            }
            _ => Err(self.unknown_field_error(info)),
        }
    }
}

struct ShippingLine<'o, 's>(&'o OrderObject<'s>);

impl ObjectValue for ShippingLine<'_, '_> {
    fn type_name(&self) -> &str {
        "ShippingLine"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        match (info.field_name(), &self.0.order.shipping) {
            ("originalPriceSet", Some(shipping)) => Ok(self.0.money(shipping.quote.option.price)),
            ("discountAllocations", Some(shipping)) => Ok(self.0.allocations(&shipping.quote.allocations)),
            ("taxLines", Some(shipping)) => Ok(self.0.taxes(shipping.quote.net())),
            _ => Err(self.unknown_field_error(info)),
        }
    }
}

struct TaxLine<'o, 's> {
    parent: &'o OrderObject<'s>,
    tax: MoneySet,
}

impl ObjectValue for TaxLine<'_, '_> {
    fn type_name(&self) -> &str {
        "TaxLine"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        match info.field_name() {
            "priceSet" => Ok(self.parent.money(self.tax)),
            _ => Err(self.unknown_field_error(info)),
        }
    }
}

struct AllocationObject<'o, 's> {
    parent: &'o OrderObject<'s>,
    allocation: &'o Allocation,
}

impl ObjectValue for AllocationObject<'_, '_> {
    fn type_name(&self) -> &str {
        "DiscountAllocation"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        Ok(match info.field_name() {
            "allocatedAmountSet" => self.parent.money(self.allocation.amount),
            "discountApplication" => {
                let index = self.allocation.discount;
                let Some(discount) = self.parent.order.discounts.get(index) else {
                    return Err(FieldError { message: "an allocation without its discount".into() });
                };
                self.parent.context.object(Application { index, discount })
            }
            _ => return Err(self.unknown_field_error(info)),
        })
    }
}

struct Application<'o> {
    index: usize,
    discount: &'o AppliedDiscount,
}

impl ObjectValue for Application<'_> {
    fn type_name(&self) -> &str {
        "AutomaticDiscountApplication"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        Ok(match info.field_name() {
            "index" => ResolvedValue::leaf(u32::try_from(self.index).unwrap_or(u32::MAX)),
            "title" => ResolvedValue::leaf(self.discount.title.as_str()),
            _ => return Err(self.unknown_field_error(info)),
        })
    }
}

pub(super) struct MoneyBag<'s> {
    pub context: &'s Context<'s>,
    pub shop: (Currency, i64),
    pub presentment: (Currency, i64),
}

impl ObjectValue for MoneyBag<'_> {
    fn type_name(&self) -> &str {
        "MoneyBag"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        let (currency, minor) = match info.field_name() {
            "shopMoney" => self.shop,
            "presentmentMoney" => self.presentment,
            _ => return Err(self.unknown_field_error(info)),
        };
        Ok(self.context.object(Money { currency, minor }))
    }
}

pub(super) struct Money {
    pub currency: Currency,
    pub minor: i64,
}

impl ObjectValue for Money {
    fn type_name(&self) -> &str {
        "MoneyV2"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        Ok(match info.field_name() {
            "amount" => ResolvedValue::leaf(self.currency.text(self.minor)),
            "currencyCode" => ResolvedValue::leaf(self.currency.code()),
            _ => return Err(self.unknown_field_error(info)),
        })
    }
}
