//! Languages: their tags (BCP 47), and which of them to speak to someone.

use std::fmt;
use std::str::FromStr;

use icu_locale_core::LanguageIdentifier;
use serde::Serialize;

/// No tag of a language is longer that anybody uses: language, script, region and two variants.
const LONGEST: usize = 35;

/// A language: its tag in the usual spelling, such as `pt-BR` or `zh-Hant`. Language, script, region and variants;
/// no extensions, and never `und`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Language(String);

/// Not the tag of a language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the tag of a language, such as en, pt-BR or zh-Hant")]
pub struct InvalidLanguage;

impl Language {
    /// English, which everything has.
    pub fn english() -> Self {
        Language("en".to_owned())
    }

    /// The tag.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// From the most to the least special: `zh-Hant-TW`, `zh-Hant`, `zh`.
    fn widened(&self) -> impl Iterator<Item = &str> {
        let shorter = |tag: &&str| tag.rfind('-').map(|end| &self.0[..end]);
        std::iter::successors(Some(self.as_str()), shorter)
    }
}

impl FromStr for Language {
    type Err = InvalidLanguage;

    fn from_str(text: &str) -> Result<Self, InvalidLanguage> {
        if text.len() > LONGEST {
            return Err(InvalidLanguage);
        }
        let tag = LanguageIdentifier::try_from_str(text).map_err(|_| InvalidLanguage)?;
        if tag.language.is_unknown() {
            return Err(InvalidLanguage);
        }
        Ok(Language(tag.to_string()))
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which language to speak: the first that someone asked for and that is offered, itself or something wider (RFC 4647,
/// "lookup"), else the primary one, else English.
pub fn negotiate<'a>(
    asked: impl IntoIterator<Item = &'a Language>,
    offered: &[Language],
    primary: Option<&Language>,
) -> Language {
    let found = asked.into_iter().find_map(|language| {
        language.widened().find_map(|tag| offered.iter().find(|offered| offered.as_str() == tag))
    });
    found.or(primary).cloned().unwrap_or_else(Language::english)
}

/// A language that sentences are made in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tongue {
    /// English.
    En,
    /// German.
    De,
    /// French.
    Fr,
}

impl Tongue {
    /// All of them.
    pub const ALL: [Tongue; 3] = [Tongue::En, Tongue::De, Tongue::Fr];

    /// Its tag.
    pub fn tag(self) -> &'static str {
        match self {
            Tongue::En => "en",
            Tongue::De => "de",
            Tongue::Fr => "fr",
        }
    }

    /// The first of these that there is, itself or something wider; English, if there is none.
    pub fn first<'a>(asked: impl IntoIterator<Item = &'a Language>) -> Self {
        let offered: Vec<Language> =
            Tongue::ALL.iter().filter_map(|tongue| tongue.tag().parse().ok()).collect();
        let found = negotiate(asked, &offered, None);
        Tongue::ALL.into_iter().find(|tongue| tongue.tag() == found.as_str()).unwrap_or(Tongue::En)
    }

    /// One of three things: the English, the German or the French one.
    pub fn of_three<T>(self, [en, de, fr]: [T; 3]) -> T {
        match self {
            Tongue::En => en,
            Tongue::De => de,
            Tongue::Fr => fr,
        }
    }
}

/// Fills the places of a template, each once: what is filled in has no places of its own.
pub fn filled(template: &str, mut value: impl FnMut(&str) -> String) -> String {
    let mut text = String::with_capacity(template.len() + 32);
    let mut rest = template;
    while let Some((before, place, after)) = rest
        .split_once('{')
        .and_then(|(before, rest)| rest.split_once('}').map(|(place, after)| (before, place, after)))
    {
        text.push_str(before);
        text.push_str(&value(place));
        rest = after;
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn language(tag: &str) -> Language {
        tag.parse().unwrap_or_else(|_| panic!("{tag}"))
    }

    fn languages(tags: &[&str]) -> Vec<Language> {
        tags.iter().map(|tag| language(tag)).collect()
    }

    #[test]
    fn tags_are_spelled_in_one_way() {
        for (text, tag) in [
            ("en", "en"),
            ("EN-gb", "en-GB"),
            ("pt-br", "pt-BR"),
            ("ZH-hant-tw", "zh-Hant-TW"),
            ("es-419", "es-419"),
            ("de-ch-1996", "de-CH-1996"),
            ("fil", "fil"),
        ] {
            assert_eq!(language(text).as_str(), tag);
        }
    }

    #[test]
    fn what_is_no_tag_is_refused() {
        let long = "a".repeat(36);
        let deep = format!("en{}", "-variant".repeat(5));
        for text in [
            "",
            "-",
            "x",
            "xx-",
            "-en",
            "en--GB",
            "e1",
            "en-GB-",
            "en\0",
            "en-\0",
            "\0",
            "e n",
            "en-GB ",
            "und",
            "und-DE",
            "*",
            "en-*",
            "englisch1",
            "en-u-ca-buddhist",
            "en-x-ours",
            "x-ours",
            "é",
            "en,de",
            "en;q=1",
            &long,
            &deep,
        ] {
            assert_eq!(text.parse::<Language>(), Err(InvalidLanguage), "{text:?}");
        }
    }

    #[test]
    fn the_first_that_is_asked_for_and_offered_is_spoken_then_the_primary_then_english() {
        let offered = languages(&["fr", "de", "pt-BR", "zh-Hant"]);
        for (asked, primary, spoken) in [
            (vec!["de"], Some("fr"), "de"),
            (vec!["de-CH-1996"], Some("fr"), "de"),
            (vec!["zh-Hant-TW"], Some("fr"), "zh-Hant"),
            // What is offered is never more special than what was asked for.
            (vec!["zh"], Some("fr"), "fr"),
            (vec!["pt"], Some("fr"), "fr"),
            (vec!["pt-PT"], Some("fr"), "fr"),
            (vec!["nl", "pt-BR", "de"], Some("fr"), "pt-BR"),
            (vec!["nl"], None, "en"),
            (vec![], Some("fr"), "fr"),
            (vec![], None, "en"),
        ] {
            let (asked, primary) = (languages(&asked), primary.map(language));
            assert_eq!(negotiate(&asked, &offered, primary.as_ref()).as_str(), spoken, "{asked:?}");
        }
        assert_eq!(negotiate(&languages(&["de"]), &[], None).as_str(), "en");
    }
}
