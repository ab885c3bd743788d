//! Which names are shops.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A shop's permanent domain, e.g. `tea.myshopify.com`: lower case, `[a-z0-9][a-z0-9-]*\.myshopify\.com`.
/// Checked before anything becomes a URL of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ShopDomain(String);

/// Not the domain of a shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the domain of a shop, which looks like NAME.myshopify.com")]
pub struct InvalidDomain;

impl ShopDomain {
    /// The domain as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ShopDomain {
    type Err = InvalidDomain;

    fn from_str(text: &str) -> Result<Self, InvalidDomain> {
        let domain = text.to_ascii_lowercase();
        let name = domain.strip_suffix(".myshopify.com").ok_or(InvalidDomain)?;
        let letters = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        // A host name has at most 63 bytes between its dots.
        if name.is_empty() || name.len() > 63 || name.starts_with('-') || !letters {
            return Err(InvalidDomain);
        }
        Ok(ShopDomain(domain))
    }
}

impl TryFrom<String> for ShopDomain {
    type Error = InvalidDomain;

    fn try_from(text: String) -> Result<Self, InvalidDomain> {
        text.parse()
    }
}

impl From<ShopDomain> for String {
    fn from(domain: ShopDomain) -> String {
        domain.0
    }
}

impl fmt::Display for ShopDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_shops_are_shops() {
        assert_eq!("Tea-1.MyShopify.com".parse::<ShopDomain>().unwrap().as_str(), "tea-1.myshopify.com");
        for other in [
            "",
            ".myshopify.com",
            "-tea.myshopify.com",
            "tea.myshopify.com.evil.example",
            "tea.myshopify.com\n",
            "tea.myshopify.com.",
            "tea.myshopify.com:443",
            "user@tea.myshopify.com",
            "evil.example/.myshopify.com",
            "evil.example?.myshopify.com",
            "evil.example\\.myshopify.com",
            "tea%2emyshopify.com",
            "tea.myshopify.com\0",
            " tea.myshopify.com",
            // The Kelvin sign, whose lower case is a k, and a full stop that IDNA reads as a dot.
            "\u{212a}ettle.myshopify.com",
            "tea\u{3002}myshopify.com",
            "tea.myshopify.com/admin",
            "evil.example#.myshopify.com",
            "tea.example",
            "té.myshopify.com",
            "a.b.myshopify.com",
            "https://tea.myshopify.com",
        ] {
            assert_eq!(other.parse::<ShopDomain>(), Err(InvalidDomain), "{other:?}");
        }
    }
}
