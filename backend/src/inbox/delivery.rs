//! A delivery on its way in, and the lane it belongs to.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::error::Category;

use super::BUCKETS;
use crate::db::{self, Timestamp};
use crate::ids::{CustomerId, OrderId, ShopId};

/// One delivery of a webhook, verified.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// Whose it is.
    pub shop: ShopId,
    /// `X-Shopify-Webhook-Id`: the same in every repeat.
    pub webhook_id: String,
    /// `X-Shopify-Event-Id`.
    pub event_id: Option<String>,
    /// `X-Shopify-Topic`.
    pub topic: String,
    /// `X-Shopify-API-Version`.
    pub api_version: Option<String>,
    /// `X-Shopify-Triggered-At`.
    pub triggered_at: Timestamp,
    /// The raw body.
    pub payload: Vec<u8>,
}

/// What became of a delivery that was accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepted {
    /// It was stored.
    Stored,
    /// It was stored before.
    Duplicate,
}

/// Why a delivery was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum AcceptError {
    /// Its payload is not JSON. Sending it again does not help.
    #[error("the body is not JSON")]
    NotJson,
    /// Too many wait for a commit.
    #[error("too many deliveries are waiting")]
    Full,
    /// Not committed in time; it may be stored all the same.
    #[error("the delivery could not be stored in time")]
    TimedOut,
    /// The database is not available; it may be stored all the same.
    #[error("the database is not available")]
    Unavailable,
    /// The database's error.
    #[error(transparent)]
    Database(#[from] db::Error),
    /// Sealing failed, or the process is stopping.
    #[error("the inbox is closed")]
    Closed,
}

/// Whom a payload is about, as far as it says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct About {
    pub customer: Option<CustomerId>,
    pub order: Option<OrderId>,
}

/// The ids in a payload; whatever else stands there is none of ours.
#[derive(Deserialize, Default)]
struct Ids {
    #[serde(default)]
    id: Id,
    #[serde(default)]
    order_id: Id,
    #[serde(default)]
    customer: Option<Customer>,
    #[serde(default)]
    order_edit: Option<OrderEdit>,
    /// The customer that is left of two.
    #[serde(default)]
    admin_graphql_api_customer_kept_id: Option<Gid>,
    /// Whose tags have changed.
    #[serde(default, rename = "customerId")]
    customer_gid: Option<Gid>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OrderEdit {
    Known {
        #[serde(default)]
        order_id: Id,
    },
    #[allow(dead_code, reason = "an edit that is not an object is none")]
    Other(IgnoredAny),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Gid {
    Text(String),
    #[allow(dead_code, reason = "a global id that is not a text is none")]
    Other(IgnoredAny),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Customer {
    Known {
        #[serde(default)]
        id: Id,
    },
    #[allow(dead_code, reason = "a customer that is not an object is none")]
    Other(IgnoredAny),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Id {
    Number(i64),
    #[allow(dead_code, reason = "an id that is not a number is none")]
    Other(IgnoredAny),
}

impl Default for Id {
    fn default() -> Self {
        Id::Other(IgnoredAny)
    }
}

impl Id {
    fn get(&self) -> Option<i64> {
        match self {
            Id::Number(id) => Some(*id),
            Id::Other(_) => None,
        }
    }
}

impl Ids {
    fn edited(&self) -> Option<i64> {
        match &self.order_edit {
            Some(OrderEdit::Known { order_id }) => order_id.get(),
            Some(OrderEdit::Other(_)) | None => None,
        }
    }
}

impl Gid {
    fn customer(&self) -> Option<i64> {
        match self {
            Gid::Text(gid) => gid.strip_prefix("gid://shopify/Customer/")?.parse().ok(),
            Gid::Other(_) => None,
        }
    }
}

impl About {
    /// Reads whom a payload is about.
    ///
    /// # Errors
    /// When it is not JSON. JSON that is not the topic's is about nobody, and the handler's to refuse.
    pub(super) fn read(topic: &str, payload: &[u8]) -> Result<About, AcceptError> {
        let payload = str::from_utf8(payload).map_err(|_| AcceptError::NotJson)?;
        // serde would take an array for the fields of a struct
        let is_object = payload.trim_start().starts_with('{');
        let ids: Ids = match serde_json::from_str(payload) {
            Ok(ids) if is_object => ids,
            Err(error) if error.classify() != Category::Data => return Err(AcceptError::NotJson),
            // Not an object, or a key twice; the rest must still be JSON.
            _ => {
                serde_json::from_str::<IgnoredAny>(payload).map_err(|_| AcceptError::NotJson)?;
                Ids::default()
            }
        };
        let own = ids.id.get();
        let customer = match &ids.customer {
            Some(Customer::Known { id }) => id.get(),
            Some(Customer::Other(_)) | None => None,
        };
        let (customer, order) = match topic.split_once('/') {
            Some(("orders", "edited")) => (None, ids.edited()),
            Some(("orders", _)) => (customer, own),
            Some(("customers", "merge")) => {
                (ids.admin_graphql_api_customer_kept_id.as_ref().and_then(Gid::customer), None)
            }
            // Privacy requests are about a customer, and have no id.
            Some(("customers", _)) => (own.or(customer), None),
            None if topic.starts_with("customer.") => {
                (ids.customer_gid.as_ref().and_then(Gid::customer), None)
            }
            _ => (customer, ids.order_id.get()),
        };
        Ok(About { customer: customer.map(CustomerId), order: order.map(OrderId) })
    }

    /// The lane: the customer's, else the order's, else that of everything else in the shop.
    pub(super) fn lane(self) -> String {
        match (self.customer, self.order) {
            (Some(customer), _) => format!("customer:{customer}"),
            (None, Some(order)) => format!("order:{order}"),
            (None, None) => "shop".to_owned(),
        }
    }
}

/// The bucket of a lane: FNV-1a, because it must stay the same in every build.
pub(super) fn bucket(shop: ShopId, lane: &str) -> i64 {
    let bytes = shop.0.as_bytes().iter().chain(lane.as_bytes());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    // The low bits of FNV depend on the last bytes only through a product; fold the high ones in.
    ((hash ^ (hash >> 32)) % BUCKETS) as i64
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn lane(topic: &str, payload: &str) -> String {
        About::read(topic, payload.as_bytes()).unwrap().lane()
    }

    #[test]
    fn the_lane_is_the_customers_else_the_orders() {
        assert_eq!(lane("orders/paid", r#"{"id":5,"customer":{"id":7,"email":"x"}}"#), "customer:7");
        assert_eq!(lane("orders/paid", r#"{"id":5,"customer":null}"#), "order:5");
        assert_eq!(lane("orders/paid", r#"{"id":5}"#), "order:5");
        assert_eq!(lane("orders/edited", r#"{"order_edit":{"id":3,"order_id":5}}"#), "order:5");
        assert_eq!(lane("orders/edited", r#"{"order_edit":[5]}"#), "shop");
        let kept =
            r#"{"admin_graphql_api_customer_kept_id":"gid://shopify/Customer/7","status":"completed"}"#;
        assert_eq!(lane("customers/merge", kept), "customer:7");
        let tagged = r#"{"customerId":"gid://shopify/Customer/7","tags":[]}"#;
        assert_eq!(lane("customer.tags_added", tagged), "customer:7");
        assert_eq!(lane("customer.tags_removed", r#"{"customerId":7}"#), "shop");
        assert_eq!(lane("customers/merge", r#"{"admin_graphql_api_customer_kept_id":7}"#), "shop");
        assert_eq!(lane("customers/redact", r#"{"shop_id":1,"customer":{"id":7}}"#), "customer:7");
        assert_eq!(lane("refunds/create", r#"{"id":9,"order_id":5}"#), "order:5");
        assert_eq!(lane("customers/update", r#"{"id":7,"order_id":5}"#), "customer:7");
        assert_eq!(lane("shop/update", r#"{"id":1}"#), "shop");
    }

    #[test]
    fn json_that_is_not_the_topics_is_about_nobody() {
        for payload in ["[1]", "7", "\"x\"", "null", r#"{"id":"5"}"#, r#"{"id":5.5}"#, r#"{"id":1e30}"#] {
            assert_eq!(lane("orders/paid", payload), "shop", "{payload}");
        }
        assert_eq!(lane("orders/paid", r#"{"id":5,"customer":"seven"}"#), "order:5");
        assert_eq!(lane("orders/paid", r#"{"id":5,"customer":{"id":null}}"#), "order:5");
        // a key twice: still JSON
        assert_eq!(lane("orders/paid", r#"{"id":5,"id":6}"#), "shop");
    }

    #[test]
    fn what_is_not_json_is_refused() {
        for payload in ["", "{", "{\"id\":5", "{\"id\":5,\"id\":6", "nope", "{} {}", "\u{feff}{}"] {
            let refusal = About::read("orders/paid", payload.as_bytes());
            assert!(matches!(refusal, Err(AcceptError::NotJson)), "{payload:?}");
        }
        assert!(About::read("orders/paid", b"{\"id\":5,\"note\":\"\xff\"}").is_err(), "not UTF-8");
        assert!(About::read("orders/paid", "[".repeat(100_000).as_bytes()).is_err(), "too deep");
    }

    #[test]
    fn buckets_are_stable_and_spread() {
        let shop = ShopId(Uuid::from_u128(1));
        assert_eq!(bucket(shop, "customer:1"), bucket(shop, "customer:1"));
        let mut counts = [0; BUCKETS as usize];
        for customer in 0..6_400 {
            counts[bucket(shop, &format!("customer:{customer}")) as usize] += 1;
        }
        assert!(counts.iter().all(|count| (50..150).contains(count)), "{counts:?}");
    }
}
