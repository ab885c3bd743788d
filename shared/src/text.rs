//! Texts that merchants write and shoppers read, and the ids of what they set.

use alloc::vec::Vec;

/// Words that are no ids: they mean something to the code that ids travel through, or read like nobody or everybody.
const RESERVED: [&str; 13] = [
    "all",
    "any",
    "constructor",
    "default",
    "everyone",
    "false",
    "guest",
    "member",
    "none",
    "null",
    "prototype",
    "true",
    "undefined",
];

/// Whether a text may stand beside a discount: 1 to `most` characters of any script, in one line. A right-to-left name may
/// say where its direction begins and ends; one that does not end would turn the checkout's own text around.
pub(crate) fn is_sound(text: &str, most: usize) -> bool {
    let breaks = |sign| matches!(sign, '\u{2028}' | '\u{2029}' | '\u{feff}');
    !text.trim().is_empty()
        && text.chars().count() <= most
        && !text.chars().any(|sign| sign.is_control() || breaks(sign))
        && ends_what_it_turns(text)
}

/// Whether every embedding and isolate of Unicode's is closed, the last one first. Overrides, which show letters in another
/// order than they are written, are never.
fn ends_what_it_turns(text: &str) -> bool {
    let mut open = Vec::new();
    for sign in text.chars() {
        match sign {
            '\u{202a}' | '\u{202b}' => open.push('\u{202c}'),
            '\u{2066}'..='\u{2068}' => open.push('\u{2069}'),
            '\u{202c}' | '\u{2069}' if open.pop() != Some(sign) => return false,
            '\u{202d}' | '\u{202e}' => return false,
            _ => {}
        }
    }
    open.is_empty()
}

/// Whether a text is an id: 1 to 40 lower-case letters, digits and hyphens.
pub(crate) fn is_id(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=40).contains(&text.len()) && text.bytes().all(plain)
}

/// Whether a word is kept from being an id.
pub(crate) fn is_reserved(id: &str) -> bool {
    RESERVED.contains(&id)
}

/// The number of a global id such as `gid://shopify/ProductVariant/1`, if it is one of that kind.
pub(crate) fn gid_number<'a>(gid: &'a str, kind: &str) -> Option<&'a str> {
    let number = gid.strip_prefix("gid://shopify/")?.strip_prefix(kind)?.strip_prefix('/')?;
    let digits = !number.is_empty() && number.len() <= 20 && number.bytes().all(|byte| byte.is_ascii_digit());
    digits.then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_any_script_are_sound() {
        for name in [
            "Gold",
            "ذهبي",
            "זהב",
            "می‌خواهم",
            "ゴールド",
            "🥇 Élite",
            "A\u{200f}b",
            "\u{202b}נאמנות\u{202c} \u{2068}x\u{2069}",
        ] {
            assert!(is_sound(name, 60), "{name}");
        }
    }

    #[test]
    fn what_would_turn_or_break_the_line_is_not() {
        for name in ["", " \u{a0}", "a\nb", "a\0", "a\u{2028}b", "\u{feff}", "\u{85}"] {
            assert!(!is_sound(name, 60), "{name:?}");
        }
        for name in ["\u{202e}b\u{202c}", "\u{2067}a", "a\u{202c}", "\u{202b}\u{2067}a\u{202c}\u{2069}"] {
            assert!(!is_sound(name, 60), "{name:?}");
        }
        assert!(is_sound("ذذ", 2), "characters count, not bytes");
        assert!(!is_sound("ذذذ", 2));
    }

    #[test]
    fn ids_are_plain_and_gids_are_of_their_kind() {
        assert!(is_id("gold-2") && !is_id("Gold") && !is_id("") && !is_id(&"a".repeat(41)));
        assert!(is_reserved("none") && !is_reserved("gold"));
        assert_eq!(gid_number("gid://shopify/Collection/12", "Collection"), Some("12"));
        for gid in
            ["gid://shopify/Product/12", "gid://shopify/Collection/", "gid://shopify/Collection/1x", "12"]
        {
            assert_eq!(gid_number(gid, "Collection"), None, "{gid}");
        }
    }
}
