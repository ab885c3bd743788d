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
    target: Target,
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
    /// The extension of a folder, whose Function has this target.
    pub fn open(folder: &str, target: Target) -> Extension {
        let folder = PathBuf::from(folder);
        let name = folder.file_name().unwrap().to_str().unwrap();
        let function = Runner::new().and_then(|runner| runner.load_named(name));
        let function = function.unwrap_or_else(|error| panic!("{error}"));
        Extension { folder, target, function }
    }

    /// Runs the WebAssembly.
    pub fn wasm(&self, input: &Value) -> Run {
        let lines = input["cart"]["lines"].as_array().map_or(0, Vec::len);
        let run = self.function.run(&self.target.export(), input, Scale::lines(lines));
        run.unwrap_or_else(|error| panic!("{error}\n{input:#}"))
    }

    /// Runs both, which must agree.
    pub fn run(&self, input: &Value) -> Value {
        let output = self.wasm(input).output;
        assert_eq!(output, (self.target.native)(input), "WebAssembly and native must agree on\n{input:#}");
        output
    }

    /// Asserts that a run takes no more instructions than planned.
    #[track_caller]
    pub fn assert_within(&self, budget: u64, input: &Value) {
        let run = self.wasm(input);
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
            assert_eq!(&self.run(input), output, "{name}");
            let sorted = reorder(input, |members| members.sort_by(|a, b| a.0.cmp(&b.0)));
            assert_eq!(&self.run(&sorted), output, "{name}, sorted");
            assert_eq!(&self.run(&reorder(input, |members| members.reverse())), output, "{name}, reversed");
        }
    }

    /// Schema, query and fixtures agree with the published schema of this name.
    pub fn check_published(&self, schema: &str) {
        assert!(
            std::env::var_os("LOYALNEST_TEST_SCHEMAS").is_some(),
            "LOYALNEST_TEST_SCHEMAS must name the folder of the published schemas; `cargo xtask test` sets it"
        );
        let output = Command::new("node")
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("published-schema.mjs"))
            .arg(&self.folder)
            .arg(schema)
            .arg(self.folder.join("tests/fixtures"))
            .output()
            .expect("node must be installed");
        let (said, problems) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{problems}{said}");
        assert_eq!(said.trim(), format!("{} fixtures", self.fixtures().len()));
    }

    /// The manifest says what the CLI knows, and names what there is.
    pub fn check_manifest(&self) {
        let file: toml::Table =
            std::fs::read_to_string(self.folder.join("shopify.extension.toml")).unwrap().parse().unwrap();
        let name = self.folder.file_name().unwrap().to_str().unwrap();
        let package = name.replace('-', "_");
        let extension = &file["extensions"][0];
        let keys = |table: &toml::Value| table.as_table().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(keys(extension), ["build", "description", "handle", "name", "targeting", "type"]);
        assert_eq!(file["api_version"].as_str(), Some("2026-10"));
        assert_eq!(
            (extension["type"].as_str(), extension["handle"].as_str()),
            (Some("function"), Some(name))
        );
        assert_eq!(extension["targeting"].as_array().unwrap().len(), 1);
        let targeting = &extension["targeting"][0];
        let text = |key: &str| targeting[key].as_str().unwrap().to_owned();
        assert_eq!((text("target"), text("export")), (self.target.name.to_owned(), self.target.export()));
        assert!(self.folder.join(text("input_query")).is_file());
        let run = self.function.run(&self.target.export(), &json!({}), Scale::ONE);
        assert!(!matches!(run, Err(RunError::Export(_))), "no export {}", self.target.export());
        let path = format!("../../target/wasm32-unknown-unknown/function/{package}.wasm");
        assert_eq!(extension["build"]["path"].as_str(), Some(path.as_str()));
        for watched in extension["build"]["watch"].as_array().unwrap() {
            let start = watched.as_str().unwrap().split('*').next().unwrap();
            assert!(self.folder.join(start).exists(), "{start}");
        }
    }
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
