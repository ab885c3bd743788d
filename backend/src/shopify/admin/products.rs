//! What a shop sells, and which of it a collection or a tag has.

use graphql_client::GraphQLQuery;
use loyalty::multiplier::same_tag;

use super::queries::{self, products_found, products_in, products_listed};
use super::{Admin, AdminError};

/// The pages of an answer must end somewhere: more products (250 each) than earning rules are for.
const MOST_PAGES: usize = 400;

/// A product of the shop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedProduct {
    /// Shopify's number of it.
    pub id: i64,
    /// Its name.
    pub title: String,
    /// Its name in addresses.
    pub handle: String,
    /// `active`, `archived`, `draft` or `unlisted`.
    pub status: String,
    /// What kind of thing it is.
    pub product_type: String,
    /// Who makes it.
    pub vendor: String,
    /// Labels.
    pub tags: Vec<String>,
    /// When it changed last (RFC 3339, whole seconds).
    pub updated_at: String,
}

impl Admin {
    /// What the shop sells, 250 at most, and where the next begin; none after the last.
    ///
    /// # Errors
    /// See [`AdminError`].
    pub async fn products_after(
        &self,
        after: Option<String>,
    ) -> Result<(Vec<ListedProduct>, Option<String>), AdminError> {
        let variables = products_listed::Variables { after };
        let data: products_listed::ResponseData =
            self.call(&queries::ProductsListed::build_query(variables)).await?;
        let page = data.products;
        let next = page.page_info.end_cursor.filter(|_| page.page_info.has_next_page);
        Ok((page.nodes.into_iter().filter_map(listed).collect(), next))
    }

    /// Shopify's ids of the products in a collection, page by page; none of a collection that is gone.
    ///
    /// # Errors
    /// See [`AdminError`].
    pub async fn products_in(&self, collection: i64) -> Result<Vec<i64>, AdminError> {
        let (mut found, mut after) = (Vec::new(), None);
        for _ in 0..MOST_PAGES {
            let variables =
                products_in::Variables { id: format!("gid://shopify/Collection/{collection}"), after };
            let data: products_in::ResponseData =
                self.call(&queries::ProductsIn::build_query(variables)).await?;
            let Some(collection) = data.collection else { return Ok(Vec::new()) };
            let page = collection.products;
            found.extend(page.nodes.iter().filter_map(|product| number(&product.id)));
            after = page.page_info.end_cursor.filter(|_| page.page_info.has_next_page);
            if after.is_none() {
                return Ok(found);
            }
        }
        Err(AdminError::Malformed("a list of products has no end".into()))
    }

    /// Shopify's ids of the products with a tag, page by page. What a search finds beside them is left out.
    ///
    /// # Errors
    /// See [`AdminError`].
    pub async fn products_tagged(&self, tag: &str) -> Result<Vec<i64>, AdminError> {
        // Within quotes, only these two mean something to a search.
        let quoted = tag.replace('\\', r"\\").replace('"', r#"\""#);
        let (mut found, mut after) = (Vec::new(), None);
        for _ in 0..MOST_PAGES {
            let variables = products_found::Variables { query: format!("tag:\"{quoted}\""), after };
            let data: products_found::ResponseData =
                self.call(&queries::ProductsFound::build_query(variables)).await?;
            let page = data.products;
            let has_it = |tags: &[String]| tags.iter().any(|one| same_tag(one, tag));
            let tagged = page.nodes.iter().filter(|product| has_it(&product.tags));
            found.extend(tagged.filter_map(|product| number(&product.id)));
            after = page.page_info.end_cursor.filter(|_| page.page_info.has_next_page);
            if after.is_none() {
                return Ok(found);
            }
        }
        Err(AdminError::Malformed("a list of products has no end".into()))
    }
}

fn listed(node: products_listed::ProductsListedProductsNodes) -> Option<ListedProduct> {
    use products_listed::ProductStatus;
    let status = match node.status {
        ProductStatus::ACTIVE => "active".to_owned(),
        ProductStatus::ARCHIVED => "archived".to_owned(),
        ProductStatus::DRAFT => "draft".to_owned(),
        ProductStatus::UNLISTED => "unlisted".to_owned(),
        ProductStatus::Other(other) => other.to_lowercase(),
    };
    let number = number(&node.id)?;
    let (title, handle, vendor, tags) = (node.title, node.handle, node.vendor, node.tags);
    let (product_type, updated_at) = (node.product_type, node.updated_at);
    Some(ListedProduct { id: number, title, handle, status, product_type, vendor, tags, updated_at })
}

fn number(gid: &str) -> Option<i64> {
    gid.strip_prefix("gid://shopify/Product/")?.parse().ok()
}
