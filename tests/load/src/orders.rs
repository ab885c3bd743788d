//! Orders as Shopify writes them, no two alike: what a sequence of numbers makes of a shop's trade.

use fastrand::Rng;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::words::{CITIES, FIRST_NAMES, LAST_NAMES, PRODUCTS, STREETS, VENDORS};

/// Makes orders. The same seed makes the same orders.
#[derive(Debug)]
pub struct Orders {
    random: Rng,
    next_id: u64,
    now: Timestamp,
}

/// An order and what is known of it.
#[derive(Debug)]
pub struct Order {
    /// The payload of its webhook.
    pub body: Vec<u8>,
    /// Whose it is.
    pub customer: u64,
    /// Pence that its lines cost.
    pub pence: i64,
}

impl Orders {
    /// Orders that were placed about `now`.
    pub fn new(seed: u64, now: Timestamp) -> Self {
        let mut random = Rng::with_seed(seed);
        // Of a range of its own, so that two seeds in one database do not meet.
        let next_id = random.u64(6_000_000_000_000..900_000_000_000_000);
        Orders { random, next_id, now }
    }

    /// The next order, of anybody.
    pub fn of_anybody(&mut self) -> Order {
        let customer = 7_000_000_000_000 + self.random.u64(0..2_000_000) * 32_768;
        self.of(customer)
    }

    /// The next order of a customer.
    pub fn of(&mut self, customer: u64) -> Order {
        let person = Person::new(&mut self.random);
        let lines: Vec<Line> = (0..self.random.u8(1..3)).map(|_| Line::new(self)).collect();
        let pence = lines.iter().map(|line| line.pence * line.quantity).sum();
        let body = self.body(customer, &person, &lines, pence);
        Order { body: body.to_string().into_bytes(), customer, pence }
    }

    fn id(&mut self) -> u64 {
        self.next_id += self.random.u64(1..40_000);
        self.next_id
    }

    fn token(&mut self, letters: usize) -> String {
        (0..letters).map(|_| self.random.alphanumeric()).collect()
    }

    fn hex(&mut self) -> String {
        format!("{:032x}", self.random.u128(..))
    }

    fn body(&mut self, customer: u64, person: &Person, lines: &[Line], pence: i64) -> Value {
        let (id, number) = (self.id(), self.random.u32(1_000..90_000_000));
        let placed = self.now - jiff::SignedDuration::from_millis(self.random.i64(800..5_000));
        let placed_at = placed.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string();
        let (cart, checkout, token) = (self.token(43), self.hex(), self.hex());
        let (shipping, device) = (if pence < 5_000 { 495 } else { 0 }, self.random.u64(1_000_000..9_000_000));
        let total = pence + shipping;
        let tax = total / 6;
        let agent = self.random.u32(100..150);
        let ip = format!(
            "{}.{}.{}.{}",
            self.random.u8(1..),
            self.random.u8(..),
            self.random.u8(..),
            self.random.u8(1..)
        );
        let landing = format!(
            "/collections/{}?utm_source=newsletter&utm_campaign={}&gclid={}",
            VENDORS[self.random.usize(..VENDORS.len())].1,
            self.token(8),
            self.token(60)
        );
        let what = json!({
            "id": id,
            "admin_graphql_api_id": format!("gid://shopify/Order/{id}"),
            "app_id": 580_111,
            "browser_ip": ip,
            "buyer_accepts_marketing": self.random.bool(),
            "cancel_reason": null,
            "cancelled_at": null,
            "cart_token": cart,
            "checkout_id": null,
            "checkout_token": checkout,
            "client_details": {
                "accept_language": "en-GB",
                "browser_height": null,
                "browser_ip": ip,
                "browser_width": null,
                "session_hash": null,
                "user_agent": format!("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{agent}.0.{}.{} Safari/537.36", self.random.u32(4_000..8_000), self.random.u32(1..300)),
            },
            "closed_at": null,
            "company": null,
            "confirmation_number": self.token(9).to_uppercase(),
            "confirmed": true,
            "contact_email": person.email,
            "created_at": placed_at,
            "currency": "GBP",
            "current_subtotal_price": text(pence),
            "current_subtotal_price_set": set(pence),
            "current_total_additional_fees_set": null,
            "current_total_discounts": "0.00",
            "current_total_discounts_set": set(0),
            "current_total_duties_set": null,
            "current_total_price": text(total),
            "current_total_price_set": set(total),
            "current_total_tax": text(tax),
            "current_total_tax_set": set(tax),
            "customer_locale": "en-GB",
            "device_id": device,
            "discount_applications": [],
            "discount_codes": [],
            "email": person.email,
            "estimated_taxes": false,
            "financial_status": "paid",
            "fulfillment_status": null,
        });
        let how = json!({
            "landing_site": landing,
            "landing_site_ref": null,
            "location_id": null,
            "merchant_of_record_app_id": null,
            "name": format!("#{number}"),
            "note": self.random.bool().then(|| format!("Please leave with number {}, bell {}", self.random.u8(1..200), self.random.u8(1..40))),
            "note_attributes": [{ "name": "_visit", "value": self.hex() }],
            "number": number - 1_000,
            "order_number": number,
            "order_status_url": format!("https://shop.example/{device}/orders/{token}/authenticate?key={}", self.hex()),
            "original_total_additional_fees_set": null,
            "original_total_duties_set": null,
            "payment_gateway_names": ["shopify_payments"],
            "phone": person.phone,
            "po_number": null,
            "presentment_currency": "GBP",
            "processed_at": placed_at,
            "reference": self.hex(),
            "referring_site": "https://www.google.com/",
            "source_identifier": null,
            "source_name": "web",
            "source_url": null,
        });
        let totals = json!({
            "subtotal_price": text(pence),
            "subtotal_price_set": set(pence),
            "tags": "",
            "tax_exempt": false,
            "tax_lines": [tax_line(tax)],
            "taxes_included": true,
            "test": false,
            "token": token,
            "total_discounts": "0.00",
            "total_discounts_set": set(0),
            "total_line_items_price": text(pence),
            "total_line_items_price_set": set(pence),
            "total_outstanding": "0.00",
            "total_price": text(total),
            "total_price_set": set(total),
            "total_shipping_price_set": set(shipping),
            "total_tax": text(tax),
            "total_tax_set": set(tax),
            "total_tip_received": "0.00",
            "total_weight": lines.iter().map(|line| line.grams * line.quantity).sum::<i64>(),
            "updated_at": placed_at,
            "user_id": null,
        });
        let who = json!({
            "billing_address": person.address(),
            "customer": {
                "id": customer,
                "email": person.email,
                "created_at": "2025-03-14T09:26:53+00:00",
                "updated_at": placed_at,
                "first_name": person.first,
                "last_name": person.last,
                "state": "enabled",
                "note": null,
                "verified_email": true,
                "multipass_identifier": null,
                "tax_exempt": false,
                "phone": person.phone,
                "currency": "GBP",
                "tax_exemptions": [],
                "admin_graphql_api_id": format!("gid://shopify/Customer/{customer}"),
                "default_address": {
                    "id": self.id(),
                    "customer_id": customer,
                    "first_name": person.first,
                    "last_name": person.last,
                    "address1": person.street,
                    "city": person.city.0,
                    "zip": person.postcode,
                    "phone": person.phone,
                    "country_code": "GB",
                    "default": true,
                },
            },
            "discount_allocations": [],
            "fulfillments": [],
            "line_items": lines.iter().map(Line::json).collect::<Vec<_>>(),
            "payment_terms": null,
            "refunds": [],
            "shipping_address": person.address(),
            "shipping_lines": [{
                "id": self.id(),
                "carrier_identifier": null,
                "code": "Standard",
                "current_discounted_price_set": set(shipping),
                "discounted_price": text(shipping),
                "discounted_price_set": set(shipping),
                "is_removed": false,
                "phone": null,
                "price": text(shipping),
                "price_set": set(shipping),
                "requested_fulfillment_service_id": null,
                "source": "shopify",
                "title": "Standard",
                "tax_lines": [tax_line(shipping / 6)],
                "discount_allocations": [],
            }],
        });
        let parts = [what, how, totals, who].into_iter().filter_map(|part| part.as_object().cloned());
        Value::Object(parts.flatten().collect())
    }
}

struct Person {
    first: &'static str,
    last: &'static str,
    email: String,
    phone: String,
    street: String,
    city: (&'static str, &'static str),
    postcode: String,
    latitude: String,
    longitude: String,
}

impl Person {
    fn new(random: &mut Rng) -> Self {
        let first = FIRST_NAMES[random.usize(..FIRST_NAMES.len())];
        let last = LAST_NAMES[random.usize(..LAST_NAMES.len())];
        let city = CITIES[random.usize(..CITIES.len())];
        let (district, sector) = (random.u8(1..30), random.u8(1..10));
        let (a, b) = (random.uppercase(), random.uppercase());
        Person {
            first,
            last,
            email: format!(
                "{}.{}{}@mail.example",
                first.to_lowercase(),
                last.to_lowercase(),
                random.u32(1..10_000)
            ),
            phone: format!("+447{:09}", random.u32(100_000_000..1_000_000_000)),
            street: format!("{} {}", random.u16(1..400), STREETS[random.usize(..STREETS.len())]),
            city,
            postcode: format!("{}{district} {sector}{a}{b}", city.1),
            latitude: format!("5{}.{:07}", random.u8(0..8), random.u32(0..10_000_000)),
            longitude: format!("-{}.{:07}", random.u8(0..4), random.u32(0..10_000_000)),
        }
    }

    fn address(&self) -> Value {
        json!({
            "first_name": self.first,
            "address1": self.street,
            "phone": self.phone,
            "city": self.city.0,
            "zip": self.postcode,
            "province": "England",
            "country": "United Kingdom",
            "last_name": self.last,
            "address2": null,
            "company": null,
            "latitude": number(&self.latitude),
            "longitude": number(&self.longitude),
            "name": format!("{} {}", self.first, self.last),
            "country_code": "GB",
            "province_code": "ENG",
        })
    }
}

struct Line {
    id: u64,
    variant: u64,
    product: u64,
    title: &'static str,
    vendor: &'static str,
    size: String,
    sku: String,
    grams: i64,
    pence: i64,
    quantity: i64,
    engraving: String,
}

impl Line {
    fn new(orders: &mut Orders) -> Self {
        let (id, product) = (orders.id(), 8_000_000_000_000 + orders.random.u64(0..40_000) * 65_536);
        let random = &mut orders.random;
        Line {
            id,
            variant: 44_000_000_000_000 + random.u64(0..400_000) * 32_768,
            product,
            title: PRODUCTS[random.usize(..PRODUCTS.len())],
            vendor: VENDORS[random.usize(..VENDORS.len())].0,
            size: format!("{} g", random.u16(1..40) * 25),
            sku: format!("{}{}-{:05}", random.uppercase(), random.uppercase(), random.u32(0..100_000)),
            grams: random.i64(5..200) * 10,
            pence: random.i64(150..9_000),
            quantity: random.i64(1..4),
            engraving: format!("{:016x}", random.u64(..)),
        }
    }

    fn json(&self) -> Value {
        let Line { id, title, size, pence, quantity, .. } = self;
        let tax = pence * quantity / 6;
        json!({
            "id": id,
            "admin_graphql_api_id": format!("gid://shopify/LineItem/{id}"),
            "attributed_staffs": [],
            "current_quantity": quantity,
            "fulfillable_quantity": quantity,
            "fulfillment_service": "manual",
            "fulfillment_status": null,
            "gift_card": false,
            "grams": self.grams,
            "name": format!("{title} - {size}"),
            "price": text(*pence),
            "price_set": set(*pence),
            "product_exists": true,
            "product_id": self.product,
            "properties": [{ "name": "_line", "value": self.engraving }],
            "quantity": quantity,
            "requires_shipping": true,
            "sales_line_item_group_id": null,
            "sku": self.sku,
            "taxable": true,
            "title": title,
            "total_discount": "0.00",
            "total_discount_set": set(0),
            "variant_id": self.variant,
            "variant_inventory_management": "shopify",
            "variant_title": size,
            "vendor": self.vendor,
            "tax_lines": [tax_line(tax)],
            "duties": [],
            "discount_allocations": [],
        })
    }
}

fn text(pence: i64) -> String {
    format!("{}.{:02}", pence / 100, pence % 100)
}

fn set(pence: i64) -> Value {
    let money = json!({ "amount": text(pence), "currency_code": "GBP" });
    json!({ "shop_money": money, "presentment_money": money })
}

fn tax_line(pence: i64) -> Value {
    json!({ "channel_liable": false, "price": text(pence), "price_set": set(pence), "rate": 0.2, "title": "GB VAT" })
}

/// A number with all of its digits.
fn number(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or(Value::Null)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn orders_have_eight_kilobytes_and_no_two_are_alike() {
        let mut orders = Orders::new(1, "2026-11-26T12:00:00Z".parse().unwrap());
        let bodies: Vec<_> = (0..1_000).map(|_| orders.of_anybody().body).collect();
        let mean = bodies.iter().map(Vec::len).sum::<usize>() / bodies.len();
        assert!((8_000..8_500).contains(&mean), "{mean}");
        assert_eq!(bodies.iter().collect::<HashSet<_>>().len(), bodies.len());
        let ids: HashSet<_> = bodies
            .iter()
            .map(|body| serde_json::from_slice::<Value>(body).unwrap()["id"].as_u64().unwrap())
            .collect();
        assert_eq!(ids.len(), bodies.len());
    }

    #[test]
    fn a_seed_makes_the_same_orders_again_and_another_seed_others() {
        let first = |seed| Orders::new(seed, "2026-11-26T12:00:00Z".parse().unwrap()).of(7).body;
        assert_eq!(first(1), first(1));
        assert_ne!(first(1), first(2));
    }

    #[test]
    fn the_backend_reads_the_orders_as_they_are_meant() {
        let order = Orders::new(1, "2026-11-26T12:00:00Z".parse().unwrap()).of(7);
        let json: Value = serde_json::from_slice(&order.body).unwrap();
        assert_eq!(
            (json["customer"]["id"].as_u64(), json["financial_status"].as_str()),
            (Some(7), Some("paid"))
        );
        assert_eq!(json["subtotal_price"], text(order.pence));
    }
}
