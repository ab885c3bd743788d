//! What is in the cart, as a Function sees it.

use apollo_compiler::resolvers::{FieldError, ObjectValue, ResolveInfo, ResolvedValue};

use super::{Scene, customer, plain::Plain, texts};
use crate::catalog::{Product, Variant};
use crate::ids::{gid, parse_gid};

pub(super) struct VariantView<'s> {
    scene: &'s Scene<'s>,
    product: &'s Product,
    variant: &'s Variant,
}

impl<'s> VariantView<'s> {
    pub fn of(scene: &'s Scene<'s>, variant: u64) -> Option<Self> {
        let (product, variant) = scene.state.variant(variant)?;
        Some(Self { scene, product, variant })
    }
}

impl ObjectValue for VariantView<'_> {
    fn type_name(&self) -> &str {
        "ProductVariant"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        let Self { scene, product, variant } = *self;
        let id = gid("ProductVariant", variant.id);
        Ok(match info.field_name() {
            "metafield" => scene.metafield(&id, info),
            "id" => ResolvedValue::leaf(id),
            "product" => ResolvedValue::object(ProductView { scene, product }),
            "title" => ResolvedValue::leaf(variant.title.as_str()),
            "sku" => ResolvedValue::leaf(variant.sku.as_str()),
            "requiresShipping" => ResolvedValue::leaf(variant.requires_shipping),
            "weight" => ResolvedValue::leaf(f64::from(variant.grams)),
            "weightUnit" => ResolvedValue::leaf("GRAMS"),
            "inAnyCollection" | "inCollections" => collections(&product.collections, info),
            _ => return Err(self.unknown_field_error(info)),
        })
    }
}

struct ProductView<'s> {
    scene: &'s Scene<'s>,
    product: &'s Product,
}

impl ObjectValue for ProductView<'_> {
    fn type_name(&self) -> &str {
        "Product"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        let product = self.product;
        let id = gid("Product", product.id);
        Ok(match info.field_name() {
            "metafield" => self.scene.metafield(&id, info),
            "id" => ResolvedValue::leaf(id),
            "handle" => ResolvedValue::leaf(product.handle.as_str()),
            "title" => ResolvedValue::leaf(product.title.as_str()),
            "vendor" => ResolvedValue::leaf(product.vendor.as_str()),
            "productType" => ResolvedValue::leaf(product.product_type.as_str()),
            "isGiftCard" => ResolvedValue::leaf(product.gift_card),
            "hasAnyTag" => ResolvedValue::leaf(customer::has_any(&product.tags, info)),
            "hasTags" => customer::has_each(&product.tags, info),
            "inAnyCollection" | "inCollections" => collections(&product.collections, info),
            _ => return Err(self.unknown_field_error(info)),
        })
    }
}

fn collections<'a>(own: &[u64], info: &ResolveInfo<'_>) -> ResolvedValue<'a> {
    let is_member = |id: &str| matches!(parse_gid(id), Some(("Collection", id)) if own.contains(&id));
    let asked = texts(info, "ids");
    if info.field_name() == "inAnyCollection" {
        return ResolvedValue::leaf(asked.into_iter().any(is_member));
    }
    let each: Vec<_> = asked
        .into_iter()
        .map(|id| Plain::new("CollectionMembership").with("collectionId", id).with("isMember", is_member(id)))
        .collect();
    ResolvedValue::list(each.into_iter().map(ResolvedValue::object))
}
