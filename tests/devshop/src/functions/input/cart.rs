//! The cart as a Function sees it: undiscounted, in the customer's currency.

use apollo_compiler::resolvers::{FieldError, ObjectValue, ResolveInfo, ResolvedValue};

use super::plain::Plain;
use super::{Scene, customer, merchandise, text};
use crate::cart::{Attribute, Channel};
use crate::checkout::{BasketLine, DeliveryGroup, DeliveryOption};
use crate::ids::gid;
use crate::state::cart_owner;
use crate::switches::PosCartProperties;

pub(super) struct CartView<'s>(pub &'s Scene<'s>);

impl ObjectValue for CartView<'_> {
    fn type_name(&self) -> &str {
        "Cart"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        let scene = self.0;
        let cart = scene.cart;
        Ok(match info.field_name() {
            "attribute" => {
                let at_pos = matches!(cart.channel, Channel::Pos(_));
                let hidden = at_pos && scene.switches.pos_cart_properties == PosCartProperties::Hidden;
                attribute(if hidden { &[] } else { &cart.attributes }, info)
            }
            "metafield" => {
                let lag = scene.switches.cart_metafield_freshness.lag();
                scene.metafield_lagging(&cart_owner(&cart.token), info, lag)
            }
            "buyerIdentity" => {
                ResolvedValue::nullable_object(cart.customer.map(|_| customer::BuyerIdentityView(scene)))
            }
            "cost" => ResolvedValue::object(CartCostView(scene)),
            "lines" | "deliverableLines" => {
                let only_deliverable = info.field_name() == "deliverableLines";
                let lines =
                    scene.basket.lines.iter().filter(move |line| !only_deliverable || line.requires_shipping);
                let type_name = if only_deliverable { "DeliverableCartLine" } else { "CartLine" };
                ResolvedValue::list(
                    lines.map(move |line| ResolvedValue::object(LineView { scene, line, type_name })),
                )
            }
            "deliveryGroups" => {
                let groups = scene.basket.delivery.iter();
                ResolvedValue::list(
                    groups.map(move |group| ResolvedValue::object(GroupView { scene, group })),
                )
            }
            "retailLocation" => ResolvedValue::nullable_object(match cart.channel {
                Channel::Online => None,
                Channel::Pos(id) => Some(LocationView { scene, id }),
            }),
            "discountApplications" | "localizedFields" => ResolvedValue::list([]),
            "billingAddress" | "poNumber" => ResolvedValue::null(),
            _ => return Err(self.unknown_field_error(info)),
        })
    }
}

fn attribute<'a>(attributes: &[Attribute], info: &ResolveInfo<'_>) -> ResolvedValue<'a> {
    let found = attributes.iter().find(|attribute| Some(attribute.name.as_str()) == text(info, "key"));
    ResolvedValue::nullable_object(found.map(|attribute| {
        Plain::new("Attribute").with("key", attribute.name.as_str()).with("value", attribute.value.as_str())
    }))
}

struct LocationView<'s> {
    scene: &'s Scene<'s>,
    id: u64,
}

impl ObjectValue for LocationView<'_> {
    fn type_name(&self) -> &str {
        "Location"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        let id = gid("Location", self.id);
        Ok(match info.field_name() {
            "metafield" => self.scene.metafield(&id, info),
            "id" => ResolvedValue::leaf(id),
            "handle" => ResolvedValue::leaf(format!("location-{}", self.id)),
            "name" => ResolvedValue::leaf(format!("Location {}", self.id)),
            _ => return Err(self.unknown_field_error(info)),
        })
    }
}

struct CartCostView<'s>(&'s Scene<'s>);

impl ObjectValue for CartCostView<'_> {
    fn type_name(&self) -> &str {
        "CartCost"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        Ok(match info.field_name() {
            "subtotalAmount" => self.0.money(self.0.basket.subtotal().presentment),
            "totalAmount" => self.0.money(self.0.basket.total().presentment),
            "totalDutyAmount" | "totalTaxAmount" => ResolvedValue::null(),
            _ => return Err(self.unknown_field_error(info)),
        })
    }
}

struct LineView<'s> {
    scene: &'s Scene<'s>,
    line: &'s BasketLine,
    type_name: &'static str,
}

impl ObjectValue for LineView<'_> {
    fn type_name(&self) -> &str {
        self.type_name
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        let Self { scene, line, .. } = *self;
        Ok(match info.field_name() {
            "id" => ResolvedValue::leaf(line.gid.as_str()),
            "quantity" => ResolvedValue::leaf(line.quantity),
            "attribute" => attribute(&line.properties, info),
            "merchandise" => {
                ResolvedValue::nullable_object(merchandise::VariantView::of(scene, line.variant))
            }
            "cost" => ResolvedValue::object(LineCostView { scene, line }),
            "discountAllocations" => ResolvedValue::list([]),
            "parentRelationship" | "sellingPlanAllocation" => ResolvedValue::null(),
            _ => return Err(self.unknown_field_error(info)),
        })
    }
}

struct LineCostView<'s> {
    scene: &'s Scene<'s>,
    line: &'s BasketLine,
}

impl ObjectValue for LineCostView<'_> {
    fn type_name(&self) -> &str {
        "CartLineCost"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        Ok(match info.field_name() {
            "amountPerQuantity" => self.scene.money(self.line.unit.presentment),
            "subtotalAmount" | "totalAmount" => self.scene.money(self.line.gross.presentment),
            "compareAtAmountPerQuantity" => ResolvedValue::null(),
            _ => return Err(self.unknown_field_error(info)),
        })
    }
}

struct GroupView<'s> {
    scene: &'s Scene<'s>,
    group: &'s DeliveryGroup,
}

impl ObjectValue for GroupView<'_> {
    fn type_name(&self) -> &str {
        "CartDeliveryGroup"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        let Self { scene, group } = *self;
        let option = move |option| ResolvedValue::object(OptionView { scene, option });
        Ok(match info.field_name() {
            "id" => ResolvedValue::leaf(group.gid.as_str()),
            "groupType" => ResolvedValue::leaf("ONE_TIME_PURCHASE"),
            "cartLines" => {
                let lines = scene.basket.lines.iter().filter(|line| line.requires_shipping);
                let view = move |line| LineView { scene, line, type_name: "CartLine" };
                ResolvedValue::list(lines.map(move |line| ResolvedValue::object(view(line))))
            }
            "deliveryOptions" => ResolvedValue::list(group.options.iter().map(option)),
            "selectedDeliveryOption" => option(group.chosen()),
            "discountAllocations" => ResolvedValue::list([]),
            "deliveryAddress" => ResolvedValue::null(),
            _ => return Err(self.unknown_field_error(info)),
        })
    }
}

struct OptionView<'s> {
    scene: &'s Scene<'s>,
    option: &'s DeliveryOption,
}

impl ObjectValue for OptionView<'_> {
    fn type_name(&self) -> &str {
        "CartDeliveryOption"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        let option = self.option;
        Ok(match info.field_name() {
            "handle" => ResolvedValue::leaf(option.handle.as_str()),
            "title" | "code" => ResolvedValue::leaf(option.title.as_str()),
            "cost" => self.scene.money(option.price.presentment),
            "deliveryMethodType" => ResolvedValue::leaf("SHIPPING"),
            "description" => ResolvedValue::null(),
            _ => return Err(self.unknown_field_error(info)),
        })
    }
}
