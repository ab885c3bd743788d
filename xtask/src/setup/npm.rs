//! npm packages: those of `package-lock.json`, and single ones of which only the files are wanted.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use super::lock;
use crate::workspace::{in_root, root, target_dir};
use crate::{process, progress};

/// Installs the workspace's packages; returns its `node_modules`.
pub fn packages() -> Result<PathBuf> {
    install("")
}

/// Installs what the `package-lock.json` of a folder of the workspace names, unless exactly that is installed
/// already; returns the folder's `node_modules`.
pub fn install(folder: &str) -> Result<PathBuf> {
    let folder = root().join(folder);
    let modules = folder.join("node_modules");
    let wanted = fs::read(folder.join("package-lock.json")).context("cannot read package-lock.json")?;
    let _guard = lock("npm")?;
    let stamp = modules.join(".installed-lock.json");
    if fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(modules);
    }
    let title = format!("npm packages of {}", folder.display());
    progress::step(title, || process::run(in_root("npm").arg("ci").current_dir(&folder)))?;
    fs::write(&stamp, wanted)?;
    Ok(modules)
}

/// Shopify's GraphQL schemas as published, as gzipped introspection JSON; returns their folder.
///
/// They are files of a package whose dependencies weigh half a gigabyte, so it is fetched alone, by its digest.
pub fn shopify_schemas() -> Result<PathBuf> {
    const DIGEST: &str =
        "tqgRnK7sQhjew+htxtleTH23nXB5fZcsrhWgEkomsorGXvLOB2mh2upwZm8uzuTDNTZnqtLMe64yIwh6s2awtw==";
    Ok(tarball("@shopify/dev-mcp", "1.16.0", DIGEST)?.join("dist/data"))
}

/// Fetches one package without its dependencies; `digest` is the base64 SHA-512 of its archive, as in a lock file.
fn tarball(name: &str, version: &str, digest: &str) -> Result<PathBuf> {
    let flat = name.trim_start_matches('@').replace('/', "-");
    let folder = target_dir().join("npm");
    let unpacked = folder.join(format!("{flat}-{version}"));
    let _guard = lock("npm")?;
    if unpacked.is_dir() {
        return Ok(unpacked);
    }
    progress::step(format!("npm package {name} {version}"), || {
        let work = folder.join("unpacking");
        fs::remove_dir_all(&work).ok();
        fs::create_dir_all(&work)?;
        let package = format!("{name}@{version}");
        process::output(in_root("npm").args(["pack", &package, "--pack-destination"]).arg(&work))?;
        let archive = work.join(format!("{flat}-{version}.tgz"));
        let found = process::output(in_root("node").args(["--eval", SHA512]).arg(&archive))?;
        ensure!(found.trim() == digest, "{package} is not the package we know: its digest is {found}");
        process::run(in_root("tar").arg("-xzf").arg(&archive).arg("-C").arg(&work))?;
        fs::rename(work.join("package"), &unpacked)?;
        fs::remove_dir_all(&work)?;
        Ok(unpacked)
    })
}

const SHA512: &str = "
const archive = require('fs').readFileSync(process.argv[1]);
console.log(require('crypto').createHash('sha512').update(archive).digest('base64'));
";
