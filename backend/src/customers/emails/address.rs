//! An e-mail address as it is looked for.

/// The longest address that there can be (RFC 3696): 64 bytes, `@`, 255 bytes.
const LONGEST: usize = 320;
const LONGEST_LOCAL: usize = 64;

/// An address as it is looked for: without white space around it, in lower case, its domain as the name system writes it
/// (`BÜCHER.example` and `xn--bcher-kva.example` are one). Dots and what follows a `+` stay: they make other addresses,
/// except at some providers. None if it is no address.
pub(super) fn normalised(address: &str) -> Option<String> {
    let address = address.trim();
    let (local, domain) = address.rsplit_once('@')?;
    let is_text = |c: char| !c.is_control() && !c.is_whitespace();
    if address.len() > LONGEST
        || local.is_empty()
        || local.len() > LONGEST_LOCAL
        || !local.chars().all(is_text)
    {
        return None;
    }
    let domain = idna::domain_to_ascii_strict(domain).ok().filter(|domain| !domain.is_empty())?;
    Some(format!("{}@{domain}", local.to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_found_however_it_is_written() {
        for (written, found) in [
            ("ada@example.com", "ada@example.com"),
            (" Ada@Example.COM\n", "ada@example.com"),
            ("ada.b+shop@example.com", "ada.b+shop@example.com"),
            ("ada@BÜCHER.example", "ada@xn--bcher-kva.example"),
            ("ada@bu\u{308}cher.example", "ada@xn--bcher-kva.example"),
            ("ada@xn--bcher-kva.example", "ada@xn--bcher-kva.example"),
            ("ADÈLE@example.com", "adèle@example.com"),
            ("\"a@b\"@example.com", "\"a@b\"@example.com"),
            ("ada@ｅｘａｍｐｌｅ．ｃｏｍ", "ada@example.com"),
        ] {
            assert_eq!(normalised(written).as_deref(), Some(found), "{written}");
        }
    }

    #[test]
    fn what_is_no_address_is_none() {
        let local = "a".repeat(65);
        let long = format!("{}@{}", "a".repeat(64), "b".repeat(256));
        for written in [
            "",
            "@",
            "ada",
            "@example.com",
            "ada@",
            "ada@ ",
            "a\0da@example.com",
            "ada@exam\0ple.com",
            "a da@example.com",
            "ada@exa mple.com",
            "ada@example..com",
            "ada@-.com",
            &format!("{local}@example.com"),
            &long,
        ] {
            assert_eq!(normalised(written), None, "{written:?}");
        }
    }

    #[test]
    fn the_longest_address_is_one() {
        let domain = [&"b".repeat(63)[..]; 3].join(".") + "." + &"c".repeat(61);
        let address = format!("{}@{domain}", "a".repeat(64));
        assert_eq!(address.len(), 64 + 1 + 253);
        assert_eq!(normalised(&address), Some(address.clone()));
    }
}
