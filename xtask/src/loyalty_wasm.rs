//! The rules for JavaScript: `extensions/loyalty-wasm`, as WebAssembly and as JavaScript made of that.
//!
//! The work lies in `target/loyalty-wasm`; what the extensions import goes into the package itself, `js/built`, and what
//! the storefront loads among its assets: there the Shopify CLI finds them.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::setup::{self, npm, rust};
use crate::workspace::{cargo, in_root, root, target_dir};
use crate::{process, progress};

/// Without reference types and multiple results, of which no JavaScript can be made.
const WASM: &str = "wasm32v1-none";

const WASM_OPT: [&str; 4] = ["-Oz", "--strip-debug", "--strip-producers", "--strip-target-features"];

/// The checkout's module alone copies memory by one instruction, has low addresses, which are shorter, and a memory that
/// does not grow: 2 MiB, a hundred times what it takes. `js/slim.mjs` looks after the stack.
const CHECKOUT: [&str; 4] = [
    "-Ctarget-feature=+bulk-memory",
    "-Clink-arg=-zstack-size=8192",
    "-Clink-arg=--initial-memory=2097152",
    "-Clink-arg=--max-memory=2097152",
];
const BULK_MEMORY: [&str; 2] = ["--enable-bulk-memory", "--enable-bulk-memory-opt"];

/// How wasm-bindgen's JavaScript finds out that the memory has grown: the old one is gone. As JavaScript it is not, so
/// the two are compared, as is done for its other view of the memory.
const GONE: &str = "ArrayMemory0.byteLength === 0";
const ANOTHER: &str = "ArrayMemory0.buffer !== wasm.memory.buffer";

/// What is built with wasm-bindgen, and without it; each by the feature of the crate that has its name.
const BOUND: [&str; 2] = ["storefront", "till"];
const BARE: &str = "checkout";

/// What of `js/` the builds and the storefront's scripts are made of.
const SOURCES: [&str; 5] = ["js.js", "rules.js", "wasm.js", "slim.mjs", "storefront.mjs"];

/// Builds all, as far as they are not up to date.
pub fn build() -> Result<()> {
    rust::target(WASM)?;
    npm::packages()?;
    let bindgen = bindgen()?;
    let _guard = setup::lock("loyalty-wasm")?;
    let (work, built) = (target_dir().join("loyalty-wasm"), root().join("extensions/loyalty-wasm/js/built"));
    fs::create_dir_all(&work)?;
    let mut inputs: Vec<u8> = [&WASM_OPT.concat(), GONE, ANOTHER].concat().into();
    for name in BOUND {
        inputs.extend(compile(name, &[], &work)?);
    }
    inputs.extend(compile(BARE, &CHECKOUT, &work)?);
    for file in SOURCES {
        inputs.extend(fs::read(root().join("extensions/loyalty-wasm/js").join(file))?);
    }
    let stamp = work.join("stamp");
    let assets = root().join("extensions/storefront-rewards/assets");
    let is_built = BOUND.iter().all(|name| built.join(format!("{name}.wasm.js")).is_file())
        && built.join(format!("{BARE}.js")).is_file();
    let is_there = is_built && assets.join("loyalty.wasm").is_file();
    if is_there && fs::read(&stamp).is_ok_and(|old| old == inputs) {
        return Ok(());
    }
    progress::step("the rules for JavaScript", || {
        fs::create_dir_all(&built)?;
        for name in BOUND {
            let module = work.join(format!("{name}.wasm"));
            process::run(in_root(&bindgen).arg(&module).arg(&work))?;
            let glue = format!("{name}_bg.js");
            let text = fs::read_to_string(work.join(&glue))?;
            ensure!(text.contains(GONE), "wasm-bindgen looks after the memory in another way than we know");
            fs::write(built.join(&glue), text.replace(GONE, ANOTHER))?;
            let wasm = built.join(format!("{name}.wasm"));
            binaryen("wasm-opt", &WASM_OPT, &work.join(format!("{name}_bg.wasm")), &wasm)?;
            binaryen("wasm2js", &["-Oz"], &wasm, &built.join(format!("{name}.wasm.js")))?;
        }
        let [module, small, script] =
            ["wasm", "small.wasm", "js"].map(|ending| work.join(format!("{BARE}.{ending}")));
        binaryen("wasm-opt", &[&BULK_MEMORY[..], &WASM_OPT].concat(), &module, &small)?;
        binaryen("wasm2js", &[&BULK_MEMORY[..], &["-Oz"]].concat(), &small, &script)?;
        let mut slim = in_root("node");
        slim.arg("extensions/loyalty-wasm/js/slim.mjs").arg(&script).arg(built.join(format!("{BARE}.js")));
        process::run(slim.arg("../host.js"))?;
        process::run(in_root("node").arg("extensions/loyalty-wasm/js/storefront.mjs").arg(&assets))
    })?;
    Ok(fs::write(&stamp, inputs)?)
}

/// The module with one feature, which it also returns.
fn compile(name: &str, flags: &[&str], work: &Path) -> Result<Vec<u8>> {
    // A library for the tests, a module only here: without std it cannot be linked for anything else. Alone, because the
    // features of the whole workspace would pull std in.
    let mut build = cargo();
    build.args(["rustc", "--locked", "--package", "loyalty-wasm", "--lib", "--crate-type", "cdylib"]);
    build.args(["--profile", "widget", "--target", WASM, "--no-default-features", "--features", name]);
    build.arg("--").args(flags);
    process::run(&mut build)?;
    let module = target_dir().join(WASM).join("widget/loyalty_wasm.wasm");
    let bytes = fs::read(&module).with_context(|| format!("cannot read {}", module.display()))?;
    fs::write(work.join(format!("{name}.wasm")), &bytes)?;
    Ok(bytes)
}

fn binaryen(tool: &str, options: &[&str], from: &Path, to: &Path) -> Result<()> {
    let mut node = in_root("node");
    node.arg(npm::packages()?.join("binaryen/bin").join(tool)).args(options).arg(from).arg("-o").arg(to);
    process::run(&mut node)
}

/// The program of `tools/wasm-bindgen`, compiled once for each version of it.
fn bindgen() -> Result<PathBuf> {
    let source = root().join("tools/wasm-bindgen");
    let mut inputs = Vec::new();
    for file in ["Cargo.toml", "Cargo.lock", "src/main.rs"] {
        inputs.extend(fs::read(source.join(file))?);
    }
    let folder = target_dir().join("tools/wasm-bindgen");
    let (program, stamp) = (folder.join("release/wasm-bindgen-tool"), folder.join("stamp"));
    let _guard = setup::lock("tools")?;
    if program.is_file() && fs::read(&stamp).is_ok_and(|built| built == inputs) {
        return Ok(program);
    }
    progress::step("wasm-bindgen (compiled once, one to three minutes)", || {
        let mut build = cargo();
        build.current_dir(&source).args(["build", "--locked", "--release", "--quiet", "--target-dir"]);
        process::run(build.arg(&folder))
    })?;
    fs::write(&stamp, inputs)?;
    Ok(program)
}
