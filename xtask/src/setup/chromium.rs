//! A Chromium for the browser tests.

use std::path::PathBuf;

use anyhow::{Result, bail};

use super::debian;
use crate::workspace::on_path;

const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];
const MAC: &str = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome";

/// The browser's program: `$CHROMIUM`, an installed one, else Debian's package.
pub fn executable() -> Result<PathBuf> {
    if let Some(program) = std::env::var_os("CHROMIUM") {
        return Ok(program.into());
    }
    if let Some(program) = installed() {
        return Ok(program);
    }
    if debian::install("chromium")?
        && let Some(program) = installed()
    {
        return Ok(program);
    }
    bail!("the browser tests need Chromium: install it, or set CHROMIUM to its program")
}

fn installed() -> Option<PathBuf> {
    let mac = PathBuf::from(MAC);
    NAMES.iter().find_map(|name| on_path(name)).or_else(|| mac.is_file().then_some(mac))
}
