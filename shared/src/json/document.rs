//! A reader for the JSON text of a metafield.
//!
//! Shopify offers the same as parsed `jsonValue`, but there each look-up is a call into the provider: reading a hold
//! that way takes twice the instructions. It is no validator: Shopify stores nothing but valid JSON in a metafield of
//! that type. Any other text reads as something or nothing, without a panic.

use alloc::{borrow::ToOwned, string::String, vec::Vec};

use super::Json;
use crate::LIMIT;

/// A text, split into its values.
#[derive(Debug)]
pub struct Document<'a> {
    /// In the order of the text: what is inside a value follows it, one deeper.
    nodes: Vec<Node<'a>>,
}

#[derive(Debug)]
struct Node<'a> {
    depth: usize,
    /// As it is written; empty for an element of an array and for the whole.
    name: &'a str,
    content: Content<'a>,
}

#[derive(Debug, PartialEq)]
enum Content<'a> {
    Object,
    Array,
    /// What stands between the quotes, escapes and all.
    String(&'a str),
    /// A number, `true`, `false` or `null`.
    Other(&'a str),
}

impl<'a> Document<'a> {
    /// Splits a text; `None` when a string or a bracket is not closed.
    pub fn parse(text: &'a str) -> Option<Document<'a>> {
        let bytes = text.as_bytes();
        let mut nodes = Vec::with_capacity(32);
        let mut name = "";
        let mut depth = 0_usize;
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            let start = at;
            at += 1;
            let content = match byte {
                b'"' => {
                    let end = closing_quote(bytes, at)?;
                    let raw = text.get(at..end)?;
                    at = end + 1;
                    if is_name(bytes, at) {
                        name = raw;
                        continue;
                    }
                    Content::String(raw)
                }
                b'{' => Content::Object,
                b'[' => Content::Array,
                b'}' | b']' => {
                    depth = depth.checked_sub(1)?;
                    continue;
                }
                b',' | b':' | b' ' | b'\t' | b'\n' | b'\r' => continue,
                _ => {
                    while bytes.get(at).is_some_and(|byte| !matches!(byte, b',' | b'}' | b']' | ..=b' ')) {
                        at += 1;
                    }
                    Content::Other(text.get(start..at)?)
                }
            };
            nodes.push(Node { depth, name, content });
            name = "";
            if matches!(byte, b'{' | b'[') {
                depth += 1;
            }
        }
        (depth == 0).then_some(Document { nodes })
    }

    /// The whole.
    pub fn root(&self) -> Option<Value<'_>> {
        let (node, after) = self.nodes.split_first()?;
        Some(Value { node, after })
    }
}

/// Where the string ends whose content starts at `at`.
fn closing_quote(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// Whether the string that ended before `at` is a member's name: only those are followed by a colon.
fn is_name(bytes: &[u8], mut at: usize) -> bool {
    while matches!(bytes.get(at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
        at += 1;
    }
    bytes.get(at) == Some(&b':')
}

/// One value of a document.
#[derive(Clone, Copy, Debug)]
pub struct Value<'a> {
    node: &'a Node<'a>,
    after: &'a [Node<'a>],
}

impl Json for Value<'_> {
    fn field(&self, name: &'static str) -> Option<Self> {
        let mut nodes = self.after;
        while let Some((node, after)) = nodes.split_first() {
            if node.depth <= self.node.depth {
                break;
            }
            if node.name == name && node.depth == self.node.depth + 1 {
                return (node.content != Content::Other("null")).then_some(Value { node, after });
            }
            nodes = after;
        }
        None
    }

    fn integer(&self) -> Option<i64> {
        let Content::Other(text) = self.node.content else { return None };
        let number = text.parse().ok().filter(|_| !text.starts_with('+'))?;
        (-LIMIT..=LIMIT).contains(&number).then_some(number)
    }

    fn text(&self) -> Option<String> {
        let Content::String(raw) = self.node.content else { return None };
        unescaped(raw)
    }

    fn truth(&self) -> Option<bool> {
        match self.node.content {
            Content::Other("true") => Some(true),
            Content::Other("false") => Some(false),
            _ => None,
        }
    }

    fn elements(&self) -> impl Iterator<Item = Self> {
        self.inside(Content::Array)
    }

    fn members(&self) -> impl Iterator<Item = (String, Self)> {
        let members =
            self.inside(Content::Object).filter(|value| value.node.content != Content::Other("null"));
        members.filter_map(|value| Some((unescaped(value.node.name)?, value)))
    }
}

impl<'a> Value<'a> {
    /// What is one deeper, where this is of that kind.
    // Inlined, so that Functions compare with a kind that is known.
    #[inline(always)]
    fn inside(&self, kind: Content<'static>) -> impl Iterator<Item = Value<'a>> + use<'a> {
        let depth = self.node.depth + 1;
        let mut nodes = if self.node.content == kind { self.after } else { &[] };
        core::iter::from_fn(move || {
            while let Some((node, after)) = nodes.split_first().filter(|(node, _)| node.depth >= depth) {
                nodes = after;
                if node.depth == depth {
                    return Some(Value { node, after });
                }
            }
            None
        })
    }
}

/// The string that stands between quotes; `None` when an escape is broken.
#[inline(always)]
fn unescaped(raw: &str) -> Option<String> {
    if raw.as_bytes().contains(&b'\\') { unescape(raw) } else { Some(raw.to_owned()) }
}

fn unescape(raw: &str) -> Option<String> {
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((plain, escape)) = rest.split_once('\\') {
        text.push_str(plain);
        let code = escape.chars().next()?;
        rest = escape.get(1..)?;
        text.push(match code {
            '"' | '\\' | '/' => code,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => code_point(&mut rest)?,
            _ => return None,
        });
    }
    text.push_str(rest);
    Some(text)
}

/// Four hexadecimal digits, or eight in two escapes when the first is half of a pair.
fn code_point(rest: &mut &str) -> Option<char> {
    let high = code_unit(rest)?;
    if !(0xd800..0xdc00).contains(&high) {
        return char::from_u32(high);
    }
    *rest = rest.strip_prefix("\\u")?;
    let low = code_unit(rest)?.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
    char::from_u32(0x1_0000 + ((high - 0xd800) << 10) + low)
}

fn code_unit(rest: &mut &str) -> Option<u32> {
    let (digits, after) = rest.split_at_checked(4)?;
    *rest = after;
    let plain = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    plain.then(|| u32::from_str_radix(digits, 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value as Reference;

    use super::*;

    const NAMES: [&str; 6] = ["a", "b", "c", "hold", "label", ""];

    /// Compares every member, and every member's member, with what serde_json reads.
    fn assert_same(ours: Value<'_>, theirs: &Reference) {
        assert_eq!(ours.text().as_deref(), theirs.as_str());
        assert_eq!(ours.truth(), theirs.as_bool());
        assert_eq!(
            ours.integer(),
            theirs.as_i64().filter(|value| value.unsigned_abs() <= LIMIT.unsigned_abs())
        );
        let mut elements = ours.elements();
        for theirs in theirs.as_array().into_iter().flatten() {
            assert_same(elements.next().unwrap(), theirs);
        }
        assert!(elements.next().is_none());
        drop(elements);
        let named = theirs.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
        let mut named: Vec<&String> = named.map(|(name, _)| name).collect();
        let mut members: Vec<String> = ours.members().map(|(name, _)| name).collect();
        named.sort();
        members.sort();
        assert!(members.iter().eq(named));
        for name in NAMES.into_iter().filter(|_| theirs.is_object()) {
            match (ours.field(name), theirs.get(name).filter(|value| !value.is_null())) {
                (Some(ours), Some(theirs)) => assert_same(ours, theirs),
                (None, None) => {}
                (ours, theirs) => panic!("{name}: {ours:?} instead of {theirs:?}"),
            }
        }
    }

    fn any_json() -> impl Strategy<Value = Reference> {
        let leaf = prop_oneof![
            Just(Reference::Null),
            any::<bool>().prop_map(Reference::from),
            any::<i64>().prop_map(Reference::from),
            (-99_i64..=99).prop_map(Reference::from),
            "-?[0-9][.][0-9]{1,6}(e[+-]?[0-9]{1,2})?"
                .prop_map(|number| serde_json::from_str(&number).unwrap()),
            "[a\\\\\"/\n\t{}\\[\\]:, €😀]{0,8}|.{0,8}".prop_map(Reference::from),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            let member = (prop::sample::select(NAMES.to_vec()).prop_map(str::to_owned), inner.clone());
            prop_oneof![
                prop::collection::vec(inner, 0..4).prop_map(Reference::from),
                prop::collection::vec(member, 0..6).prop_map(|members| members.into_iter().collect()),
            ]
        })
    }

    fn text(json: &str) -> Option<String> {
        Document::parse(json)?.root()?.text()
    }

    fn integer(json: &str) -> Option<i64> {
        Document::parse(json)?.root()?.integer()
    }

    #[test]
    fn escapes_are_resolved_and_broken_ones_refused() {
        assert_eq!(text(r#""\u00e9\ud83d\ude00\n\"\/""#).as_deref(), Some("é😀\n\"/"));
        for broken in [r#""\x""#, r#""\u12""#, r#""\ud83d""#, r#""\ud83dA""#, r#""\udc00""#, r#""\u+123""#] {
            assert_eq!(text(broken), None, "{broken}");
        }
    }

    #[test]
    fn numbers_beyond_what_is_exact_are_no_integers() {
        for json in ["1.5", "1e3", "9007199254740992", "-9007199254740992", "99999999999999999999", "+5", "x"]
        {
            assert_eq!(integer(json), None, "{json}");
        }
        assert_eq!(integer("9007199254740991"), Some(LIMIT));
        assert_eq!(integer("-12"), Some(-12));
    }

    #[test]
    fn what_is_not_closed_is_nothing() {
        for broken in ["{", "[1", "{\"a\"", "\"", "\"\\", "}", "{\"a\":{}"] {
            assert!(Document::parse(broken).is_none(), "{broken}");
        }
        assert!(Document::parse("").is_some_and(|document| document.root().is_none()));
    }

    #[test]
    fn members_have_the_names_that_are_meant_and_those_that_are_null_are_none() {
        let document = Document::parse(r#"{"\u00e9\"":true,"n":null,"\ud83d":1,"b":{"c":2}}"#).unwrap();
        let root = document.root().unwrap();
        let members: Vec<_> = root.members().map(|(name, value)| (name, value.truth())).collect();
        assert_eq!(members, [("é\"".to_owned(), Some(true)), ("b".to_owned(), None)]);
    }

    #[test]
    fn a_members_member_is_not_the_objects() {
        let document = Document::parse(r#"{"a":{"b":1},"c":[{"d":2}]}"#).unwrap();
        let root = document.root().unwrap();
        assert!(root.field("b").is_none());
        assert!(root.field("d").is_none());
        assert!(root.field("a").unwrap().field("c").is_none());
    }

    proptest! {
        #[test]
        fn it_reads_what_serde_json_reads(value in any_json(), pretty: bool) {
            let json = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) };
            let json = json.unwrap();
            let document = Document::parse(&json).unwrap();
            assert_same(document.root().unwrap(), &value);
        }

        #[test]
        fn no_text_makes_it_panic(json in r#"[{}\[\]:,"\\aub0-9 \-+.é]{0,40}|.*"#) {
            if let Some(root) = Document::parse(&json).as_ref().and_then(|document| document.root()) {
                let member = root.field("a");
                let _ = (root.text(), root.integer(), member.map(|member| (member.text(), member.integer())));
            }
        }
    }
}
