//! What the app's blocks cost a theme's page, by Google's Lighthouse.

use anyhow::Result;

use crate::setup::{chromium, npm};
use crate::workspace::in_root;
use crate::{app_config, process};

/// Fails when they cost more than they may, or anything on the page moves.
pub fn check() -> Result<()> {
    // It wants a newer Node than the workspace does, as Shopify's command line does.
    let node = app_config::node(&npm::install("tests/shopify-cli")?);
    npm::install("tests/lighthouse")?;
    let mut measure = in_root(node);
    measure.env("CHROMIUM", chromium::executable()?).arg("tests/lighthouse/measure.mjs");
    process::run(&mut measure)
}
