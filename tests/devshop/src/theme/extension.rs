//! A theme app extension, read from its folder for every page: what is changed there shows at once.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value};

use super::ThemeError;
use crate::liquid::Locale;

/// Its folder.
#[derive(Debug, Clone)]
pub(super) struct Extension(PathBuf);

/// A block's template, and what its schema says of it.
#[derive(Debug)]
pub(super) struct Block {
    pub template: String,
    pub schema: Schema,
}

/// What the schema says, as far as a page depends on it.
#[derive(Debug, Deserialize)]
pub(super) struct Schema {
    pub javascript: Option<String>,
    pub stylesheet: Option<String>,
    #[serde(default)]
    settings: Vec<Setting>,
}

#[derive(Debug, Deserialize)]
struct Setting {
    id: Option<String>,
    default: Option<Value>,
}

impl Schema {
    /// The settings as the merchant has left them.
    pub fn defaults(&self) -> Map<String, Value> {
        let set =
            self.settings.iter().filter_map(|setting| Some((setting.id.clone()?, setting.default.clone()?)));
        set.collect()
    }
}

impl Extension {
    pub fn at(folder: PathBuf) -> Self {
        Self(folder)
    }

    pub fn block(&self, name: &str) -> Result<Block, ThemeError> {
        let template = self.read(&["blocks", &format!("{name}.liquid")])?;
        let schema =
            template.split_once("{% schema %}").and_then(|(_, rest)| rest.split_once("{% endschema %}"));
        let (schema, _) = schema.ok_or_else(|| ThemeError::Schema(name.to_owned()))?;
        let schema = serde_json::from_str(schema).map_err(|_| ThemeError::Schema(name.to_owned()))?;
        Ok(Block { template, schema })
    }

    /// Names and texts.
    pub fn snippets(&self) -> Result<Vec<(String, String)>, ThemeError> {
        self.texts("snippets", ".liquid")
    }

    /// What it says in a language, and in its default one for whatever it does not say in that.
    pub fn locale(&self, tag: &str) -> Result<Locale, ThemeError> {
        let mut files = self.texts("locales", ".json")?;
        files.retain(|(name, _)| !name.ends_with(".schema"));
        files.sort_by_key(|(name, _)| !name.ends_with(".default"));
        let files = files.iter().map(|(name, text)| (name.trim_end_matches(".default"), text.as_str()));
        Ok(Locale::new(tag, files)?)
    }

    /// An asset, if there is one of this name.
    pub fn asset(&self, name: &str) -> Option<Vec<u8>> {
        let is_plain = name.chars().all(|sign| sign.is_ascii_alphanumeric() || "-_.".contains(sign));
        let path = self.0.join("assets").join(name);
        (is_plain && !name.starts_with('.')).then(|| fs::read(path).ok())?
    }

    fn read(&self, parts: &[&str]) -> Result<String, ThemeError> {
        let path = parts.iter().fold(self.0.clone(), |path, part| path.join(part));
        text(&path)
    }

    fn texts(&self, folder: &str, ending: &str) -> Result<Vec<(String, String)>, ThemeError> {
        let folder = self.0.join(folder);
        let unreadable = |source| ThemeError::File { path: folder.clone(), source };
        let mut texts = Vec::new();
        for entry in fs::read_dir(&folder).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            let name =
                path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(ending));
            if let Some(name) = name {
                texts.push((name.to_owned(), text(&path)?));
            }
        }
        Ok(texts)
    }
}

fn text(path: &Path) -> Result<String, ThemeError> {
    fs::read_to_string(path).map_err(|source| ThemeError::File { path: path.to_owned(), source })
}
