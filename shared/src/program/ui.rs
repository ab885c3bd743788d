//! What of a program widgets get to see.

use alloc::{string::String, vec::Vec};

#[cfg(feature = "serde")]
use super::Program;
use crate::{boost::Boost, money::Currency, reward::Reward, rule::EarnRule, tier::Threshold};
#[cfg(feature = "serde")]
use crate::{
    campaign::LocalTime, json::FormatError, points::Points, referral::Referrals, reward::Amounts, tier::Tier,
};

/// What widgets see of a program: how orders earn and what points buy.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct ProgramUi {
    /// The version of the settings.
    pub version: i64,
    /// The shop's currency, in which orders earn.
    pub currency: Currency,
    /// How orders earn.
    pub earn: EarnRule,
    /// What tiers and campaigns multiply that by, just now.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Vec::is_empty"))]
    pub boosts: Vec<Boost>,
    /// The levels of membership, the lowest first.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Vec::is_empty"))]
    pub tiers: Vec<TierUi>,
    /// What points buy.
    pub rewards: Vec<Reward>,
}

/// What widgets see of a level of membership.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct TierUi {
    /// Its id within the program.
    pub id: String,
    /// What shoppers read.
    pub name: String,
    /// What a member needs to belong to it. Without one, staff say who does.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub threshold: Option<Threshold>,
}

/// The metafield.
#[cfg(feature = "serde")]
#[derive(serde::Serialize)]
struct Versioned<'a> {
    v: i64,
    #[serde(flatten)]
    program: &'a ProgramUi,
    /// Words for widgets to fill in: no rule reads them.
    #[serde(skip_serializing_if = "Option::is_none")]
    referrals: Option<Invitation>,
}

/// What sending somebody gives, as widgets show it.
#[cfg(feature = "serde")]
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Invitation {
    /// To whoever sends.
    pub advocate: Points,
    /// To whoever is sent.
    pub friend: Points,
    /// What the first order must come to, by currency, in minor units.
    pub min: Amounts,
    /// Within how many days.
    pub days: u16,
    /// How many days the points of both wait after it.
    pub wait_days: u16,
}

#[cfg(feature = "serde")]
impl ProgramUi {
    /// The metafield's text.
    ///
    /// # Errors
    /// Never: it holds nothing that JSON has no form for.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(&Versioned { v: Program::VERSION, program: self, referrals: None })
    }

    /// Reads the metafield's text: see [`ProgramUi::read`].
    ///
    /// # Errors
    /// As [`ProgramUi::read`]; [`FormatError::Version`] for what is no JSON, too.
    pub fn from_json(text: &str) -> Result<ProgramUi, FormatError> {
        let json: serde_json::Value = serde_json::from_str(text).map_err(|_| FormatError::Version)?;
        ProgramUi::read(&&json)
    }
}

#[cfg(feature = "serde")]
impl Program {
    /// The text of the metafield that widgets read at a minute: a [`ProgramUi`].
    ///
    /// # Errors
    /// Never: it holds nothing that JSON has no form for.
    pub fn to_ui_json(&self, version: i64, now: LocalTime) -> Result<String, serde_json::Error> {
        let Program { currency, earn, rewards, tiers, .. } = self.clone();
        let tiers = tiers.into_iter().map(|Tier { id, name, threshold, .. }| TierUi { id, name, threshold });
        let (boosts, tiers) = (self.boosts_at(now), tiers.collect());
        let program = &ProgramUi { version, currency, earn, boosts, tiers, rewards };
        serde_json::to_string(&Versioned { v: Program::VERSION, program, referrals: self.invitation() })
    }

    /// What sending somebody gives, as widgets show it.
    pub fn invitation(&self) -> Option<Invitation> {
        let Referrals { advocate, friend, min, days, wait_days, .. } = *self.referrals.as_ref()?;
        let min = Some((self.currency, min)).filter(|(_, min)| *min > 0).into_iter().collect();
        Some(Invitation { advocate, friend, min, days, wait_days })
    }
}

#[cfg(test)]
#[cfg(feature = "serde")]
mod tests {
    use alloc::string::ToString;

    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::json::Document;

    fn standard() -> Program {
        Program::standard(Currency::parse("GBP").unwrap())
    }

    /// The metafield of a program in which everything is set that can be.
    fn full() -> Value {
        json!({
            "v": 1, "version": 7, "currency": "GBP",
            "earn": {
                "points": 1, "per": 100, "order_cap": 500, "day_cap": 900,
                "basis": {"discounts": "before", "tax": "without", "shipping": true, "gift_cards": true, "tips": true},
                "multipliers": [
                    {"id": "a", "of": {"products": [1, 2]}, "factor": 20_000},
                    {"id": "b", "of": {"collections": [3]}, "factor": 0},
                    {"id": "c", "of": {"tags": ["Sale \"é\""]}, "factor": 5_000},
                ],
                "combine": "multiply", "wait": {"until": "fulfilled", "days": 14}, "guests": "earn_nothing",
            },
            "boosts": [
                {"source": "tier", "id": "gold", "factor": 15_000, "tiers": ["gold"]},
                {"source": "campaign", "id": "x", "factor": 9, "time": ["2026-11-27T09:00", "2026-11-28T00:00"]},
            ],
            "tiers": [
                {"id": "tin", "name": "Tin"},
                {"id": "gold", "name": "ذهبي", "threshold": {"measure": "spend", "at_least": 50_000, "days": 365}},
            ],
            "rewards": [
                {"id": "a", "name": "A", "points": 1, "benefit": {"kind": "amount", "value": {"GBP": 5, "EUR": 6}},
                 "min": {"GBP": 9},
                 "gate": {"tiers": ["gold"], "segments": ["at_risk", "new"], "from": "2026-11-27T09:00",
                          "until": "2026-11-28T00:00", "limit": {"most": 2, "per": "week"}}},
                {"id": "b", "name": "B", "points": 2, "benefit": {"kind": "steps", "value": {"GBP": 5}, "most": 9}},
                {"id": "c", "name": "C", "points": 3,
                 "benefit": {"kind": "percent", "basis_points": 1_000, "cap": {"GBP": 5}}},
                {"id": "d", "name": "D", "points": 4, "benefit": {"kind": "product", "variant": "v"}},
                {"id": "e", "name": "E", "points": 5, "benefit": {"kind": "store_credit", "value": {"GBP": 5}}},
                {"id": "f", "name": "F", "points": 6, "benefit": {"kind": "gift_card", "value": {"GBP": 5}}},
                {"id": "g", "name": "G", "points": 7, "benefit": {"kind": "shipping", "cap": {"GBP": 5}}},
            ],
        })
    }

    #[test]
    fn what_widgets_see_is_read_back_in_this_version_only() {
        let text = standard().to_ui_json(3, LocalTime::default()).unwrap();
        let Program { currency, earn, rewards, .. } = standard();
        let (boosts, tiers) = (Vec::new(), Vec::new());
        assert_eq!(
            ProgramUi::from_json(&text),
            Ok(ProgramUi { version: 3, currency, earn, boosts, tiers, rewards })
        );
        for other in [text.replacen("\"v\":1", "\"v\":2", 1), "{}".into(), "no JSON".into()] {
            assert_eq!(ProgramUi::from_json(&other), Err(FormatError::Version), "{other}");
        }
        let wrong = text.replacen("\"earn\"", "\"learn\"", 1);
        assert_eq!(ProgramUi::from_json(&wrong), Err(FormatError::Field("earn")));
    }

    #[test]
    fn what_sending_somebody_gives_is_shown_to_widgets() {
        let points = |points| Points::new(points).unwrap();
        let (advocate, friend, landing) = (points(200), points(100), "/".into());
        let referrals = Referrals {
            advocate,
            friend,
            min: 2_000,
            days: 30,
            wait_days: 14,
            limit: None,
            review_from: None,
            landing,
        };
        let shown = |referrals| {
            let text = Program { referrals, ..standard() }.to_ui_json(3, LocalTime::default()).unwrap();
            assert!(ProgramUi::from_json(&text).is_ok());
            serde_json::from_str::<Value>(&text).unwrap()["referrals"].clone()
        };
        assert_eq!(shown(None), Value::Null);
        let any = Referrals { min: 0, ..referrals.clone() };
        for (referrals, min) in [(referrals, json!({"GBP": 2_000})), (any, json!({}))] {
            let expected = json!({"advocate": 200, "friend": 100, "min": min, "days": 30, "wait_days": 14});
            assert_eq!(shown(Some(referrals)), expected);
        }
    }

    #[test]
    fn everything_that_can_be_set_is_read_and_written_again_as_it_was() {
        let read = ProgramUi::read(&&full()).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&read.to_json().unwrap()).unwrap(), full());
    }

    #[test]
    fn what_is_newer_is_passed_over_where_that_makes_no_number_wrong() {
        let read = |change: fn(&mut Value)| {
            let mut json = full();
            change(&mut json);
            ProgramUi::read(&&json)
        };
        let unknown = read(|json| json["earn"]["novel"] = json!(1));
        assert_eq!(unknown, read(|_| {}));
        let ids =
            |program: ProgramUi| program.rewards.into_iter().map(|reward| reward.id).collect::<String>();
        assert_eq!(
            ids(read(|json| json["rewards"][0]["benefit"]["kind"] = json!("novel")).unwrap()),
            "bcdefg"
        );
        assert_eq!(ids(read(|json| json["rewards"][1]["points"] = json!(0)).unwrap()), "acdefg");
        for (field, result) in [
            ("earn", read(|json| json["earn"] = Value::Null)),
            ("earn", read(|json| json["earn"]["combine"] = json!("novel"))),
            ("earn", read(|json| json["earn"]["multipliers"][0]["of"] = json!({"novel": [1]}))),
            ("boosts", read(|json| json["boosts"][0]["source"] = json!("novel"))),
            ("tiers", read(|json| json["tiers"][0]["name"] = json!(1))),
            ("currency", read(|json| json["currency"] = json!("gbp"))),
        ] {
            assert_eq!(result, Err(FormatError::Field(field)));
        }
    }

    /// As serde reads the settings, of which the metafield is made.
    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Settings {
        version: i64,
        currency: Currency,
        earn: EarnRule,
        #[serde(default)]
        boosts: Vec<Boost>,
        rewards: Vec<Reward>,
    }

    /// Every place in a text, as a JSON pointer.
    fn places(json: &Value, at: &str, into: &mut Vec<String>) {
        into.push(at.into());
        let members = json.as_object().into_iter().flatten().map(|(name, value)| (name.clone(), value));
        let elements = json.as_array().into_iter().flatten().enumerate();
        let elements = elements.map(|(place, value)| (alloc::format!("{place}"), value));
        for (name, value) in members.chain(elements) {
            places(value, &alloc::format!("{at}/{name}"), into);
        }
    }

    fn a_program_with_something_else_in_it() -> impl Strategy<Value = Value> {
        let something = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (-99_999_i64..=99_999).prop_map(Value::from),
            Just(json!(0.5)),
            Just(json!({})),
            "GBP|paid|best|gold|week|new|tier|2026-11-27T09:00|.{0,4}".prop_map(Value::from),
        ];
        let mut places_there = Vec::new();
        places(&full(), "", &mut places_there);
        let change = (prop::sample::select(places_there), something);
        prop::collection::vec(change, 0..3).prop_map(|changes| {
            let mut json = full();
            for (place, something) in changes {
                if let Some(value) = json.pointer_mut(&place) {
                    *value = something;
                }
            }
            json
        })
    }

    proptest! {
        #[test]
        fn it_reads_what_serde_reads_of_values_and_of_text(json in a_program_with_something_else_in_it()) {
            let read = ProgramUi::read(&&json);
            let text = json.to_string();
            let document = Document::parse(&text).unwrap();
            prop_assert_eq!(&ProgramUi::read(&document.root().unwrap()), &read);
            let known = json["v"] == 1 && json["tiers"] == full()["tiers"];
            if let Ok(mut by_serde) = serde_json::from_value::<Settings>(json) && known {
                by_serde.rewards.retain(|reward| reward.points.is_positive());
                let ProgramUi { version, currency, earn, boosts, rewards, .. } = read.unwrap();
                prop_assert_eq!(Settings { version, currency, earn, boosts, rewards }, by_serde);
            }
        }
    }
}
