//! Products, by collection and by search.

use apollo_compiler::resolvers::{FieldError, ObjectValue, ResolveInfo, ResolvedValue};

use super::execute::Context;
use super::objects::{metafield, text, texts};
use super::order::{Page, PageInfo};
use crate::catalog::Product;
use crate::clock::utc_text;
use crate::ids::gid;

/// `collection(id:)`: the shop knows a collection by the products that are in it.
pub(super) fn collection<'a>(context: &'a Context<'a>, id: &str) -> Result<ResolvedValue<'a>, FieldError> {
    let number = id.strip_prefix("gid://shopify/Collection/").and_then(|id| id.parse().ok());
    let number: u64 = number.ok_or_else(|| FieldError { message: format!("Invalid id: {id}") })?;
    let in_it = |product: &Product| product.collections.contains(&number);
    let products: Vec<Product> = context.shop.products().into_iter().filter(in_it).collect();
    Ok(match products.is_empty() {
        true => ResolvedValue::null(),
        false => context.object(Collection { context, id: number, products }),
    })
}

/// `products(query:)`: all, or, as far as a search for one tag goes, what it finds. Shopify's searches find words, in
/// whatever case.
pub(super) fn products<'a>(
    context: &'a Context<'a>,
    info: &ResolveInfo<'_>,
) -> Result<ResolvedValue<'a>, FieldError> {
    let Some(query) = text(info, "query") else {
        let products = context.shop.products();
        let page = Page::of(info, products.len())?;
        return Ok(context.object(Products {
            context,
            products: products[page.from..page.to].to_vec(),
            page,
        }));
    };
    let tag = query.strip_prefix("tag:\"").and_then(|rest| rest.strip_suffix('"'));
    let unknown = || FieldError { message: format!("the local shop does not search for {query}") };
    let tag = tag.ok_or_else(unknown)?.replace("\\\"", "\"").replace("\\\\", "\\").to_lowercase();
    let has_it = |product: &Product| product.tags.iter().any(|one| one.to_lowercase().contains(&tag));
    let found: Vec<Product> = context.shop.products().into_iter().filter(has_it).collect();
    let page = Page::of(info, found.len())?;
    Ok(context.object(Products { context, products: found[page.from..page.to].to_vec(), page }))
}

struct Collection<'s> {
    context: &'s Context<'s>,
    id: u64,
    products: Vec<Product>,
}

impl ObjectValue for Collection<'_> {
    fn type_name(&self) -> &str {
        "Collection"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        Ok(match info.field_name() {
            "id" => ResolvedValue::leaf(gid("Collection", self.id)),
            "metafield" => metafield(self.context, &gid("Collection", self.id), info),
            "products" => {
                let page = Page::of(info, self.products.len())?;
                let products = self.products[page.from..page.to].to_vec();
                self.context.object(Products { context: self.context, products, page })
            }
            _ => return Err(self.unknown_field_error(info)),
        })
    }
}

struct Products<'s> {
    context: &'s Context<'s>,
    products: Vec<Product>,
    page: Page,
}

impl ObjectValue for Products<'_> {
    fn type_name(&self) -> &str {
        "ProductConnection"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        Ok(match info.field_name() {
            "nodes" => ResolvedValue::list(self.products.iter().map(|product| {
                self.context.object(ProductObject { context: self.context, product: product.clone() })
            })),
            "pageInfo" => self.context.object(PageInfo(self.page)),
            _ => return Err(self.unknown_field_error(info)),
        })
    }
}

pub(super) struct ProductObject<'s> {
    pub context: &'s Context<'s>,
    pub product: Product,
}

impl ObjectValue for ProductObject<'_> {
    fn type_name(&self) -> &str {
        "Product"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        let product = &self.product;
        Ok(match info.field_name() {
            "id" => ResolvedValue::leaf(gid("Product", product.id)),
            "title" => ResolvedValue::leaf(product.title.clone()),
            "handle" => ResolvedValue::leaf(product.handle.clone()),
            "status" => ResolvedValue::leaf(product.status.to_uppercase()),
            "productType" => ResolvedValue::leaf(product.product_type.clone()),
            "vendor" => ResolvedValue::leaf(product.vendor.clone()),
            "metafield" => metafield(self.context, &gid("Product", product.id), info),
            "tags" => texts(product.tags.clone()),
            "updatedAt" => ResolvedValue::leaf(utc_text(product.updated_at)),
            _ => return Err(self.unknown_field_error(info)),
        })
    }
}
