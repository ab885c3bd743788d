//! A theme: pages of Liquid, with the blocks of an app's theme app extension where a merchant would place them.
//!
//! The blocks are the extension's own files, rendered with the shop's own metafields, cart and customers.

mod extension;
mod pages;
mod variables;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use serde_json::{Map, Value, json};

use crate::checkout::Quote;
use crate::liquid::{Liquid, LocaleError};
use crate::shop::{DevShop, ShopError};
use extension::{Block, Extension};

/// Where the theme's home page is.
const HOME: &str = "/store";
/// Where the extension's assets are.
const ASSETS: &str = "/cdn/app/";

/// Where a merchant has placed an app's blocks.
#[derive(Debug, Clone, Default)]
pub struct Placement {
    /// On the home page.
    pub home: &'static [&'static str],
    /// On every product's page.
    pub product: &'static [&'static str],
    /// On the cart's page.
    pub cart: &'static [&'static str],
    /// On pages of their own, by handle and title.
    pub pages: &'static [(&'static str, &'static str, &'static [&'static str])],
    /// On all of them, at the end.
    pub embeds: &'static [&'static str],
    /// The page that settings of the type `page` name, by its handle.
    pub page: Option<&'static str>,
}

/// A theme with an app's blocks.
#[derive(Clone)]
pub struct Theme(Arc<Inner>);

struct Inner {
    extension: Extension,
    placement: Placement,
}

/// Why a page cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum ThemeError {
    /// A file of the extension cannot be read.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A block without a schema, or with one that is not JSON.
    #[error("the block {0} has no schema that can be read")]
    Schema(String),
    /// A template that Liquid refuses.
    #[error(transparent)]
    Liquid(#[from] liquid_core::Error),
    /// No such language, or a broken file of it.
    #[error(transparent)]
    Locale(#[from] LocaleError),
    /// The shop refuses.
    #[error(transparent)]
    Shop(#[from] ShopError),
}

impl Theme {
    /// A theme that shows the blocks of the extension in this folder.
    pub fn new(extension: PathBuf, placement: Placement) -> Self {
        Self(Arc::new(Inner { extension: Extension::at(extension), placement }))
    }

    /// Its pages.
    pub fn router(self, shop: &DevShop) -> Router {
        Router::new()
            .route(HOME, get(pages::home))
            .route("/products/{handle}", get(pages::product))
            .route("/cart", get(pages::cart))
            .route("/pages/{handle}", get(pages::page))
            .route("/account/login", get(pages::login).post(pages::sign_in))
            .route("/account/logout", get(pages::sign_out))
            .route(&format!("{ASSETS}{{file}}"), get(pages::asset))
            .route("/cdn/theme.css", get(pages::stylesheet))
            .with_state((shop.clone(), self))
    }

    /// A page: the theme's template, with blocks in it, in the layout.
    fn page(&self, shop: &DevShop, page: &Page) -> Result<String, ThemeError> {
        let extension = &self.0.extension;
        let currency = page.quote.cart.currency;
        let money = move |hundredths| {
            format!("{}{}.{:02}", symbol(currency.code()), hundredths / 100, hundredths % 100)
        };
        let liquid = Liquid::new(extension.snippets()?, extension.locale(&page.locale)?, ASSETS, money)?;
        let mut variables = variables::all(shop, &page.quote, &page.locale);
        variables.extend(page.variables.clone());
        let mut files = Files::default();
        let mut blocks = |names: &[&str]| -> Result<String, ThemeError> {
            let shown = names.iter().map(|name| {
                let block = extension.block(name)?;
                files.take(&block);
                let shown = liquid.render(&block.template, &self.with_block(&variables, &block, name)?)?;
                Ok(format!(
                    "<div id=\"shopify-block-{name}\" class=\"shopify-block shopify-app-block\">{shown}</div>"
                ))
            });
            shown.collect()
        };
        let (content, embeds) = (blocks(page.blocks)?, blocks(page.embeds)?);
        let mut render = |template: &str, more: Value| -> Result<String, ThemeError> {
            if let Value::Object(more) = more {
                variables.extend(more);
            }
            Ok(liquid.render(template, &liquid_core::to_object(&variables)?)?)
        };
        let main = render(page.template, json!({"app_blocks": content}))?;
        render(
            LAYOUT,
            json!({"content_for_layout": main, "content_for_header": files.tags(), "embeds": embeds}),
        )
    }

    /// The variables with those of a block.
    fn with_block(
        &self,
        variables: &Map<String, Value>,
        block: &Block,
        name: &str,
    ) -> Result<liquid_core::Object, ThemeError> {
        let mut settings = block.schema.defaults();
        if let Some(page) = self.0.placement.page {
            settings.insert("page".to_owned(), json!({"url": format!("/pages/{page}")}));
        }
        let mut variables = variables.clone();
        let attributes = format!("data-shopify-editor-block=\"{name}\"");
        variables.insert("block".to_owned(), json!({"settings": settings, "shopify_attributes": attributes}));
        Ok(liquid_core::to_object(&variables)?)
    }
}

/// A page to be shown.
struct Page {
    template: &'static str,
    blocks: &'static [&'static str],
    embeds: &'static [&'static str],
    locale: String,
    quote: Quote,
    variables: Map<String, Value>,
}

/// What the shown blocks' schemas name, each once.
#[derive(Default)]
struct Files {
    scripts: BTreeSet<String>,
    sheets: BTreeSet<String>,
}

impl Files {
    fn take(&mut self, block: &Block) {
        self.scripts.extend(block.schema.javascript.clone());
        self.sheets.extend(block.schema.stylesheet.clone());
    }

    fn tags(&self) -> String {
        let sheets =
            self.sheets.iter().map(|name| format!("<link rel=\"stylesheet\" href=\"{ASSETS}{name}\">"));
        let scripts =
            self.scripts.iter().map(|name| format!("<script src=\"{ASSETS}{name}\" defer></script>"));
        sheets.chain(scripts).collect()
    }
}

fn symbol(currency: &str) -> &str {
    match currency {
        "GBP" => "£",
        "EUR" => "€",
        "JPY" => "¥",
        other => other,
    }
}

const LAYOUT: &str = include_str!("../../theme/layout.liquid");
