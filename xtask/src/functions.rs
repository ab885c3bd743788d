//! `cargo xtask build` and `cargo xtask functions`.
//!
//! Into `target/functions` go each Function as Shopify would run it, and the provider that it runs with.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::setup::{self, npm, rust};
use crate::workspace::{cargo, in_root, root, target_dir};
use crate::{process, progress};

/// The Functions: folders of `extensions/`, and at the same time packages.
const FUNCTIONS: [&str; 3] = ["points-redemption", "redemption-guard", "tier-delivery"];
/// The Function of the probe, `extensions/probe/echo`: built for the local shop, and measured by nobody.
const ECHO: &str = "echo";
const WASM: &str = "wasm32-unknown-unknown";

/// The compiler that production's provider was built with; any other counts differently.
const PROVIDER_RUST: &str = "1.89.0";

/// What the Shopify CLI calls wasm-opt with.
const WASM_OPT: [&str; 5] = [
    "-Oz",
    "--enable-bulk-memory",
    "--enable-multimemory",
    "--enable-nontrapping-float-to-int",
    "--strip-debug",
];

/// Options of `cargo xtask functions`.
#[derive(clap::Args)]
pub struct Args {
    /// Print one JSON object as the last line of standard output
    #[arg(long)]
    pub json: bool,
}

/// Builds the provider and the Functions into `target/functions`, as far as they are not up to date.
pub fn build() -> Result<()> {
    rust::target(WASM)?;
    let _guard = setup::lock("functions")?;
    fs::create_dir_all(folder().join("build"))?;
    build_provider()?;

    let mut build = cargo();
    build.args(["build", "--locked", "--profile", "function", "--target", WASM]);
    let all = FUNCTIONS.iter().chain([&ECHO]);
    build.args(all.clone().flat_map(|name| ["--package", name]));
    process::run(&mut build)?;
    all.copied().try_for_each(optimize)
}

/// Builds the Functions, measures each on its fixture and reports size and instructions.
pub fn run(args: &Args) -> Result<()> {
    build()?;
    let reports = FUNCTIONS.iter().map(|name| measure(name)).collect::<Result<Vec<_>>>()?;
    for report in &reports {
        print_report(report);
    }
    if args.json {
        println!("{}", json!({ "functions": reports }));
    }
    Ok(())
}

fn folder() -> PathBuf {
    target_dir().join("functions")
}

/// Builds the provider with production's compiler, or else with ours, which makes all counts estimates.
fn build_provider() -> Result<()> {
    let source = root().join("tests/function-runner/provider");
    let installed = || process::output(in_root("rustup").args(["toolchain", "list"]));
    let is_installed = |list: &str| list.lines().any(|line| line.starts_with(&format!("{PROVIDER_RUST}-")));

    let mut inputs = Vec::new();
    for file in ["Cargo.toml", "Cargo.lock", "src/lib.rs"] {
        inputs.extend(fs::read(source.join(file))?);
    }
    let stamp = folder().join("build/provider.stamp");
    let exact = is_installed(&installed()?);
    inputs.push(u8::from(exact));
    if folder().join("provider.wasm").is_file() && fs::read(&stamp).is_ok_and(|built| built == inputs) {
        return Ok(());
    }

    let toolchain = if exact || install_provider_rust() { Some(PROVIDER_RUST) } else { None };
    if toolchain.is_none() {
        progress::note(format!(
            "Rust {PROVIDER_RUST} cannot be installed: counted with another provider, instructions are estimates"
        ));
    }
    progress::step("provider of the Function API", || {
        let built = compile_provider(&source, toolchain)?;
        fs::copy(built, folder().join("provider.wasm"))?;
        let info = json!({ "rustc": rustc_version(toolchain)?, "exact": toolchain.is_some() });
        fs::write(folder().join("provider.json"), info.to_string())?;
        inputs.pop();
        inputs.push(u8::from(toolchain.is_some()));
        Ok(fs::write(&stamp, &inputs)?)
    })
}

/// Whether it is there afterwards.
fn install_provider_rust() -> bool {
    let title = format!("Rust {PROVIDER_RUST}, for the provider");
    let mut install = in_root("rustup");
    install.args(["toolchain", "install", PROVIDER_RUST, "--profile", "minimal", "--target", WASM]);
    progress::step(title, || process::run(&mut install)).is_ok()
}

fn compile_provider(source: &Path, toolchain: Option<&str>) -> Result<PathBuf> {
    if let Some(toolchain) = toolchain {
        let mut target = in_root("rustup");
        process::output(target.args(["target", "add", WASM, "--toolchain", toolchain]))?;
    }
    let target_dir = folder().join("build/provider");
    let mut build = tool("cargo", toolchain);
    build.current_dir(source).args(["build", "--locked", "--release", "--target", WASM, "--target-dir"]);
    build.arg(&target_dir).env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
    process::run(&mut build)?;
    Ok(target_dir.join(WASM).join("release/provider.wasm"))
}

fn rustc_version(toolchain: Option<&str>) -> Result<String> {
    let version = process::output(tool("rustc", toolchain).arg("--version"))?;
    Ok(version.split_whitespace().nth(1).unwrap_or_default().to_owned())
}

/// A program of a toolchain. By default of ours: rustup has set the variable when it started this program, and it comes
/// before the provider's `rust-toolchain.toml`.
fn tool(name: &str, toolchain: Option<&str>) -> Command {
    let mut command = in_root(name);
    if let Some(toolchain) = toolchain {
        command.env("RUSTUP_TOOLCHAIN", toolchain);
    }
    command
}

/// Shrinks a Function as the Shopify CLI does, unless exactly this one has been.
fn optimize(name: &str) -> Result<()> {
    let raw = target_dir().join(WASM).join("function").join(format!("{}.wasm", name.replace('-', "_")));
    let mut inputs = fs::read(&raw).with_context(|| format!("cannot read {}", raw.display()))?;
    inputs.extend(WASM_OPT.concat().bytes());
    let stamp = folder().join(format!("build/{name}.stamp"));
    let optimized = folder().join(format!("{name}.wasm"));
    if optimized.is_file() && fs::read(&stamp).is_ok_and(|built| built == inputs) {
        return Ok(());
    }
    let mut wasm_opt = in_root("node");
    wasm_opt.arg(npm::packages()?.join("binaryen/bin/wasm-opt")).args(WASM_OPT);
    wasm_opt.arg(&raw).arg("-o").arg(&optimized);
    progress::step(format!("wasm-opt {name}"), || process::run(&mut wasm_opt))?;
    Ok(fs::write(&stamp, inputs)?)
}

/// What the Function's own `measure` example says.
fn measure(name: &str) -> Result<Value> {
    let mut example = cargo();
    example.args(["run", "--quiet", "--locked", "--package", name, "--example", "measure"]);
    let report = process::output(&mut example)?;
    serde_json::from_str(&report).with_context(|| format!("{name} did not report: {report}"))
}

fn print_report(report: &Value) {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let estimate = if report["exact"] == true { "" } else { " (estimated)" };
    println!("{}: {} bytes of WebAssembly", text(&report["name"]), report["wasm_bytes"]);
    for (lines, instructions) in report["instructions"].as_object().into_iter().flatten() {
        println!("    {lines:>4} lines  {:>10} instructions{estimate}", text(instructions));
    }
}
