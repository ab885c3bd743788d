//! `cargo xtask test`: every check and every test, and what CI runs.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::process::escaped;
use crate::report::{Count, Report, cargo_line, node_line, vitest_line};
use crate::setup::postgres::{Cluster, Durability, cluster};
use crate::setup::{chromium, npm};
use crate::workspace::{cargo, debug_binary, in_root, root, target_dir};
use crate::{app_config, check, extensions, functions, lighthouse, mutants, process};

/// Where Node's tests are: the demo in a real browser, requests that Shopify's own library signs, and the theme app
/// extension's files.
const NODE_TESTS: [&str; 5] =
    ["tests/browser", "tests/loyalty-wasm", "tests/node", "tests/theme", "tests/ui"];

/// The check of the app's files; it runs under a filter that its name contains.
const APP_CONFIGURATION: &str = "app configuration";

/// Options of `cargo xtask test`.
#[derive(clap::Args)]
pub struct Args {
    /// Also run what takes long: ignored tests
    #[arg(long)]
    full: bool,
    /// Run only the tests whose name contains this, and no other check
    filter: Option<String>,
}

/// Which tests run.
pub enum Scope {
    /// The unit tests of the crates.
    Unit,
    /// All tests; `full` adds those that take long.
    All { full: bool },
    /// Those whose name contains a text, however long they take.
    Named(String),
}

/// Runs the checks and the tests; every part runs, whatever the one before it found.
pub fn run(args: &Args) -> Result<ExitCode> {
    let mut report = Report::new();
    let scope = match &args.filter {
        Some(name) => Scope::Named(name.clone()),
        None => Scope::All { full: args.full },
    };
    if !matches!(scope, Scope::Named(_)) {
        check::checks(&mut report);
    }
    tests(&mut report, &scope);
    report.part("extension tests", |count| extension_tests(&scope, count));
    report.part("browser tests", |count| browser_tests(&scope, count));
    if !matches!(&scope, Scope::Named(name) if !APP_CONFIGURATION.contains(name.as_str())) {
        report.check(APP_CONFIGURATION, app_config::check);
    }
    if matches!(scope, Scope::All { full: true }) {
        report.check("lighthouse", lighthouse::check);
        report.check("a sample of mutants", mutants::sample);
    }
    if let Scope::Named(name) = &scope
        && !report.found_tests()
    {
        bail!("no test's name contains `{name}`");
    }
    Ok(report.finish())
}

/// Builds the Functions and runs the Rust tests in scope, with a PostgreSQL beside them.
pub fn tests(report: &mut Report, scope: &Scope) {
    report.preparation("Functions", functions::build);
    report.part("Rust tests", |count| {
        if !matches!(scope, Scope::Unit) {
            npm::packages()?; // one of them asks a server that is not ours
        }
        let postgres = cluster(Durability::None)?;
        cargo_test(&postgres, scope, count)
    });
}

fn cargo_test(postgres: &Cluster, scope: &Scope, count: &mut Count) -> Result<()> {
    let mut test = cargo();
    test.env("LOYALNEST_TEST_POSTGRES", &postgres.url);
    test.env("LOYALNEST_TEST_SCHEMAS", npm::shopify_schemas()?);
    // Tests wait for their database, a clock or a line: two share a processor.
    let threads = 2 * std::thread::available_parallelism()?.get();
    test.env("RUST_TEST_THREADS", threads.to_string());
    // The address of somebody's real database is not for tests to find.
    test.env_remove("DATABASE_URL");
    test.args(["test", "--workspace", "--locked", "--no-fail-fast"]);
    match scope {
        Scope::Unit => test.args(["--lib", "--bins"]),
        Scope::All { full: false } => &mut test,
        Scope::All { full: true } => test.args(["--", "--include-ignored"]),
        Scope::Named(name) => test.arg(name).args(["--", "--include-ignored"]),
    };
    process::watched(&mut test, |line| *count += cargo_line(line).unwrap_or_default())
}

/// The unit tests of what shoppers see, in Shopify's tester.
pub fn extension_tests(scope: &Scope, count: &mut Count) -> Result<()> {
    let vitest = npm::packages()?.join("vitest/vitest.mjs");
    let mut node = in_root("node");
    node.env("NO_COLOR", "1").arg(vitest).args(["run", "--passWithNoTests"]);
    if let Scope::Named(name) = scope {
        node.args(["--testNamePattern", &escaped(name)]);
    }
    let result = process::watched(&mut node, |line| *count += vitest_line(line).unwrap_or_default());
    if matches!(scope, Scope::Named(_)) {
        count.skipped = 0; // vitest calls every other test skipped
    }
    result
}

/// The Node tests: the demo in a real browser.
fn browser_tests(scope: &Scope, count: &mut Count) -> Result<()> {
    let files = browser_test_files(scope)?;
    if files.is_empty() {
        return Ok(());
    }
    extensions::build()?;
    // What native Rust says, for the rules for JavaScript to be held against.
    let answers =
        ["build", "--quiet", "--locked", "--workspace", "--example", "answers", "--example", "tills"];
    process::run(cargo().args(answers))?;
    let mut node = in_root("node");
    node.env("ANSWERS", debug_binary("examples"));
    if matches!(scope, Scope::All { full: true }) {
        node.env("CASES", "100000");
    }
    node.env("CHROMIUM", chromium::executable()?).env("SCREENSHOTS", target_dir().join("screenshots"));
    node.args(["--test", "--test-reporter=spec", "--test-concurrency=2"]);
    if let Scope::Named(name) = scope {
        node.args(["--test-name-pattern", &escaped(name)]);
    }
    let result = process::watched(node.args(files), |line| *count += node_line(line).unwrap_or_default());
    if matches!(scope, Scope::Named(_)) {
        count.skipped = 0; // Node calls every other test skipped
    }
    result
}

/// The files with tests in scope: a name that is sought stands in the file.
fn browser_test_files(scope: &Scope) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for folder in NODE_TESTS {
        for entry in fs::read_dir(root().join(folder))? {
            let path = entry?.path();
            if !path.to_str().is_some_and(|name| name.ends_with(".test.mjs")) {
                continue;
            }
            match scope {
                Scope::Named(name) if !fs::read_to_string(&path)?.contains(name) => {}
                _ => files.push(path),
            }
        }
    }
    files.sort();
    Ok(files)
}
