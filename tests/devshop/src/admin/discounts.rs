//! Discounts as the Admin API tells of them, and the Functions that decide them.

use apollo_compiler::resolvers::{FieldError, ObjectValue, ResolveInfo, ResolvedValue};
use apollo_compiler::response::JsonValue;
use jiff::Timestamp;

use super::execute::Context;
use super::objects::{UserError, metafield, text, user_errors};
use super::order::{Page, PageInfo};
use crate::clock::utc_text;
use crate::discounts::{CombinesWith, DiscountClass, DiscountNode};

/// What can be said of which discounts are asked for: all that there are here are automatic and an app's.
const FILTERS: [&str; 3] = ["AND", "method:automatic", "type:app"];

/// `discountNode`: the discount with this id, if there is one.
pub(super) fn node<'a>(context: &'a Context<'a>, id: &str) -> ResolvedValue<'a> {
    let found = context.shop.state().discounts.iter().find(|node| node.gid() == id).cloned();
    found.map_or_else(ResolvedValue::null, |node| context.object(Node { context, node }))
}

/// `discountNodes`
///
/// # Errors
/// When others are asked for than this shop has.
pub(super) fn nodes<'a>(
    context: &'a Context<'a>,
    info: &ResolveInfo<'_>,
) -> Result<ResolvedValue<'a>, FieldError> {
    let query = text(info, "query").unwrap_or_default();
    if let Some(term) = query.split_whitespace().find(|term| !FILTERS.contains(term)) {
        return Err(FieldError { message: format!("The local shop knows no filter {term}") });
    }
    let mut state = context.shop.state();
    let mut discounts = state.discounts.clone();
    if state.lagging_lists > 0 {
        state.lagging_lists -= 1;
        discounts.pop();
    }
    drop(state);
    let page = Page::of(info, discounts.len())?;
    Ok(context.object(Nodes { context, discounts, page }))
}

/// `shopifyFunctions`: those that are deployed.
///
/// # Errors
/// When the page is none.
pub(super) fn functions<'a>(
    context: &'a Context<'a>,
    info: &ResolveInfo<'_>,
) -> Result<ResolvedValue<'a>, FieldError> {
    let handles: Vec<_> = context.shop.state().functions.iter().map(|one| one.handle.clone()).collect();
    let page = Page::of(info, handles.len())?;
    Ok(context.object(Functions { context, handles, page }))
}

struct Nodes<'s> {
    context: &'s Context<'s>,
    discounts: Vec<DiscountNode>,
    page: Page,
}

impl ObjectValue for Nodes<'_> {
    fn type_name(&self) -> &str {
        "DiscountNodeConnection"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        let context = self.context;
        Ok(match info.field_name() {
            "nodes" => {
                let nodes = self.discounts[self.page.from..self.page.to].iter();
                ResolvedValue::list(nodes.map(|node| context.object(Node { context, node: node.clone() })))
            }
            "pageInfo" => context.object(PageInfo(self.page)),
            _ => return Err(self.unknown_field_error(info)),
        })
    }
}

struct Node<'s> {
    context: &'s Context<'s>,
    node: DiscountNode,
}

impl ObjectValue for Node<'_> {
    fn type_name(&self) -> &str {
        "DiscountNode"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        Ok(match info.field_name() {
            "id" => ResolvedValue::leaf(self.node.gid()),
            "metafield" => metafield(self.context, &self.node.gid(), info),
            "discount" => {
                let now = self.context.shop.clock().now();
                self.context.object(Discount { node: &self.node, now })
            }
            _ => return Err(self.unknown_field_error(info)),
        })
    }
}

struct Functions<'s> {
    context: &'s Context<'s>,
    handles: Vec<String>,
    page: Page,
}

impl ObjectValue for Functions<'_> {
    fn type_name(&self) -> &str {
        "ShopifyFunctionConnection"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        Ok(match info.field_name() {
            "nodes" => {
                let handles = self.handles[self.page.from..self.page.to].iter();
                ResolvedValue::list(handles.map(|handle| self.context.object(FunctionObject(handle))))
            }
            "pageInfo" => self.context.object(PageInfo(self.page)),
            _ => return Err(self.unknown_field_error(info)),
        })
    }
}

/// A Function, by its handle.
pub(super) struct FunctionObject<'s>(pub &'s str);

impl ObjectValue for FunctionObject<'_> {
    fn type_name(&self) -> &str {
        "ShopifyFunction"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        Ok(match info.field_name() {
            "id" => ResolvedValue::leaf(function_id(self.0)),
            "handle" => ResolvedValue::leaf(self.0),
            _ => return Err(self.unknown_field_error(info)),
        })
    }
}

/// The id of the Function with this handle; like Shopify's, it says nothing of the handle.
fn function_id(handle: &str) -> String {
    let digest = handle.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |digest, byte| {
        (digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("01990000-0000-7000-8000-{:012x}", digest & 0xffff_ffff_ffff)
}

/// What a mutation of a discount answers.
pub(super) struct Payload {
    pub type_name: &'static str,
    pub node: Option<DiscountNode>,
    pub errors: Vec<UserError>,
    pub now: Timestamp,
}

impl ObjectValue for Payload {
    fn type_name(&self) -> &str {
        self.type_name
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        match info.field_name() {
            "automaticAppDiscount" => Ok(ResolvedValue::nullable_object(
                self.node.as_ref().map(|node| Discount { node, now: self.now }),
            )),
            "userErrors" => Ok(user_errors(&self.errors)),
            _ => Err(self.unknown_field_error(info)),
        }
    }
}

struct Discount<'s> {
    node: &'s DiscountNode,
    now: Timestamp,
}

impl ObjectValue for Discount<'_> {
    fn type_name(&self) -> &str {
        "DiscountAutomaticApp"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        let node = self.node;
        Ok(match info.field_name() {
            "discountId" => ResolvedValue::leaf(node.gid()),
            "title" => ResolvedValue::leaf(node.title.as_str()),
            "status" => ResolvedValue::leaf(match (node.is_active(self.now), node.starts_at > self.now) {
                (true, _) => "ACTIVE",
                (false, true) => "SCHEDULED",
                (false, false) => "EXPIRED",
            }),
            "discountClasses" => ResolvedValue::list(node.classes.iter().map(|class| {
                ResolvedValue::leaf(match class {
                    DiscountClass::Product => "PRODUCT",
                    DiscountClass::Order => "ORDER",
                    DiscountClass::Shipping => "SHIPPING",
                })
            })),
            "combinesWith" => ResolvedValue::object(Combines(node.combines_with)),
            "appDiscountType" => ResolvedValue::object(DiscountType(&node.function_handle)),
            "createdAt" => ResolvedValue::leaf(utc_text(node.created_at)),
            "startsAt" => ResolvedValue::leaf(utc_text(node.starts_at)),
            "endsAt" => {
                ResolvedValue::leaf(node.ends_at.map_or(JsonValue::Null, |at| JsonValue::from(utc_text(at))))
            }
            _ => return Err(self.unknown_field_error(info)),
        })
    }
}

/// What kind of discount it is: by the handle of the Function that decides it.
struct DiscountType<'s>(&'s str);

impl ObjectValue for DiscountType<'_> {
    fn type_name(&self) -> &str {
        "AppDiscountType"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        match info.field_name() {
            "functionId" => Ok(ResolvedValue::leaf(function_id(self.0))),
            _ => Err(self.unknown_field_error(info)),
        }
    }
}

struct Combines(CombinesWith);

impl ObjectValue for Combines {
    fn type_name(&self) -> &str {
        "DiscountCombinesWith"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        Ok(ResolvedValue::leaf(match info.field_name() {
            "orderDiscounts" => self.0.order_discounts,
            "productDiscounts" => self.0.product_discounts,
            "shippingDiscounts" => self.0.shipping_discounts,
            _ => return Err(self.unknown_field_error(info)),
        }))
    }
}
