//! What a storefront says: the sentences of its locale files.

use icu_locale_core::Locale as Tag;
use icu_plurals::{PluralCategory, PluralRules, PluralRulesPreferences};
use serde_json::Value;

/// A language's sentences, and those of the default language for what it lacks.
pub(crate) struct Locale {
    tag: String,
    /// The language's own first.
    sentences: Vec<Value>,
    language: PluralRulesPreferences,
}

/// Why there is no such locale.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LocaleError {
    #[error("{0} is no tag of a language")]
    Tag(String),
    #[error("a locale file is no JSON: {0}")]
    File(#[from] serde_json::Error),
}

impl Locale {
    /// Of the files, given as tag and text with the default one first, the language's and the default one.
    ///
    /// # Errors
    /// When the tag is none, or one of both files is no JSON.
    pub fn new<'f>(
        tag: &str,
        files: impl IntoIterator<Item = (&'f str, &'f str)>,
    ) -> Result<Self, LocaleError> {
        let language: Tag = tag.parse().map_err(|_| LocaleError::Tag(tag.to_owned()))?;
        let mut sentences = Vec::new();
        for (at, (name, text)) in files.into_iter().enumerate() {
            if at == 0 {
                sentences.push(serde_json::from_str(text)?);
            } else if name == tag {
                sentences.insert(0, serde_json::from_str(text)?);
            }
        }
        Ok(Self { tag: tag.to_owned(), sentences, language: (&language).into() })
    }

    /// Its tag.
    pub fn tag(&self) -> &str {
        &self.tag
    }

    /// The sentence of a key such as `panel.close`; of one with plural forms, the form for a count.
    pub fn sentence(&self, key: &str, count: Option<i64>) -> Option<&str> {
        self.sentences.iter().find_map(|all| {
            let found = key.split('.').try_fold(all, |at, part| at.get(part))?;
            match (found, count) {
                (Value::Object(forms), Some(count)) => {
                    forms.get(self.form(count)).or_else(|| forms.get("other"))?.as_str()
                }
                _ => found.as_str(),
            }
        })
    }

    /// The plural form for a count.
    fn form(&self, count: i64) -> &'static str {
        match PluralRules::try_new_cardinal(self.language).map(|rules| rules.category_for(count)) {
            Ok(PluralCategory::Zero) => "zero",
            Ok(PluralCategory::One) => "one",
            Ok(PluralCategory::Two) => "two",
            Ok(PluralCategory::Few) => "few",
            Ok(PluralCategory::Many) => "many",
            Ok(PluralCategory::Other) | Err(_) => "other",
        }
    }
}

/// Text that is safe in markup and in attributes.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for sign in text.chars() {
        match sign {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_language_has_its_plurals_and_english_what_it_lacks() {
        let english = r#"{"points": {"one": "point", "other": "points"}, "close": "Close"}"#;
        let polish = r#"{"points": {"one": "punkt", "few": "punkty", "many": "punktów", "other": "punktu"}}"#;
        let files = [("en", english), ("pl", polish)];
        let locale = Locale::new("pl", files).unwrap();
        let forms = [1, 3, 5, 22, 112].map(|count| locale.sentence("points", Some(count)).unwrap());
        assert_eq!(forms, ["punkt", "punkty", "punktów", "punkty", "punktów"]);
        assert_eq!(locale.sentence("close", None), Some("Close"));
        assert_eq!(locale.sentence("points.few", None), Some("punkty"));
        assert_eq!(locale.sentence("open", None), None);
        let unknown = Locale::new("sw", files).unwrap();
        assert_eq!(unknown.sentence("points", Some(1)), Some("point"));
        assert!(matches!(Locale::new("no language", files), Err(LocaleError::Tag(_))));
    }
}
