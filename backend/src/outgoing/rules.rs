//! What an address must look like, before anything is looked up.

use reqwest::Url;
use url::{Host, Origin};

use super::address::is_public;
use crate::shopify::ShopDomain;

/// The longest address, in bytes.
const LONGEST: usize = 2_048;
/// Where web servers of strangers may listen. Others could be anything: a mail server, a database.
const PORTS: [u16; 2] = [443, 8443];

/// Why nothing is sent to an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// No URL with a host, or one that is too long.
    #[error("the address is no web address")]
    Malformed,
    /// Not `https`.
    #[error("the address must begin with https://")]
    NotHttps,
    /// A user name or a password in it.
    #[error("the address must not contain a user name or a password")]
    Credentials,
    /// An unusual port.
    #[error("the address may have the ports 443 and 8443 only")]
    Port,
    /// A host, or what its name stands for, that not everybody reaches.
    #[error("the address is not public")]
    NotPublic,
    /// A host that is no shop, where only shops are asked.
    #[error("the address is not a shop's")]
    NoShop,
}

impl AddressError {
    /// For programs.
    pub fn code(self) -> &'static str {
        match self {
            AddressError::Malformed => "address_malformed",
            AddressError::NotHttps => "address_not_https",
            AddressError::Credentials => "address_has_credentials",
            AddressError::Port => "address_port",
            AddressError::NotPublic => "address_not_public",
            AddressError::NoShop => "address_of_no_shop",
        }
    }
}

/// Which hosts may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hosts {
    Any,
    /// Permanent domains of shops only.
    Shops,
}

/// Who vouches for an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trust {
    /// The operator, in the settings: it may be private, without TLS, at any port.
    Operators,
    Nobodys,
}

#[derive(Debug)]
pub(super) struct Rules {
    hosts: Hosts,
    trusted: Vec<Origin>,
}

impl Rules {
    /// These hosts, and the origins of these addresses. (`https://{shop}` matches no address.)
    pub(super) fn new(hosts: Hosts, trusted: &[impl AsRef<str>]) -> Self {
        let origins = trusted.iter().filter_map(|address| Url::parse(address.as_ref()).ok());
        Rules { hosts, trusted: origins.map(|url| url.origin()).filter(Origin::is_tuple).collect() }
    }

    pub(super) fn check(&self, address: &str) -> Result<(Url, Trust), AddressError> {
        if address.len() > LONGEST {
            return Err(AddressError::Malformed);
        }
        let url = Url::parse(address).map_err(|_| AddressError::Malformed)?;
        let host = url.host().ok_or(AddressError::Malformed)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(AddressError::Credentials);
        }
        if self.trusted.contains(&url.origin()) {
            return Ok((url, Trust::Operators));
        }
        if url.scheme() != "https" {
            return Err(AddressError::NotHttps);
        }
        let public = match host {
            Host::Domain(_) => true,
            // The parser has read every notation of these; nobody will look them up.
            Host::Ipv4(address) => is_public(address.into()),
            Host::Ipv6(address) => is_public(address.into()),
        };
        if !public {
            return Err(AddressError::NotPublic);
        }
        let is_shop = |host: &str| host.parse::<ShopDomain>().is_ok();
        if self.hosts == Hosts::Shops && !url.host_str().is_some_and(is_shop) {
            return Err(AddressError::NoShop);
        }
        match url.port_or_known_default() {
            Some(port) if PORTS.contains(&port) => Ok((url, Trust::Nobodys)),
            _ => Err(AddressError::Port),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(rules: &Rules, address: &str) -> Option<AddressError> {
        rules.check(address).err()
    }

    #[test]
    fn numbers_are_refused_however_they_are_written() {
        let rules = Rules::new(Hosts::Any, &[""; 0]);
        for host in [
            "127.0.0.1",
            "127.0.0.1.",
            "127.1",
            "127.0.1",
            "2130706433",
            "0x7f000001",
            "0x7f.0.0.1",
            "0177.0.0.1",
            "017700000001",
            "0",
            "0.0.0.0",
            "0x0a000001",
            "10.1",
            "169.254.169.254",
            "0251.0376.0251.0376",
            "[::1]",
            "[::]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[64:ff9b::7f00:1]",
            "[2002:7f00:1::]",
            "[fd00::1]",
            "%31%32%37.0.0.1",
            "１２７.０.０.１",
            "①②⑦.0.0.1",
            "127。0。0。1",
        ] {
            let address = format!("https://{host}/hook");
            assert_eq!(refusal(&rules, &address), Some(AddressError::NotPublic), "{address}");
        }
        for host in ["8.8.8.8", "[2606:4700::1111]", "hooks.example"] {
            assert_eq!(refusal(&rules, &format!("https://{host}/hook")), None, "{host}");
        }
    }

    #[test]
    fn an_address_is_plain_https() {
        let rules = Rules::new(Hosts::Any, &[""; 0]);
        let long = format!("https://hooks.example/{}", "a".repeat(LONGEST));
        for (address, error) in [
            ("", AddressError::Malformed),
            ("hooks.example", AddressError::Malformed),
            ("https://", AddressError::Malformed),
            ("https://127.0.0.1.1/", AddressError::Malformed),
            ("https://256.1.1.1/", AddressError::Malformed),
            ("https://hooks.example\0/", AddressError::Malformed),
            ("https://[fe80::1%25eth0]/", AddressError::Malformed),
            ("data:text/plain,x", AddressError::Malformed),
            (&long, AddressError::Malformed),
            ("http://hooks.example/", AddressError::NotHttps),
            ("ftp://hooks.example/", AddressError::NotHttps),
            ("file://host/etc/passwd", AddressError::NotHttps),
            ("https://me@hooks.example/", AddressError::Credentials),
            ("https://:word@hooks.example/", AddressError::Credentials),
            ("https://hooks.example@127.0.0.1/", AddressError::Credentials),
            ("https://hooks.example:22/", AddressError::Port),
            ("https://hooks.example:80/", AddressError::Port),
            ("https://hooks.example:0/", AddressError::Port),
        ] {
            assert_eq!(refusal(&rules, address), Some(error), "{address}");
        }
        for address in
            ["HTTPS://Hooks.Example/", "https://hooks.example:8443/a?b=c", "\thttps://b\u{fc}cher.example "]
        {
            assert_eq!(refusal(&rules, address), None, "{address}");
        }
    }

    #[test]
    fn what_the_operator_trusts_is_one_origin() {
        let rules = Rules::new(Hosts::Shops, &["http://127.0.0.1:9393/base"]);
        let trust = |address: &str| rules.check(address).map(|(_, trust)| trust);
        assert_eq!(trust("http://127.0.0.1:9393/admin"), Ok(Trust::Operators));
        assert_eq!(trust("http://2130706433:9393/admin"), Ok(Trust::Operators), "the same numbers");
        for (address, error) in [
            ("http://127.0.0.1:9394/", AddressError::NotHttps),
            ("http://localhost:9393/", AddressError::NotHttps),
            ("https://127.0.0.1:9393/", AddressError::NotPublic),
            ("http://me@127.0.0.1:9393/", AddressError::Credentials),
            ("https://hooks.example/", AddressError::NoShop),
            ("https://tea.myshopify.com.example/", AddressError::NoShop),
        ] {
            assert_eq!(trust(address), Err(error), "{address}");
        }
        assert_eq!(trust("https://tea.myshopify.com/admin"), Ok(Trust::Nobodys));
    }

    #[test]
    fn a_pattern_of_addresses_trusts_nobody() {
        let rules = Rules::new(Hosts::Shops, &["https://{shop}"]);
        let trust = rules.check("https://tea.myshopify.com/admin").map(|(_, trust)| trust);
        assert_eq!(trust, Ok(Trust::Nobodys));
        assert_eq!(refusal(&rules, "https://127.0.0.1/"), Some(AddressError::NotPublic));
    }
}
