//! Reading a Function's extension folder as the Shopify CLI lays it out.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use function_runner::Runner;
use serde::Deserialize;

use super::{Function, FunctionError, WasmHost};

#[derive(Deserialize)]
struct Manifest {
    extensions: Vec<Extension>,
}

#[derive(Deserialize)]
struct Extension {
    handle: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    targeting: Vec<Targeting>,
    input: Option<Input>,
}

#[derive(Deserialize)]
struct Targeting {
    target: String,
    export: String,
    input_query: PathBuf,
}

#[derive(Deserialize)]
struct Input {
    variables: Option<Variables>,
}

#[derive(Deserialize)]
struct Variables {
    namespace: String,
    key: String,
}

impl Function {
    /// Installs the Function of an extension folder with its built `.wasm`.
    ///
    /// # Errors
    /// When a file is missing or not valid.
    pub fn load(runner: &Runner, folder: &Path, wasm: &Path) -> Result<Self, FunctionError> {
        let path = folder.join("shopify.extension.toml");
        let wrong = |reason: String| FunctionError::Manifest { path: path.clone(), reason };
        let manifest: Manifest = toml::from_str(&read(&path)?).map_err(|error| wrong(error.to_string()))?;
        let extension = manifest
            .extensions
            .into_iter()
            .find(|extension| extension.kind == "function")
            .ok_or_else(|| wrong("no extension of type function".into()))?;

        let mut queries = Vec::new();
        for targeting in &extension.targeting {
            queries.push(read(&folder.join(&targeting.input_query))?);
        }
        let targets: Vec<_> = (extension.targeting.iter().zip(&queries))
            .map(|(targeting, query)| (targeting.target.as_str(), targeting.export.as_str(), query.as_str()))
            .collect();
        let schema = read(&folder.join("schema.graphql"))?;
        let host = Arc::new(WasmHost::load(runner, wasm)?);
        let mut function = Self::new(&extension.handle, &schema, &targets, host)?;
        function.variables = extension
            .input
            .and_then(|input| input.variables)
            .map(|variables| (variables.namespace, variables.key));
        Ok(function)
    }

    /// Installs the Function of every extension folder below a folder, each with the `.wasm` of the folder's name among
    /// the built ones; folders of other extensions are passed over.
    ///
    /// # Errors
    /// When a Function's files are missing or not valid.
    pub fn load_all(extensions: &Path) -> Result<Vec<Self>, FunctionError> {
        let unreadable = |source| FunctionError::File { path: extensions.to_owned(), source };
        let mut folders: Vec<PathBuf> = Vec::new();
        for entry in std::fs::read_dir(extensions).map_err(unreadable)? {
            folders.push(entry.map_err(unreadable)?.path());
        }
        folders.retain(|folder| is_function(folder));
        folders.sort();
        let runner = Runner::new().map_err(|error| FunctionError::Wasm(error.to_string()))?;
        let wasm = |folder: &Path| {
            let name = folder.file_name().unwrap_or_default();
            function_runner::artefacts_folder().join(name).with_extension("wasm")
        };
        folders.iter().map(|folder| Self::load(&runner, folder, &wasm(folder))).collect()
    }
}

fn is_function(folder: &Path) -> bool {
    std::fs::read_to_string(folder.join("shopify.extension.toml"))
        .is_ok_and(|toml| toml.lines().any(|line| line.replace(' ', "").starts_with("type=\"function\"")))
}

fn read(path: &Path) -> Result<String, FunctionError> {
    std::fs::read_to_string(path).map_err(|source| FunctionError::File { path: path.to_owned(), source })
}
