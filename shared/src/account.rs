//! The account: the projection of one member that the checkout and the widgets read, kept in a metafield of the
//! customer.

use alloc::string::String;

use crate::{
    json::{FormatError, Json, check_version, optional, required},
    points::Points,
    redemption::Terms,
    rfm::Segment,
};

/// What a member's metafield says. The ledger is the truth; this is its projection as of entry [`Account::seq`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Account {
    /// The version of the member's ledger account that this shows.
    pub seq: i64,
    /// Points to spend. Negative where a return took more than was left and the program allows it.
    pub points: Points,
    /// Points that are earned but wait, for the payment of their order for one.
    pub pending: Points,
    /// The tier's key.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub tier: Option<String>,
    /// The segment by what the member has bought; none for prospects.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub segment: Option<Segment>,
    /// The live hold.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub hold: Option<Terms>,
    /// The points that expire next.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub next: Option<Next>,
}

/// Points that expire together.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Next {
    /// How many.
    pub points: Points,
    /// The first day on which they are gone, as `2027-01-31` in the shop's time zone.
    pub at: String,
}

impl Account {
    /// The metafield's key in the app's own namespace.
    pub const METAFIELD: &'static str = "account";
    /// The version of the format.
    pub const VERSION: i64 = 1;

    /// Reads the whole metafield.
    ///
    /// # Errors
    /// [`FormatError::Version`] of another version; [`FormatError::Field`] where a member is missing or none of its kind.
    pub fn read<J: Json>(json: &J) -> Result<Account, FormatError> {
        check_version(json, Account::VERSION)?;
        let points = |points: &J| Points::new(points.integer()?).ok();
        let hold = json.field("hold").map(|hold| Terms::read(&hold)).transpose()?;
        let next = json.field("next").map(|next| -> Result<Next, FormatError> {
            Ok(Next { points: required(&next, "points", points)?, at: required(&next, "at", Json::text)? })
        });
        Ok(Account {
            seq: required(json, "seq", |seq| seq.integer().filter(|seq| *seq >= 0))?,
            points: required(json, "points", points)?,
            pending: required(json, "pending", points)?,
            tier: optional(json, "tier", Json::text)?,
            segment: optional(json, "segment", |segment| segment.text()?.parse().ok())?,
            hold,
            next: next.transpose()?,
        })
    }

    /// The points that a new pick may use: it replaces the hold, whose points come back first.
    pub fn spendable(&self) -> Points {
        let held = self.hold.as_ref().map_or(Points::ZERO, |hold| hold.points);
        self.points.plus(held).unwrap_or(self.points)
    }

    /// Reads the live hold alone: all that a checkout needs.
    ///
    /// # Errors
    /// As [`Account::read`], of the version and the hold alone.
    pub fn read_hold<J: Json>(json: &J) -> Result<Option<Terms>, FormatError> {
        check_version(json, Account::VERSION)?;
        json.field("hold").map(|hold| Terms::read(&hold)).transpose()
    }

    /// Reads the tier alone: all that perks need. An account is a member's, also without a tier.
    ///
    /// # Errors
    /// As [`Account::read`], of the version and the tier alone.
    pub fn read_tier<J: Json>(json: &J) -> Result<Option<String>, FormatError> {
        check_version(json, Account::VERSION)?;
        optional(json, "tier", Json::text)
    }

    /// The metafield's text.
    ///
    /// # Errors
    /// Never: it holds nothing that JSON has no form for.
    #[cfg(feature = "serde")]
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        #[derive(serde::Serialize)]
        struct Versioned<'a> {
            v: i64,
            #[serde(flatten)]
            account: &'a Account,
        }
        serde_json::to_string(&Versioned { v: Account::VERSION, account: self })
    }
}

#[cfg(test)]
#[cfg(feature = "serde")]
mod tests {
    use alloc::string::ToString;

    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::{Currency, HoldId, Kind, LIMIT, Scope};

    fn full() -> Account {
        Account {
            seq: 12,
            points: Points::new(1_500).unwrap(),
            pending: Points::new(20).unwrap(),
            tier: Some("gold".to_string()),
            segment: Some(Segment::of(5, 4, 3)),
            hold: Some(Terms {
                id: HoldId(0xabc),
                scope: Scope::NextOrder,
                kind: Kind::Product,
                points: Points::new(500).unwrap(),
                value: 0,
                currency: Currency::parse("GBP").unwrap(),
                cap: Some(500),
                min: Some(2_000),
                variant: Some("gid://shopify/ProductVariant/1".to_string()),
                label: "Loyalty points".to_string(),
            }),
            next: Some(Next { points: Points::new(100).unwrap(), at: "2027-01-31".to_string() }),
        }
    }

    #[test]
    fn the_format_is_this() {
        let text = full().to_json().unwrap();
        let expected = json!({
            "v": 1, "seq": 12, "points": 1500, "pending": 20, "tier": "gold",
            "segment": "seg_543",
            "hold": {
                "id": "00000000000000000000000000000abc", "scope": "next_order", "kind": "product", "points": 500,
                "value": 0, "cur": "GBP", "cap": 500, "min": 2000, "variant": "gid://shopify/ProductVariant/1",
                "label": "Loyalty points",
            },
            "next": {"points": 100, "at": "2027-01-31"},
        });
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), expected);
        assert_eq!(Account::read(&&expected), Ok(full()));
        assert!(text.len() < 2_000, "an account stays below 2 kB: {}", text.len());
    }

    #[test]
    fn a_new_pick_may_use_what_the_hold_pins() {
        assert_eq!(full().spendable().get(), 2_000);
        assert_eq!(Account { hold: None, ..full() }.spendable().get(), 1_500);
    }

    #[test]
    fn a_small_account_is_small() {
        assert_eq!(Account::default().to_json().unwrap(), r#"{"v":1,"seq":0,"points":0,"pending":0}"#);
    }

    #[test]
    fn an_unknown_version_is_no_account() {
        for version in [json!(2), json!("1"), json!(1.5), json!(null), json!([1])] {
            let value = json!({"v": version, "seq": 0, "points": 0, "pending": 0});
            assert_eq!(Account::read(&&value), Err(FormatError::Version), "{value}");
            assert_eq!(Account::read_hold(&&value), Err(FormatError::Version), "{value}");
            assert_eq!(Account::read_tier(&&value), Err(FormatError::Version), "{value}");
        }
    }

    #[test]
    fn what_is_not_valid_is_named() {
        let written: Value = serde_json::from_str(&full().to_json().unwrap()).unwrap();
        for (pointer, bad, field) in [
            ("/hold/id", json!("xyz"), "id"),
            ("/hold/id", json!("0000000000000000000000000000000G"), "id"),
            ("/hold/scope", json!("any"), "scope"),
            ("/hold/kind", json!("gift"), "kind"),
            ("/hold/points", json!(-1), "points"),
            ("/hold/points", json!(1e300), "points"),
            ("/hold/value", json!(LIMIT + 1), "value"),
            ("/hold/cur", json!("gbp"), "cur"),
            ("/hold/cap", json!("5"), "cap"),
            ("/hold/min", json!(-5), "min"),
            ("/hold/label", json!(7), "label"),
            ("/points", json!("many"), "points"),
            ("/seq", json!(-1), "seq"),
            ("/next/at", json!(1), "at"),
            ("/tier", json!(["gold"]), "tier"),
            ("/segment", json!("seg_666"), "segment"),
            ("/segment", json!(543), "segment"),
        ] {
            let mut value = written.clone();
            *value.pointer_mut(pointer).unwrap() = bad;
            assert_eq!(Account::read(&&value), Err(FormatError::Field(field)), "{pointer}");
        }
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let key =
            "v|seq|points|pending|hold|id|scope|kind|value|cur|cap|min|variant|label|next|at|tier|segment";
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            Just(json!(1)),
            Just(json!(1e300)),
            "GBP|amount|percent|cart|next_order|seg_[0-6]{3}|[0-9a-f]{32}|.{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 40, 10, move |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::hash_map(key, inner, 0..10)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn no_json_makes_it_panic(value in any_json()) {
            if let Ok(account) = Account::read(&&value) {
                // What reads is written back to what reads the same.
                let again: Value = serde_json::from_str(&account.to_json().unwrap()).unwrap();
                prop_assert_eq!(Account::read(&&again), Ok(account));
            }
        }
    }
}
