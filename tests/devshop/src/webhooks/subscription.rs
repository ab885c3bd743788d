//! What an app subscribed to, and which part of a payload it gets.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// A topic that is sent to the app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// Such as `orders/create`.
    pub topic: String,
    /// Where below the app's URL it arrives.
    pub path: String,
    /// The members of the payload that are sent, such as `id` or `line_items.price_set`; without it all of them.
    pub include_fields: Option<Vec<String>>,
}

/// Members wanted of an object; one without wanted members of its own is wanted whole.
#[derive(Default)]
struct Wanted<'a>(BTreeMap<&'a str, Wanted<'a>>);

impl Subscription {
    /// A topic with its whole payload.
    pub fn to(topic: &str) -> Self {
        Self { topic: topic.into(), path: "/webhooks".into(), include_fields: None }
    }

    /// What of a payload is sent. A point leads into an object, or into each object of a list; what a payload does not
    /// have is left out.
    pub(super) fn cut(&self, payload: &Value) -> Value {
        let Some(fields) = &self.include_fields else { return payload.clone() };
        let mut wanted = Wanted::default();
        // The shorter first: who wants all of a member gets all of it.
        let mut fields: Vec<&String> = fields.iter().collect();
        fields.sort_by_key(|field| field.len());
        for field in fields {
            wanted.add(field);
        }
        wanted.of(payload)
    }
}

impl<'a> Wanted<'a> {
    fn add(&mut self, path: &'a str) {
        let mut members = &mut self.0;
        for name in path.split('.') {
            let known = members.contains_key(name);
            let next = &mut members.entry(name).or_default().0;
            // Wanted whole already.
            if known && next.is_empty() {
                return;
            }
            members = next;
        }
    }

    fn of(&self, value: &Value) -> Value {
        match value {
            Value::Object(object) => {
                let member = |(name, wanted): (&&str, &Wanted<'_>)| {
                    let value = object.get(*name)?;
                    let value = if wanted.0.is_empty() { value.clone() } else { wanted.of(value) };
                    Some(((*name).to_owned(), value))
                };
                Value::Object(self.0.iter().filter_map(member).collect::<Map<_, _>>())
            }
            Value::Array(list) => list.iter().map(|value| self.of(value)).collect(),
            other => other.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn cut(fields: &[&str]) -> Value {
        let fields = fields.iter().map(|field| (*field).to_owned()).collect();
        let subscription = Subscription { include_fields: Some(fields), ..Subscription::to("orders/create") };
        subscription.cut(&json!({
            "id": 1,
            "email": "ada@example.com",
            "customer": {"id": 7, "first_name": "Ada"},
            "billing_address": null,
            "line_items": [
                {"id": 2, "title": "Mug", "price_set": {"shop_money": {"amount": "1.00"}}},
                {"id": 3, "title": "Cup"},
            ],
            "refunds": [],
        }))
    }

    #[test]
    fn without_a_list_of_fields_all_is_sent() {
        let payload = json!({"id": 1, "email": "ada@example.com"});
        assert_eq!(Subscription::to("customers/create").cut(&payload), payload);
    }

    #[test]
    fn a_point_leads_into_objects_and_lists() {
        assert_eq!(cut(&["id", "customer.id"]), json!({"id": 1, "customer": {"id": 7}}));
        assert_eq!(
            cut(&["line_items.id", "line_items.price_set"]),
            json!({"line_items": [{"id": 2, "price_set": {"shop_money": {"amount": "1.00"}}}, {"id": 3}]})
        );
        assert_eq!(
            cut(&["refunds.id", "billing_address.zip"]),
            json!({"refunds": [], "billing_address": null})
        );
    }

    #[test]
    fn who_names_a_member_whole_gets_it_whole() {
        let whole = json!({"customer": {"id": 7, "first_name": "Ada"}});
        assert_eq!(cut(&["customer.id", "customer"]), whole);
        assert_eq!(cut(&["customer", "customer.id"]), whole);
    }

    #[test]
    fn what_is_not_there_is_left_out() {
        assert_eq!(cut(&["nothing", "customer.nothing", "id.nothing"]), json!({"customer": {}, "id": 1}));
        assert_eq!(cut(&[]), json!({}));
    }
}
