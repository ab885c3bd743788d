//! The files, and what an extension's file names.

use std::path::{Path, PathBuf};

use toml::Table;

use super::published::Published;

pub struct Files {
    pub app: Table,
    pub web: Table,
    pub extensions: Vec<Extension>,
    texts: [String; 2],
}

pub struct Extension {
    pub folder: PathBuf,
    pub file: Table,
    text: String,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

impl Files {
    pub fn read() -> Self {
        let read = |path: PathBuf| std::fs::read_to_string(path).unwrap();
        let texts = ["shopify.app.toml", "shopify.web.toml"].map(|name| read(root().join(name)));
        let mut extensions = Vec::new();
        for entry in std::fs::read_dir(root().join("extensions")).unwrap() {
            let folder = entry.unwrap().path();
            // What extensions import is no extension.
            let file = folder.join("shopify.extension.toml");
            if !file.is_file() {
                continue;
            }
            let text = read(file);
            extensions.push(Extension { folder, file: text.parse().unwrap(), text });
        }
        assert!(!extensions.is_empty());
        Files { app: texts[0].parse().unwrap(), web: texts[1].parse().unwrap(), extensions, texts }
    }

    pub fn change_app(&mut self, from: &str, to: &str) {
        self.app = changed(&self.texts[0], from, to);
    }

    pub fn change_web(&mut self, from: &str, to: &str) {
        self.web = changed(&self.texts[1], from, to);
    }

    /// Changes the Function's file.
    pub fn change_extension(&mut self, from: &str, to: &str) {
        let extension =
            self.extensions.iter_mut().find(|known| known.folder.ends_with("points-redemption")).unwrap();
        extension.file = changed(&extension.text, from, to);
    }
}

/// The file with the first `from` replaced.
fn changed(text: &str, from: &str, to: &str) -> Table {
    assert!(text.contains(from), "nothing to break: {from}");
    text.replacen(from, to, 1).parse().unwrap()
}

impl Extension {
    pub fn name(&self) -> String {
        self.folder.file_name().unwrap().to_str().unwrap().to_owned()
    }

    /// What it names and Shopify, or the folder, does not have.
    pub fn complaints(&self, published: &Published) -> Vec<String> {
        let mut all = Vec::new();
        let name = self.name();
        if let Some(version) = self.file.get("api_version").and_then(|version| version.as_str())
            && !published.versions.contains(version)
        {
            all.push(format!("{name}: there is no version {version}"));
        }
        let extensions = self.file.get("extensions").and_then(|list| list.as_array()).into_iter().flatten();
        for extension in extensions {
            let is_function = extension.get("type").and_then(|kind| kind.as_str()) == Some("function");
            let targets = extension.get("targeting").and_then(|list| list.as_array()).into_iter().flatten();
            for targeting in targets {
                let text = |key: &str| targeting.get(key).and_then(|value| value.as_str());
                match text("target") {
                    Some(target) if is_function && !published.targets.contains(&camel_case(target)) => {
                        all.push(format!("{name}: no Function has a target {target}"));
                    }
                    Some(_) => {}
                    None => all.push(format!("{name}: a targeting without its target")),
                }
                for file in [text("input_query"), text("module")].into_iter().flatten() {
                    if !self.folder.join(file).is_file() {
                        all.push(format!("{name}: there is no file {file}"));
                    }
                }
            }
        }
        all
    }
}

/// `cart.delivery-options.transform.run` as the schema writes it: `cartDeliveryOptionsTransformRun`.
fn camel_case(target: &str) -> String {
    let mut words = target.split(['.', '-']);
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| {
        let (head, rest) = word.split_at(word.chars().next().map_or(0, char::len_utf8));
        name + &head.to_uppercase() + rest
    })
}
