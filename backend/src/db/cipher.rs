//! Encrypted columns: AES-256-GCM, bound to their column and shop.

use std::fmt;

use aes_gcm::Aes256Gcm;
use aes_gcm::aead::{Aead, Generate, Key, KeyInit, Nonce, Payload};
use uuid::Uuid;

/// The key that seals today; the byte stands in front of every sealed value, so that a ring of keys can follow.
const KEY_ID: u8 = 1;
const NONCE_BYTES: usize = 12;

/// Seals and opens the values of encrypted columns.
#[derive(Clone)]
pub struct Cipher(Aes256Gcm);

/// A sealed value that does not open: another key, another column or shop, or damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a sealed value does not open with this key, column and shop")]
pub struct CipherError;

impl Cipher {
    /// A cipher with this key (`LOYALNEST_ENCRYPTION_KEY`).
    pub fn new(key: &[u8; 32]) -> Self {
        Cipher(Aes256Gcm::new(&Key::<Aes256Gcm>::from(*key)))
    }

    /// Seals a value for one column (`"table.column"`) of one shop: key id, nonce, ciphertext and tag.
    ///
    /// # Errors
    /// When the value is too long for the cipher (64 GB).
    pub fn seal(&self, column: &str, shop: Uuid, plain: &[u8]) -> Result<Vec<u8>, CipherError> {
        let nonce = Nonce::<Aes256Gcm>::generate();
        let aad = associated(column, shop);
        let sealed = self.0.encrypt(&nonce, Payload { msg: plain, aad: &aad }).map_err(|_| CipherError)?;
        Ok([&[KEY_ID][..], &nonce, &sealed].concat())
    }

    /// Opens what [`seal`](Cipher::seal) made for the same column and shop.
    ///
    /// # Errors
    /// [`CipherError`] when it does not open.
    pub fn open(&self, column: &str, shop: Uuid, sealed: &[u8]) -> Result<Vec<u8>, CipherError> {
        let Some((&KEY_ID, rest)) = sealed.split_first() else { return Err(CipherError) };
        let (nonce, sealed) = rest.split_at_checked(NONCE_BYTES).ok_or(CipherError)?;
        let nonce = Nonce::<Aes256Gcm>::try_from(nonce).map_err(|_| CipherError)?;
        let aad = associated(column, shop);
        self.0.decrypt(&nonce, Payload { msg: sealed, aad: &aad }).map_err(|_| CipherError)
    }
}

/// What a sealed value is bound to, so that it cannot be moved to another column or shop.
fn associated(column: &str, shop: Uuid) -> Vec<u8> {
    [column.as_bytes(), &[0], shop.as_bytes()].concat()
}

impl fmt::Debug for Cipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cipher([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_only_with_its_key_column_and_shop() {
        let (shop, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let cipher = Cipher::new(&[7; 32]);
        let sealed = cipher.seal("shops.token", shop, b"shpat_1").unwrap();

        assert_eq!(cipher.open("shops.token", shop, &sealed).unwrap(), b"shpat_1");
        assert_ne!(cipher.seal("shops.token", shop, b"shpat_1").unwrap(), sealed, "a nonce is used once");
        assert_eq!(cipher.open("shops.token", other, &sealed), Err(CipherError));
        assert_eq!(cipher.open("members.email", shop, &sealed), Err(CipherError));
        assert_eq!(Cipher::new(&[8; 32]).open("shops.token", shop, &sealed), Err(CipherError));
        for damaged in [&sealed[..10], &[], &[2; 40]] {
            assert_eq!(cipher.open("shops.token", shop, damaged), Err(CipherError));
        }
    }
}
