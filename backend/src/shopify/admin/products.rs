//! Which products a collection or a tag has.

use graphql_client::GraphQLQuery;
use loyalty::multiplier::same_tag;

use super::queries::{self, products_found, products_in};
use super::{Admin, AdminError};

/// The pages of an answer must end somewhere: more products (250 each) than earning rules are for.
const MOST_PAGES: usize = 400;

impl Admin {
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

fn number(gid: &str) -> Option<i64> {
    gid.strip_prefix("gid://shopify/Product/")?.parse().ok()
}
