//! Whole requests, signed, ready to be written to a socket.

use std::fmt::Write as _;

use jiff::Timestamp;
use loyalnest::shopify::Signer;

use crate::orders::{Order, Orders};

/// A webhook as one piece of bytes, and what is known of it.
#[derive(Debug)]
pub struct Webhook {
    /// `X-Shopify-Webhook-Id`.
    pub id: String,
    /// The request, head and body.
    pub request: Vec<u8>,
    /// Whose order it tells of.
    pub customer: u64,
    /// Pence that the order's lines cost.
    pub pence: i64,
}

/// Makes webhooks of `orders/create` for one receiver.
#[derive(Debug)]
pub struct Post<'a> {
    /// Signs them.
    pub signer: &'a Signer,
    /// The receiver's host and port.
    pub host: &'a str,
    /// The receiver's path.
    pub path: &'a str,
    /// When they say that they were triggered.
    pub now: Timestamp,
}

impl Post<'_> {
    /// This many orders of anybody, of these shops in turn. The same seed makes the same orders.
    pub fn of_anybody(&self, count: usize, seed: u64, shops: &[String]) -> Vec<Webhook> {
        let mut orders = Orders::new(seed, self.now);
        (0..count).map(|at| self.webhook(orders.of_anybody(), (seed, at), &shops[at % shops.len()])).collect()
    }

    /// This many orders of one shop, of these customers in turn.
    pub fn of_customers(&self, count: usize, seed: u64, shop: &str, customers: &[u64]) -> Vec<Webhook> {
        let mut orders = Orders::new(seed, self.now);
        let of = |at: usize| customers[at % customers.len()];
        (0..count).map(|at| self.webhook(orders.of(of(at)), (seed, at), shop)).collect()
    }

    fn webhook(&self, order: Order, (seed, at): (u64, usize), shop: &str) -> Webhook {
        let mut random = fastrand::Rng::with_seed(seed.rotate_left(32) ^ at as u64);
        let id = uuid(&mut random);
        let event = uuid(&mut random);
        let Order { body, customer, pence } = order;
        let (signature, now) = (self.signer.sign_webhook(&body), self.now);
        let mut head = format!("POST {} HTTP/1.1\r\nHost: {}\r\n", self.path, self.host);
        let headers = [
            ("User-Agent", "Shopify-Captain-Hook"),
            ("Accept", "*/*"),
            ("Content-Type", "application/json"),
            ("X-Shopify-Topic", "orders/create"),
            ("X-Shopify-Hmac-Sha256", &signature),
            ("X-Shopify-Shop-Domain", shop),
            ("X-Shopify-API-Version", "2026-10"),
            ("X-Shopify-Webhook-Id", &id),
            ("X-Shopify-Event-Id", &event),
            ("X-Shopify-Triggered-At", &now.to_string()),
            ("Content-Length", &body.len().to_string()),
        ];
        for (name, value) in headers {
            // Writing to a string cannot fail.
            let _ = write!(head, "{name}: {value}\r\n");
        }
        let request = [head.as_bytes(), b"\r\n", &body].concat();
        Webhook { id, request, customer, pence }
    }
}

fn uuid(random: &mut fastrand::Rng) -> String {
    let digits = format!("{:032x}", random.u128(..));
    let parts = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]];
    parts.join("-")
}

impl Webhook {
    /// The payload.
    pub fn body(&self) -> &[u8] {
        let end = self.request.windows(4).position(|four| four == b"\r\n\r\n");
        end.map_or(&[], |end| &self.request[end + 4..])
    }
}
