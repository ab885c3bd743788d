//! Who is buying, as a Function sees them.

use apollo_compiler::resolvers::{FieldError, ObjectValue, ResolveInfo, ResolvedValue};

use super::{Scene, money, plain::Plain, texts};
use crate::cart::Channel;
use crate::catalog::Customer;
use crate::clock::utc_text;
use crate::ids::gid;
use crate::switches::Authentication;

pub(super) struct BuyerIdentityView<'s>(pub &'s Scene<'s>);

impl BuyerIdentityView<'_> {
    fn customer(&self) -> Option<&Customer> {
        self.0.state.customers.get(&self.0.cart.customer?)
    }

    /// At a till the staff names the customer: nobody signs in.
    fn is_authenticated(&self) -> bool {
        let cart = self.0.cart;
        let hidden = cart.shop_pay && self.0.switches.authentication == Authentication::FalseUnderShopPay;
        self.customer().is_some() && cart.channel == Channel::Online && !hidden
    }
}

impl ObjectValue for BuyerIdentityView<'_> {
    fn type_name(&self) -> &str {
        "BuyerIdentity"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        Ok(match info.field_name() {
            "isAuthenticated" => ResolvedValue::leaf(self.is_authenticated()),
            "customer" => {
                let scene = self.0;
                ResolvedValue::nullable_object(
                    self.customer().map(|customer| CustomerView { scene, customer }),
                )
            }
            "email" => match self.customer() {
                Some(customer) => ResolvedValue::leaf(customer.email.as_str()),
                None => ResolvedValue::null(),
            },
            "phone" | "purchasingCompany" | "shopUser" => ResolvedValue::null(),
            _ => return Err(self.unknown_field_error(info)),
        })
    }
}

struct CustomerView<'s> {
    scene: &'s Scene<'s>,
    customer: &'s Customer,
}

impl ObjectValue for CustomerView<'_> {
    fn type_name(&self) -> &str {
        "Customer"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        let customer = self.customer;
        let id = gid("Customer", customer.id);
        Ok(match info.field_name() {
            "metafield" => self.scene.metafield(&id, info),
            "id" => ResolvedValue::leaf(id),
            "displayName" => ResolvedValue::leaf(customer.display_name()),
            "firstName" => ResolvedValue::leaf(customer.first_name.as_str()),
            "lastName" => ResolvedValue::leaf(customer.last_name.as_str()),
            "email" => ResolvedValue::leaf(customer.email.as_str()),
            "createdAt" => ResolvedValue::leaf(utc_text(customer.created_at)),
            "numberOfOrders" => ResolvedValue::leaf(customer.orders),
            "amountSpent" => ResolvedValue::object(money(customer.spent, self.scene.shop_currency)),
            "hasAnyTag" => ResolvedValue::leaf(has_any(&customer.tags, info)),
            "hasTags" => has_each(&customer.tags, info),
            _ => return Err(self.unknown_field_error(info)),
        })
    }
}

/// `hasAnyTag(tags:)`.
pub(super) fn has_any(tags: &[String], info: &ResolveInfo<'_>) -> bool {
    texts(info, "tags").iter().any(|tag| tags.iter().any(|own| own == tag))
}

/// `hasTags(tags:)`.
pub(super) fn has_each<'a>(tags: &[String], info: &ResolveInfo<'_>) -> ResolvedValue<'a> {
    let asked: Vec<_> = texts(info, "tags")
        .into_iter()
        .map(|tag| (tag.to_owned(), tags.iter().any(|own| own == tag)))
        .map(|(tag, has)| Plain::new("HasTagResponse").with("tag", tag).with("hasTag", has))
        .collect();
    ResolvedValue::list(asked.into_iter().map(ResolvedValue::object))
}
