//! Three layers of settings over each other. The default file is the schema: what is not in it does not exist, and
//! a value has the type it has there.

use toml::{Table, Value};

use super::{ConfigError, DEFAULT_FILE};

/// Variables that others name, and the setting each is.
const NAMED_BY_OTHERS: [(&str, &str); 10] = [
    ("DATABASE_URL", "database.url"),
    ("PORT", "web.port"),
    ("HOST", "web.public_url"),
    ("SHOPIFY_API_KEY", "shopify.api_key"),
    ("SHOPIFY_API_SECRET", "shopify.api_secret"),
    ("SCOPES", "shopify.scopes"),
    ("RUST_LOG", "log.filter"),
    ("LOYALNEST_SHOPIFY_URL", "shopify.url"),
    ("LOYALNEST_ENCRYPTION_KEY", "security.encryption_key"),
    ("LOYALNEST_ENCRYPTION_KEYS_OLD", "security.encryption_keys_old"),
];

/// Variables of ours that are no settings: arguments of single commands, and the tests' own.
fn is_no_setting(name: &str) -> bool {
    matches!(name, "LOYALNEST_SHOP_TOKEN" | "LOYALNEST_CONFIG") || name.starts_with("LOYALNEST_TEST_")
}

/// The default file, overlaid with a file (its name and text) and the environment.
pub(super) fn merge(
    file: Option<(String, String)>,
    environment: &[(String, String)],
) -> Result<Table, ConfigError> {
    let mut settings: Table = parse("default.toml", DEFAULT_FILE)?;
    if let Some((name, text)) = file {
        for (section, keys) in parse(&name, &text)? {
            let Value::Table(keys) = keys else {
                return Err(ConfigError(format!("{name}: {section} must be a section")));
            };
            if !settings.contains_key(&section) {
                return Err(unknown(&name, &section));
            }
            for (key, value) in keys {
                set(&mut settings, &name, &format!("{section}.{key}"), value)?;
            }
        }
    }
    for (name, text) in environment {
        let Some(path) = setting_of(name)? else { continue };
        let value = read(&settings, name, &path, text)?;
        set(&mut settings, name, &path, value)?;
    }
    Ok(settings)
}

fn parse(name: &str, text: &str) -> Result<Table, ConfigError> {
    text.parse().map_err(|error| ConfigError(format!("{name}: {error}")))
}

/// The setting that a variable is, if it is one of ours.
fn setting_of(name: &str) -> Result<Option<String>, ConfigError> {
    if let Some((_, path)) = NAMED_BY_OTHERS.iter().find(|(known, _)| *known == name) {
        return Ok(Some((*path).to_owned()));
    }
    match name.strip_prefix("LOYALNEST_") {
        None => Ok(None),
        Some(_) if is_no_setting(name) => Ok(None),
        Some(rest) => match rest.split_once("__") {
            Some((section, key)) => Ok(Some(format!("{section}.{key}").to_ascii_lowercase())),
            None => Err(ConfigError(format!("{name}: settings are named LOYALNEST_SECTION__KEY"))),
        },
    }
}

fn unknown(source: &str, path: &str) -> ConfigError {
    ConfigError(format!("{source}: there is no setting {path}"))
}

fn set(settings: &mut Table, source: &str, path: &str, value: Value) -> Result<(), ConfigError> {
    let current = path.split_once('.').and_then(|(section, key)| settings.get_mut(section)?.get_mut(key));
    let current = current.ok_or_else(|| unknown(source, path))?;
    if !current.same_type(&value) {
        return Err(ConfigError(format!("{source}: {path} must be {}", kind(current))));
    }
    *current = value;
    Ok(())
}

/// A variable's text as the type its setting has.
fn read(settings: &Table, name: &str, path: &str, text: &str) -> Result<Value, ConfigError> {
    let current = path.split_once('.').and_then(|(section, key)| settings.get(section)?.get(key));
    let current = current.ok_or_else(|| unknown(name, path))?;
    let value = match current {
        Value::Integer(_) => text.trim().parse().ok().map(Value::Integer),
        Value::Boolean(_) => text.trim().parse().ok().map(Value::Boolean),
        Value::Array(_) => {
            Some(Value::Array(text.split(',').map(|item| Value::String(item.trim().to_owned())).collect()))
        }
        _ => Some(Value::String(text.to_owned())),
    };
    value.ok_or_else(|| ConfigError(format!("{name} ({path}) must be {}", kind(current))))
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Integer(_) => "a whole number",
        Value::Boolean(_) => "true or false",
        Value::Array(_) => "a list",
        _ => "a string",
    }
}
