//! What every Function is tested for, beside its own rules: that the WebAssembly and the same code run natively agree on
//! every fixture, in whatever order the input's members come; that schema, queries and fixtures agree with what Shopify
//! publishes; that the code knows its queries; that the manifest is right.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests may stop them")]

mod queries;

use std::path::{Path, PathBuf};
use std::process::Command;

use function_input::Input;
use function_runner::{Function, Run, RunError, Runner, Scale};
use serde_json::{Value, json};
use shopify_function::wasm_api::{Context, Deserialize, Serialize};
use toml::Table;

/// One target of a Function: how the same code is run natively.
pub struct Target {
    /// Such as `cart.validations.generate.run`; its export and its query have the same name with underscores.
    pub name: &'static str,
    /// Answers an input.
    pub native: fn(&Value) -> Value,
}

impl Target {
    /// What the WebAssembly calls it.
    pub fn export(&self) -> String {
        self.name.replace(['.', '-'], "_")
    }
}

/// A Function and its folder.
pub struct Extension {
    folder: PathBuf,
    targets: Vec<Target>,
    /// The built Function.
    pub function: Function,
}

/// Runs a target natively.
pub fn native<O: Serialize>(input: &Value, target: impl Fn(Input) -> shopify_function::Result<O>) -> Value {
    let mut context = Context::new_with_input(input.clone());
    let input = Input::deserialize(&context.input_get().unwrap()).unwrap();
    target(input).unwrap().serialize(&mut context).unwrap();
    context.finalize_output_and_return().unwrap()
}

impl Extension {
    /// The extension of a folder, whose Function has these targets.
    pub fn open(folder: &str, targets: impl Into<Vec<Target>>) -> Extension {
        let folder = PathBuf::from(folder);
        let name = folder.file_name().unwrap().to_str().unwrap();
        let function = Runner::new().and_then(|runner| runner.load_named(name));
        let function = function.unwrap_or_else(|error| panic!("{error}"));
        Extension { folder, targets: targets.into(), function }
    }

    /// Runs the WebAssembly.
    pub fn wasm(&self, export: &str, input: &Value) -> Run {
        let lines = input["cart"]["lines"].as_array().map_or(0, Vec::len);
        let run = self.function.run(export, input, Scale::lines(lines));
        run.unwrap_or_else(|error| panic!("{error}\n{input:#}"))
    }

    /// Runs both, which must agree.
    pub fn run(&self, export: &str, input: &Value) -> Value {
        let target = self.targets.iter().find(|target| target.export() == export);
        let native = target.unwrap_or_else(|| panic!("no export {export}")).native;
        let output = self.wasm(export, input).output;
        assert_eq!(output, native(input), "WebAssembly and native must agree on\n{input:#}");
        output
    }

    /// Asserts that a run takes no more instructions than planned.
    #[track_caller]
    pub fn assert_within(&self, budget: u64, export: &str, input: &Value) {
        let run = self.wasm(export, input);
        // Without production's compiler for the provider the count is an estimate, which may be this much too high.
        let budget = if run.exact { budget } else { budget * 105 / 100 };
        assert!(run.instructions <= budget, "{} instructions, {budget} are planned", run.instructions);
    }

    /// The fixtures: name, and what Shopify calls the payload.
    pub fn fixtures(&self) -> Vec<(String, Value)> {
        let read = |entry: std::io::Result<std::fs::DirEntry>| {
            let path = entry.unwrap().path();
            let mut fixture: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            (path.file_stem().unwrap().to_string_lossy().into_owned(), fixture["payload"].take())
        };
        std::fs::read_dir(self.folder.join("tests/fixtures")).unwrap().map(read).collect()
    }

    /// Each fixture gives its output, also when the input's members are sorted or turned around.
    pub fn check_fixtures(&self) {
        for (name, payload) in self.fixtures() {
            let (input, output) = (&payload["input"], &payload["output"]);
            let run = |input: &Value| self.run(payload["export"].as_str().unwrap(), input);
            assert_eq!(&run(input), output, "{name}");
            let sorted = reorder(input, |members| members.sort_by(|a, b| a.0.cmp(&b.0)));
            assert_eq!(&run(&sorted), output, "{name}, sorted");
            assert_eq!(&run(&reorder(input, |members| members.reverse())), output, "{name}, reversed");
        }
    }

    /// Schema, queries and fixtures agree with the published schema of this name; `more` are folders of fixtures that were
    /// made for this.
    pub fn check_published(&self, schema: &str, more: &[&Path]) {
        assert!(
            std::env::var_os("LOYALNEST_TEST_SCHEMAS").is_some(),
            "LOYALNEST_TEST_SCHEMAS must name the folder of the published schemas; `cargo xtask test` sets it"
        );
        let output = Command::new("node")
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("published-schema.mjs"))
            .arg(&self.folder)
            .arg(schema)
            .arg(self.folder.join("tests/fixtures"))
            .args(more)
            .output()
            .expect("node must be installed");
        let (said, problems) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{problems}{said}");
        let made: usize = more.iter().map(|folder| std::fs::read_dir(folder).unwrap().count()).sum();
        assert_eq!(said.trim(), format!("{} fixtures", self.fixtures().len() + made));
    }

    /// `shopify.extension.toml`.
    pub fn manifest(&self) -> Table {
        std::fs::read_to_string(self.folder.join("shopify.extension.toml")).unwrap().parse().unwrap()
    }

    /// The manifest says what Shopify's command line knows, and names what there is: it does not notice unknown keys,
    /// targets, versions, exports or missing files. `more` are keys of the extension that not every Function has.
    pub fn check_manifest(&self, more: &[&str]) {
        let file = self.manifest();
        let name = self.folder.file_name().unwrap().to_str().unwrap();
        assert_eq!(keys(&file), ["api_version", "extensions"]);
        assert_eq!(file["api_version"].as_str(), Some("2026-10"));
        let [extension] = file["extensions"].as_array().unwrap().as_slice() else { panic!("one extension") };
        let extension = extension.as_table().unwrap();
        let mut known = ["build", "description", "handle", "name", "targeting", "type"].to_vec();
        known.extend(more);
        known.sort_unstable();
        assert_eq!(keys(extension), known);
        assert_eq!(
            (extension["type"].as_str(), extension["handle"].as_str()),
            (Some("function"), Some(name))
        );
        let mut targets = Vec::new();
        for targeting in extension["targeting"].as_array().unwrap() {
            let targeting = targeting.as_table().unwrap();
            assert_eq!(keys(targeting), ["export", "input_query", "target"]);
            let text = |key: &str| targeting[key].as_str().unwrap().to_owned();
            assert!(self.folder.join(text("input_query")).is_file(), "{}", text("input_query"));
            let run = self.function.run(&text("export"), &json!({}), Scale::ONE);
            assert!(!matches!(run, Err(RunError::Export(_))), "no export {}", text("export"));
            targets.push((text("target"), text("export")));
        }
        let ours = self.targets.iter().map(|target| (target.name.to_owned(), target.export()));
        assert_eq!(targets, ours.collect::<Vec<_>>());
        self.check_build(extension["build"].as_table().unwrap(), name);
    }

    /// The build makes the file that it names, and is done again when something changes that it is made of.
    fn check_build(&self, build: &Table, name: &str) {
        assert_eq!(keys(build), ["command", "path", "watch"]);
        let command = build["command"].as_str().unwrap();
        for part in [name, "--profile function", "--target wasm32-unknown-unknown"] {
            assert!(command.contains(part), "{command}");
        }
        let path = format!("../../target/wasm32-unknown-unknown/function/{}.wasm", name.replace('-', "_"));
        assert_eq!(build["path"].as_str(), Some(path.as_str()));
        for watched in build["watch"].as_array().unwrap() {
            let start = watched.as_str().unwrap().split('*').next().unwrap();
            assert!(self.folder.join(start).exists(), "{start}");
        }
    }
}

fn keys(table: &Table) -> Vec<&str> {
    table.keys().map(String::as_str).collect()
}

fn reorder(value: &Value, order: fn(&mut Vec<(String, Value)>)) -> Value {
    match value {
        Value::Array(elements) => elements.iter().map(|element| reorder(element, order)).collect(),
        Value::Object(members) => {
            let reordered = members.iter().map(|(name, value)| (name.clone(), reorder(value, order)));
            let mut members: Vec<_> = reordered.collect();
            order(&mut members);
            members.into_iter().collect()
        }
        other => other.clone(),
    }
}

/// Every place in a value, as JSON pointers.
pub fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(name, value)| places(value, &format!("{at}/{name}"), found))
        }
        Value::Array(elements) => {
            elements.iter().enumerate().for_each(|(n, value)| places(value, &format!("{at}/{n}"), found));
        }
        _ => {}
    }
}
