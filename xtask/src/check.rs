//! `cargo xtask check`: what a contributor runs before every commit.

use std::net::{TcpStream, ToSocketAddrs};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;

use crate::report::{Count, Report};
use crate::setup::{npm, programs, rust};
use crate::test::{self, Scope};
use crate::workspace::{cargo, in_root};
use crate::{process, progress};

/// The crates that become WebAssembly.
const WASM_CRATES: [&str; 6] =
    ["loyalty", "loyalty-wasm", "function-input", "points-redemption", "redemption-guard", "tier-delivery"];

/// Runs the quick checks and the unit tests.
pub fn run() -> Result<ExitCode> {
    let mut report = Report::new();
    checks(&mut report);
    let scope = Scope::Unit;
    test::tests(&mut report, &scope);
    report.part("extension tests", |count| test::extension_tests(&scope, count));
    Ok(report.finish())
}

/// Everything that is no test: format, lints, documentation, licences.
pub fn checks(report: &mut Report) {
    report.check("format", || process::run(cargo().args(["fmt", "--all", "--check"])));
    if std::env::var_os("CI").is_some() {
        // In a clean clone cargo has by now brought a stale lock file up to date, and `--locked` would not tell.
        report.check("lock files", || {
            let files = ["Cargo.lock", "package-lock.json"];
            process::run(in_root("git").args(["diff", "--exit-code", "--stat", "HEAD", "--"]).args(files))
        });
    }
    report.check("clippy", || {
        let workspace = ["clippy", "--workspace", "--all-targets", "--locked"];
        process::run(cargo().args(workspace).args(["--", "-D", "warnings"]))
    });
    report.check("clippy for WebAssembly", || {
        rust::target("wasm32-unknown-unknown")?;
        let mut clippy = cargo();
        clippy.args(["clippy", "--locked", "--target", "wasm32-unknown-unknown"]);
        for name in WASM_CRATES {
            clippy.args(["--package", name]);
        }
        process::run(clippy.args(["--", "-D", "warnings"]))
    });
    report.check("theme", || {
        npm::packages()?;
        process::run(in_root("node").arg("tests/theme/check.mjs"))
    });
    report.check("documentation", || {
        let mut doc = cargo();
        doc.env("RUSTDOCFLAGS", "-D warnings");
        process::run(doc.args(["doc", "--workspace", "--no-deps", "--document-private-items", "--locked"]))
    });
    report.check("dependencies and licences", || {
        process::run(in_root(programs::DENY.path()?).args([
            "--all-features",
            "check",
            "bans",
            "licenses",
            "sources",
        ]))
    });
    report.part("advisories", |count| {
        if !reachable("github.com:443") {
            progress::note(
                "not checked: the advisory database is at github.com, which cannot be reached from here",
            );
            *count = Count::SKIPPED;
            return Ok(());
        }
        process::run(in_root(programs::DENY.path()?).args(["--all-features", "check", "advisories"]))?;
        *count = Count::PASSED;
        Ok(())
    });
}

fn reachable(address: &str) -> bool {
    let Ok(addresses) = address.to_socket_addrs() else { return false };
    let timeout = Duration::from_secs(3);
    addresses.take(2).any(|address| TcpStream::connect_timeout(&address, timeout).is_ok())
}
