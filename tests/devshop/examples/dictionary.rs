//! Writes what the dictionary is trained on that the backend compresses webhook bodies with: orders and refunds of shops
//! that do not exist, with words that no one ever wrote.
//!
//! ```text
//! cargo run --package devshop --example dictionary -- /tmp/bodies
//! zstd --train -r /tmp/bodies --maxdict=16384 --dictID=2 -o backend/src/inbox/bodies-2.zdict
//! ```
//!
//! Bodies that were packed with a dictionary open with that one only. So one that is in use is never replaced: train
//! another, under the next number, and keep the old one beside it (`backend/src/inbox/body.rs`).
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use devshop::{Clock, DevShop, NewCart, NewProduct, RefundRequest, Settings};
use serde_json::{Map, Value, json};

const SAMPLES: usize = 3_000;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let folder = std::path::PathBuf::from(std::env::args().nth(1).unwrap());
    std::fs::create_dir_all(&folder).unwrap();
    let mut random = Random(0x5eed);
    let mut samples = Vec::new();
    for (number, currency, zone) in
        [(1, "GBP", "Europe/London"), (2, "USD", "America/New_York"), (3, "EUR", "Europe/Berlin")]
    {
        let settings = Settings {
            currency: currency.parse().unwrap(),
            time_zone: zone.into(),
            tax_included_bp: 1_900 + number * 50,
            rates: BTreeMap::new(),
            clock: Clock::standing_at("2026-02-03T04:05:06Z".parse().unwrap()),
            seed: number.into(),
            ..Settings::default()
        };
        let shop = DevShop::start(settings).await.unwrap();
        shop.webhooks().pause();
        for _ in 0..200 {
            let title = random.words(2);
            shop.add_product(NewProduct {
                vendor: random.words(1),
                ..NewProduct::simple(&title, random.below(20_000) as i64 + 100)
            });
        }
        for _ in 0..SAMPLES / 3 {
            samples.extend(bodies(&shop, &mut random));
        }
        shop.close();
    }
    for (at, sample) in samples.iter().enumerate() {
        std::fs::write(folder.join(format!("{at}.json")), sample).unwrap();
    }
    println!("{} bodies in {}", samples.len(), folder.display());
}

/// An order, and now and then its refund.
fn bodies(shop: &DevShop, random: &mut Random) -> Vec<Vec<u8>> {
    let (first, last) = (random.words(1), random.words(1));
    let email = format!("{}@{}.test", first.to_lowercase(), random.words(1).to_lowercase());
    let customer = shop.add_customer(&first, &last, &email);
    let cart = shop.new_cart(NewCart::of(customer.id)).unwrap();
    let products = shop.products();
    for _ in 0..=random.below(4) {
        let product = &products[random.below(products.len() as u64) as usize];
        shop.add_to_cart(&cart.token, product.variants[0].id, random.below(3) as u32 + 1).unwrap();
    }
    let order = shop.place_order(&cart.token, Default::default()).unwrap();
    let Value::Object(mut payload) = shop.order_payload(&order) else { return Vec::new() };
    fill(&mut payload, (&first, &last), random);
    let mut bodies = vec![Value::Object(payload).to_string().into_bytes()];
    if random.below(10) == 0 {
        let request = RefundRequest { lines: vec![(order.lines[0].id, 1)], ..RefundRequest::default() };
        shop.refund(order.id, &request).unwrap();
        let refund =
            shop.webhooks().events().into_iter().rfind(|event| event.topic == "refunds/create").unwrap();
        bodies.push(refund.payload.to_string().into_bytes());
    }
    bodies
}

/// What the local shop leaves out and Shopify does not.
fn fill(payload: &mut Map<String, Value>, (first, last): (&str, &str), random: &mut Random) {
    let address = json!({
        "first_name": first,
        "address1": format!("{} {}", random.below(300), random.words(2)),
        "phone": format!("+{}", random.below(1_000_000_000_000)),
        "city": random.words(1),
        "zip": random.below(100_000).to_string(),
        "province": random.words(1),
        "country": random.words(1),
        "last_name": last,
        "address2": null,
        "company": null,
        "latitude": random.below(90_000_000) as f64 / 1e6,
        "longitude": random.below(90_000_000) as f64 / 1e6,
        "name": format!("{first} {last}"),
        "country_code": "XX",
        "province_code": "XX",
    });
    let client = json!({
        "accept_language": "en",
        "browser_height": null,
        "browser_ip": "192.0.2.1",
        "browser_width": null,
        "session_hash": null,
        "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    });
    for (name, value) in
        [("billing_address", &address), ("shipping_address", &address), ("client_details", &client)]
    {
        payload.insert(name.into(), value.clone());
    }
    if let Some(customer) = payload.get_mut("customer") {
        customer["default_address"] = json!({
            "id": random.below(1 << 50), "customer_id": customer["id"], "first_name": first, "last_name": last,
            "company": null, "address1": address["address1"], "address2": null, "city": address["city"],
            "province": address["province"], "country": address["country"], "zip": address["zip"],
            "phone": address["phone"], "name": address["name"], "province_code": "XX", "country_code": "XX",
            "country_name": address["country"], "default": true,
        });
    }
}

/// Splitmix64: the same bodies each time.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    /// Words that mean nothing, so that the dictionary does not learn any.
    fn words(&mut self, count: usize) -> String {
        let word = |random: &mut Self| {
            let length = random.below(7) + 3;
            (0..length)
                .map(|at| {
                    let letter = char::from(b'a' + random.below(26) as u8);
                    if at == 0 { letter.to_ascii_uppercase() } else { letter }
                })
                .collect::<String>()
        };
        (0..count).map(|_| word(self)).collect::<Vec<_>>().join(" ")
    }
}
