//! Support's tokens: `lns_` and 64 bytes in base64url: the shop, the session, and 32 random bytes. The ids find the row,
//! the hash of the whole proves that the token was made by us.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::SupportError;
use crate::ids::ShopId;

/// What every such token begins with, so that whoever finds one knows what it is.
pub const PREFIX: &str = "lns_";

/// A support session's token.
#[derive(Clone)]
pub struct Token {
    /// The shop.
    pub shop: ShopId,
    /// The session.
    pub session: Uuid,
    secret: [u8; 32],
}

impl Token {
    pub(super) fn new(shop: ShopId) -> Result<Self, SupportError> {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).map_err(|_| SupportError::Random)?;
        Ok(Token { shop, session: Uuid::now_v7(), secret })
    }

    /// Reads what [`show`](Token::show) wrote; of any other text, nothing.
    pub fn read(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text.strip_prefix(PREFIX)?).ok()?;
        let bytes: [u8; 64] = bytes.try_into().ok()?;
        let (ids, secret) = bytes.split_at(32);
        let (shop, session) = ids.split_at(16);
        Some(Token {
            shop: ShopId(Uuid::from_slice(shop).ok()?),
            session: Uuid::from_slice(session).ok()?,
            secret: secret.try_into().ok()?,
        })
    }

    /// The token as it is sent.
    pub fn show(&self) -> String {
        format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(self.bytes()))
    }

    pub(super) fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.bytes()).into()
    }

    fn bytes(&self) -> Vec<u8> {
        [&self.shop.0.as_bytes()[..], self.session.as_bytes(), &self.secret].concat()
    }
}

/// Never the secret.
impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Token({}, [redacted])", self.session)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_as_it_was_shown_or_not_at_all() {
        let token = Token::new(ShopId(Uuid::now_v7())).unwrap();
        let shown = token.show();
        let read = Token::read(&shown).unwrap();
        assert_eq!((read.shop, read.session, read.hash()), (token.shop, token.session, token.hash()));
        assert!(!format!("{token:?}").contains(&shown[50..]));
        for other in
            ["", "lns_", &shown[4..], &shown[..shown.len() - 1], &format!("{shown}A"), &format!("{shown}=")]
        {
            assert!(Token::read(other).is_none(), "{other}");
        }
    }
}
