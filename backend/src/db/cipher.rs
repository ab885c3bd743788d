//! Encrypted columns: AES-256-GCM, bound to their column and shop, with a ring of keys.
//!
//! One key seals; older ones still open. `loyalnest keys rotate` seals anew what is kept for long; webhook bodies go within
//! days. What is sealed looks
//! different each time. To find it all the same, its *blind index* stands beside it: a hash that nobody can make without
//! the key.

use std::fmt;

use aes_gcm::Aes256Gcm;
use aes_gcm::aead::{Aead, Generate, Key, KeyInit, Nonce, Payload};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use uuid::Uuid;

const NONCE_BYTES: usize = 12;

/// Seals and opens the values of encrypted columns. Cheap to clone.
#[derive(Clone)]
pub struct Cipher {
    current: RingKey,
    old: Vec<RingKey>,
}

/// A key, and the byte that stands in front of what it sealed. Two keys may share one: then both are tried.
#[derive(Clone)]
struct RingKey {
    id: u8,
    cipher: Aes256Gcm,
    /// Makes keys for blind indexes.
    keys: Hkdf<Sha256>,
}

/// A sealed value that does not open: another key, another column or shop, or damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a sealed value does not open with these keys, this column and shop")]
pub struct CipherError;

/// What became of a column when the key changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Resealed {
    /// Values that were sealed anew.
    pub done: u64,
    /// Values that no known key opens.
    pub lost: u64,
}

impl Cipher {
    /// A cipher with this key only (`LOYALNEST_ENCRYPTION_KEY`).
    pub fn new(key: &[u8; 32]) -> Self {
        Cipher::ring(key, &[])
    }

    /// A cipher that seals with one key, and opens with older ones, too (`LOYALNEST_ENCRYPTION_KEYS_OLD`).
    pub fn ring(current: &[u8; 32], old: &[[u8; 32]]) -> Self {
        Cipher { current: RingKey::new(current), old: old.iter().map(RingKey::new).collect() }
    }

    /// Seals a value for one column (`"table.column"`) of one shop: key id, nonce, ciphertext and tag.
    ///
    /// # Errors
    /// When the value is too long for the cipher (64 GB).
    pub fn seal(&self, column: &str, shop: Uuid, plain: &[u8]) -> Result<Vec<u8>, CipherError> {
        let nonce = Nonce::<Aes256Gcm>::generate();
        let aad = associated(column, shop);
        let payload = Payload { msg: plain, aad: &aad };
        let sealed = self.current.cipher.encrypt(&nonce, payload).map_err(|_| CipherError)?;
        Ok([&[self.current.id][..], &nonce, &sealed].concat())
    }

    /// Opens what [`seal`](Cipher::seal) made for the same column and shop, with whichever key.
    ///
    /// # Errors
    /// [`CipherError`] when it does not open.
    pub fn open(&self, column: &str, shop: Uuid, sealed: &[u8]) -> Result<Vec<u8>, CipherError> {
        let aad = associated(column, shop);
        let mut keys = [&self.current].into_iter().chain(&self.old);
        keys.find_map(|key| key.open(&aad, sealed)).ok_or(CipherError)
    }

    /// The same value sealed with the current key; none if it is already.
    ///
    /// # Errors
    /// [`CipherError`] when it does not open.
    pub fn reseal(&self, column: &str, shop: Uuid, sealed: &[u8]) -> Result<Option<Vec<u8>>, CipherError> {
        if self.current.open(&associated(column, shop), sealed).is_some() {
            return Ok(None);
        }
        let plain = self.open(column, shop, sealed)?;
        self.seal(column, shop, &plain).map(Some)
    }

    /// The blind index of a value, with the current key: HMAC-SHA-256 under a key of the column's and the shop's own
    /// (HKDF-SHA-256). The same value has another one in another shop.
    ///
    /// # Errors
    /// Never, with these lengths.
    pub fn index(&self, column: &str, shop: Uuid, plain: &[u8]) -> Result<Vec<u8>, CipherError> {
        self.current.index(column, shop, plain)
    }

    /// The blind indexes that a value may have: with the current key, and with each older one.
    ///
    /// # Errors
    /// Never, with these lengths.
    pub fn indexes(&self, column: &str, shop: Uuid, plain: &[u8]) -> Result<Vec<Vec<u8>>, CipherError> {
        let keys = [&self.current].into_iter().chain(&self.old);
        keys.map(|key| key.index(column, shop, plain)).collect()
    }
}

impl RingKey {
    fn new(key: &[u8; 32]) -> Self {
        let [id, ..]: [u8; 32] =
            Sha256::new().chain_update("loyalnest key id").chain_update(key).finalize().into();
        let keys = Hkdf::new(Some(b"loyalnest blind index"), key);
        RingKey { id, cipher: Aes256Gcm::new(&Key::<Aes256Gcm>::from(*key)), keys }
    }

    fn open(&self, aad: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (id, rest) = sealed.split_first()?;
        let (nonce, msg) = rest.split_at_checked(NONCE_BYTES)?;
        let nonce = Nonce::<Aes256Gcm>::try_from(nonce).ok()?;
        (*id == self.id).then(|| self.cipher.decrypt(&nonce, Payload { msg, aad }).ok())?
    }

    fn index(&self, column: &str, shop: Uuid, plain: &[u8]) -> Result<Vec<u8>, CipherError> {
        let mut key = [0; 32];
        self.keys.expand(&associated(column, shop), &mut key).map_err(|_| CipherError)?;
        let mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&key).map_err(|_| CipherError)?;
        Ok(mac.chain_update(plain).finalize().into_bytes().to_vec())
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

    #[test]
    fn an_old_key_opens_until_everything_is_sealed_anew() {
        let shop = Uuid::from_u128(1);
        let sealed = Cipher::new(&[7; 32]).seal("shops.token", shop, b"shpat_1").unwrap();
        let ring = Cipher::ring(&[8; 32], &[[6; 32], [7; 32]]);
        assert_eq!(ring.open("shops.token", shop, &sealed).unwrap(), b"shpat_1");
        let anew = ring.reseal("shops.token", shop, &sealed).unwrap().expect("it was sealed with an old key");
        assert_eq!(Cipher::new(&[8; 32]).open("shops.token", shop, &anew).unwrap(), b"shpat_1");
        assert_eq!(ring.reseal("shops.token", shop, &anew), Ok(None));
        assert_eq!(Cipher::new(&[8; 32]).reseal("shops.token", shop, &sealed), Err(CipherError));
    }

    #[test]
    fn a_blind_index_is_the_same_for_the_same_value_column_shop_and_key_only() {
        let (shop, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let cipher = Cipher::new(&[7; 32]);
        let index = cipher.index("members.email", shop, b"ada@example.com").unwrap();
        assert_eq!(
            (cipher.index("members.email", shop, b"ada@example.com").unwrap(), index.len()),
            (index.clone(), 32)
        );
        for different in [
            cipher.index("members.email", shop, b"eve@example.com"),
            cipher.index("members.email", other, b"ada@example.com"),
            cipher.index("members.phone", shop, b"ada@example.com"),
            Cipher::new(&[8; 32]).index("members.email", shop, b"ada@example.com"),
        ] {
            assert_ne!(different.unwrap(), index);
        }
        let ring = Cipher::ring(&[8; 32], &[[7; 32]]);
        let indexes = ring.indexes("members.email", shop, b"ada@example.com").unwrap();
        assert_eq!((indexes.len(), &indexes[1]), (2, &index), "found until everything is sealed anew");
    }

    #[test]
    fn keys_that_share_an_id_are_told_apart() {
        let shop = Uuid::from_u128(1);
        let current = [0; 32];
        let id = RingKey::new(&current).id;
        let twins = (1..=u64::MAX).map(|n| {
            let mut key = [1; 32];
            key[..8].copy_from_slice(&n.to_be_bytes());
            key
        });
        let twin = twins.into_iter().find(|key| RingKey::new(key).id == id).unwrap();
        let sealed = Cipher::new(&twin).seal("shops.token", shop, b"shpat_1").unwrap();
        let ring = Cipher::ring(&current, &[twin]);
        assert_eq!(ring.open("shops.token", shop, &sealed).unwrap(), b"shpat_1");
        assert!(ring.reseal("shops.token", shop, &sealed).unwrap().is_some());
    }
}
