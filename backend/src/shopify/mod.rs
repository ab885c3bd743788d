//! All that knows Shopify and nothing of loyalty: shop domains, signatures, session tokens, OAuth, the Admin API.

pub mod admin;
mod domain;
mod hmac;
mod oauth;
mod session_token;

pub use domain::{InvalidDomain, ShopDomain};
pub use hmac::{OAuthQuery, ProxyQuery, QueryRefusal, Signer};
pub use oauth::{Grant, OAuth, OAuthError, OnlineGrant};
pub use session_token::{Bearer, Session, SessionRefusal, SessionTokens, Surface, UserId};
