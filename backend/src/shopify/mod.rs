//! All that knows Shopify and nothing of loyalty: shop domains, signatures, the Admin API.

pub mod admin;
mod domain;
mod hmac;

pub use domain::{InvalidDomain, ShopDomain};
pub use hmac::{ProxyQuery, ProxyRefusal, Signer};
