//! Ids and tokens: deterministic for a seed, so that a run can be repeated.

use sha2::{Digest, Sha256};

/// Makes the shop's ids. The same seed makes the same ids in the same order.
#[derive(Debug)]
pub struct Ids {
    seed: u64,
    made: u64,
    first: u64,
}

impl Ids {
    /// With `beyond_floats`, every id is above 2^53, where JavaScript's numbers stop being exact.
    pub fn new(seed: u64, beyond_floats: bool) -> Self {
        let spread = (seed % 1_000_000) * 1_000;
        let base = if beyond_floats { (1 << 53) + 1 } else { 5_000_000_000 };
        Self { seed, made: 0, first: base + spread }
    }

    /// The next id, never seen before.
    pub fn id(&mut self) -> u64 {
        // An odd step makes some ids odd and some even: a float beyond 2^53 loses the odd ones.
        self.made += 1;
        self.first + self.made * 37
    }

    /// 32 hexadecimal digits, such as a cart or checkout token.
    pub fn token(&mut self) -> String {
        hex::encode(&self.random()[..16])
    }

    /// A UUID in form, such as a cart line or webhook id.
    pub fn uuid(&mut self) -> String {
        let hex = hex::encode(&self.random()[..16]);
        format!("{}-{}-4{}-8{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
    }

    /// A number below `bound`, or 0 when there is no room.
    pub fn below(&mut self, bound: u64) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = self.random();
        u64::from_be_bytes([a, b, c, d, e, f, g, h]).checked_rem(bound).unwrap_or(0)
    }

    fn random(&mut self) -> [u8; 32] {
        self.made += 1;
        Sha256::new()
            .chain_update(self.seed.to_be_bytes())
            .chain_update(self.made.to_be_bytes())
            .finalize()
            .into()
    }
}

/// `gid://shopify/{kind}/{id}`.
pub fn gid(kind: &str, id: u64) -> String {
    format!("gid://shopify/{kind}/{id}")
}

/// The kind and number of a global id, if it is one.
pub fn parse_gid(gid: &str) -> Option<(&str, u64)> {
    let (kind, id) = gid.strip_prefix("gid://shopify/")?.split_once('/')?;
    Some((kind, id.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_itself_and_another_differs() {
        let run = |seed| {
            let mut ids = Ids::new(seed, false);
            (ids.id(), ids.token(), ids.uuid(), ids.below(1000))
        };
        assert_eq!(run(7), run(7));
        assert_ne!(run(7), run(8));
    }

    #[test]
    fn large_ids_are_lost_by_floats() {
        let mut ids = Ids::new(1, true);
        let lost = (0..10).map(|_| ids.id()).filter(|id| *id as f64 as u64 != *id).count();
        assert!(lost > 0);
    }

    #[test]
    fn global_ids_are_read() {
        assert_eq!(parse_gid("gid://shopify/Customer/12"), Some(("Customer", 12)));
        for bad in ["12", "gid://shopify/Customer", "gid://shopify/Customer/x", "gid://other/Customer/1"] {
            assert_eq!(parse_gid(bad), None, "{bad}");
        }
    }
}
