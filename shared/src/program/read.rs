//! Reads what widgets see of a program wherever they are: in the backend, and in browsers, which do without serde.
//!
//! What is newer than this code: an unknown member is passed over, and so is a reward that it cannot read, since nobody
//! is promised anything by one that is not shown. Anything else that cannot be read would make numbers wrong, so it is
//! an error.

use alloc::{string::String, vec::Vec};

use super::{Program, ProgramUi, TierUi};
use crate::{
    boost::Boost,
    campaign::LocalTime,
    gate::Gate,
    json::{FormatError, Json, check_version, list, optional, required},
    limit::{Limit, Period},
    line::{Basis, Discounts, Tax},
    money::Currency,
    multiplier::{Combine, Factor, Multiplier, Selection, Source},
    order::{Until, Wait},
    points::Points,
    reward::{Amounts, Benefit, Reward},
    rfm::Group,
    rule::{EarnRule, Guests},
    tier::{Measure, Threshold},
};

impl ProgramUi {
    /// Reads the whole metafield.
    ///
    /// # Errors
    /// An unknown version: it may mean anything. A member that is missing or not what it should be.
    pub fn read<J: Json>(json: &J) -> Result<ProgramUi, FormatError> {
        check_version(json, Program::VERSION)?;
        let rewards = json.field("rewards").ok_or(FormatError::Field("rewards"))?;
        let rewards = rewards.elements().filter_map(|reward| read_reward(&reward).ok()).collect();
        Ok(ProgramUi {
            version: required(json, "version", Json::integer)?,
            currency: required(json, "currency", currency)?,
            earn: read_rule(&json.field("earn").ok_or(FormatError::Field("earn"))?)?,
            boosts: list(json, "boosts", |boost| read_boost(boost).ok())?,
            tiers: list(json, "tiers", |tier| read_tier(tier).ok())?,
            rewards,
        })
    }
}

fn read_rule<J: Json>(json: &J) -> Result<EarnRule, FormatError> {
    let combine = named(&[("best", Combine::Best), ("multiply", Combine::Multiply)]);
    let guests = named(&[("earn", Guests::Earn), ("earn_nothing", Guests::EarnNothing)]);
    Ok(EarnRule {
        points: required(json, "points", points)?,
        per: required(json, "per", Json::integer)?,
        order_cap: optional(json, "order_cap", points)?,
        day_cap: optional(json, "day_cap", points)?,
        basis: or_default(json, "basis", read_basis)?,
        multipliers: list(json, "multipliers", |multiplier| read_multiplier(multiplier).ok())?,
        combine: optional(json, "combine", combine)?.unwrap_or_default(),
        wait: or_default(json, "wait", read_wait)?,
        guests: optional(json, "guests", guests)?.unwrap_or_default(),
    })
}

fn read_basis<J: Json>(json: &J) -> Result<Basis, FormatError> {
    let discounts = named(&[("after", Discounts::After), ("before", Discounts::Before)]);
    let tax = named(&[("as_priced", Tax::AsPriced), ("with", Tax::With), ("without", Tax::Without)]);
    let counts = |name| optional(json, name, Json::truth).map(Option::unwrap_or_default);
    Ok(Basis {
        discounts: optional(json, "discounts", discounts)?.unwrap_or_default(),
        tax: optional(json, "tax", tax)?.unwrap_or_default(),
        shipping: counts("shipping")?,
        gift_cards: counts("gift_cards")?,
        tips: counts("tips")?,
    })
}

fn read_wait<J: Json>(json: &J) -> Result<Wait, FormatError> {
    let until = named(&[("paid", Until::Paid), ("fulfilled", Until::Fulfilled)]);
    Ok(Wait {
        until: optional(json, "until", until)?.unwrap_or_default(),
        days: optional(json, "days", |days| u16::try_from(days.integer()?).ok())?.unwrap_or_default(),
    })
}

fn read_multiplier<J: Json>(json: &J) -> Result<Multiplier, FormatError> {
    Ok(Multiplier {
        id: required(json, "id", Json::text)?,
        of: required(json, "of", selection)?,
        factor: required(json, "factor", factor)?,
    })
}

fn selection<J: Json>(json: &J) -> Option<Selection> {
    let ids = |ids: &J| ids.elements().map(|id| id.integer()).collect::<Option<Vec<i64>>>();
    let (name, of) = json.members().next()?;
    match name.as_str() {
        "products" => ids(&of).map(Selection::Products),
        "collections" => ids(&of).map(Selection::Collections),
        "tags" => of.elements().map(|tag| tag.text()).collect::<Option<Vec<String>>>().map(Selection::Tags),
        _ => None,
    }
}

fn read_boost<J: Json>(json: &J) -> Result<Boost, FormatError> {
    let sources = [("products", Source::Products), ("tier", Source::Tier), ("campaign", Source::Campaign)];
    let time = |time: &J| {
        let mut ends = time.elements().map(|end| local_time(&end));
        Some((ends.next()??, ends.next()??))
    };
    Ok(Boost {
        source: required(json, "source", named(&sources))?,
        id: required(json, "id", Json::text)?,
        factor: required(json, "factor", factor)?,
        tiers: list(json, "tiers", Json::text)?,
        time: optional(json, "time", time)?,
    })
}

fn read_tier<J: Json>(json: &J) -> Result<TierUi, FormatError> {
    Ok(TierUi {
        id: required(json, "id", Json::text)?,
        name: required(json, "name", Json::text)?,
        threshold: optional(json, "threshold", |threshold| read_threshold(threshold).ok())?,
    })
}

fn read_threshold<J: Json>(json: &J) -> Result<Threshold, FormatError> {
    let measures = [("points", Measure::Points), ("spend", Measure::Spend)];
    Ok(Threshold {
        measure: required(json, "measure", named(&measures))?,
        at_least: required(json, "at_least", Json::integer)?,
        days: required(json, "days", |days| u32::try_from(days.integer()?).ok())?,
    })
}

fn read_reward<J: Json>(json: &J) -> Result<Reward, FormatError> {
    Ok(Reward {
        id: required(json, "id", Json::text)?,
        name: required(json, "name", Json::text)?,
        points: required(json, "points", |json| points(json).filter(|points| points.is_positive()))?,
        benefit: read_benefit(&json.field("benefit").ok_or(FormatError::Field("benefit"))?)?,
        min: optional(json, "min", amounts)?.unwrap_or_default(),
        gate: or_default(json, "gate", read_gate)?,
    })
}

fn read_benefit<J: Json>(json: &J) -> Result<Benefit, FormatError> {
    let value = || required(json, "value", amounts);
    let cap = || optional(json, "cap", amounts).map(Option::unwrap_or_default);
    let kind = required(json, "kind", Json::text)?;
    Ok(match kind.as_str() {
        "amount" => Benefit::Amount { value: value()? },
        "steps" => Benefit::Steps { value: value()?, most: required(json, "most", Json::integer)? },
        "percent" => {
            Benefit::Percent { basis_points: required(json, "basis_points", Json::integer)?, cap: cap()? }
        }
        "product" => Benefit::Product { variant: required(json, "variant", Json::text)? },
        "store_credit" => Benefit::StoreCredit { value: value()? },
        "gift_card" => Benefit::GiftCard { value: value()? },
        "shipping" => Benefit::Shipping { cap: cap()? },
        _ => return Err(FormatError::Field("kind")),
    })
}

fn read_gate<J: Json>(json: &J) -> Result<Gate, FormatError> {
    let group = |group: &J| {
        let name = group.text()?;
        Group::ALL.into_iter().find(|group| group.as_str() == name)
    };
    Ok(Gate {
        tiers: list(json, "tiers", Json::text)?,
        segments: list(json, "segments", group)?,
        from: optional(json, "from", local_time)?,
        until: optional(json, "until", local_time)?,
        limit: optional(json, "limit", |limit| read_limit(limit).ok())?,
    })
}

fn read_limit<J: Json>(json: &J) -> Result<Limit, FormatError> {
    let periods = [
        ("day", Period::Day),
        ("week", Period::Week),
        ("month", Period::Month),
        ("year", Period::Year),
        ("ever", Period::Ever),
    ];
    Ok(Limit {
        most: required(json, "most", |most| u32::try_from(most.integer()?).ok())?,
        per: required(json, "per", named(&periods))?,
    })
}

fn points<J: Json>(json: &J) -> Option<Points> {
    Points::new(json.integer()?).ok()
}

fn factor<J: Json>(json: &J) -> Option<Factor> {
    json.integer().map(Factor)
}

fn currency<J: Json>(json: &J) -> Option<Currency> {
    Currency::parse(&json.text()?).ok()
}

fn amounts<J: Json>(json: &J) -> Option<Amounts> {
    // One by one: collecting would sort them first, which is a lot of code for a browser.
    let mut amounts = Amounts::new();
    for (code, minor) in json.members() {
        amounts.insert(Currency::parse(&code).ok()?, minor.integer()?);
    }
    Some(amounts)
}

fn local_time<J: Json>(json: &J) -> Option<LocalTime> {
    LocalTime::parse(&json.text()?).ok()
}

/// One of these, by its name.
fn named<J: Json, T: Copy>(names: &[(&str, T)]) -> impl Fn(&J) -> Option<T> {
    |json| {
        let name = json.text()?;
        names.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }
}

/// An object that is as if nobody had set it where it is absent.
fn or_default<J: Json, T: Default>(
    json: &J,
    name: &'static str,
    read: impl FnOnce(&J) -> Result<T, FormatError>,
) -> Result<T, FormatError> {
    json.field(name).map_or(Ok(T::default()), |json| read(&json))
}
