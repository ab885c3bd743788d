//! Reads what widgets see of a program wherever they are: in the backend, and in browsers, which do without serde.
//!
//! What is newer than this code: an unknown member is passed over, and so is a reward that it cannot read, since nobody
//! is promised anything by one that is not shown. Anything else that cannot be read would make numbers wrong, so it is
//! an error.

use alloc::vec::Vec;

use super::{Program, ProgramUi, TierUi};
use crate::{
    boost::Boost,
    campaign::LocalTime,
    gate::Gate,
    json::{FormatError, Json, all, check_version, required},
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
        let mut rewards = Vec::new();
        for reward in json.field("rewards").ok_or(FormatError::Field("rewards"))?.elements() {
            if let Some(reward) = read_reward(&reward) {
                rewards.push(reward);
            }
        }
        Ok(ProgramUi {
            version: required(json, "version", Json::integer)?,
            currency: required(json, "currency", currency)?,
            earn: required(json, "earn", read_rule)?,
            boosts: each(json, "boosts", read_boost).ok_or(FormatError::Field("boosts"))?,
            tiers: each(json, "tiers", read_tier).ok_or(FormatError::Field("tiers"))?,
            rewards,
        })
    }
}

fn read_rule<J: Json>(json: &J) -> Option<EarnRule> {
    let combine = named(&[("best", Combine::Best), ("multiply", Combine::Multiply)]);
    let guests = named(&[("earn", Guests::Earn), ("earn_nothing", Guests::EarnNothing)]);
    Some(EarnRule {
        points: one(json, "points", points)?,
        per: one(json, "per", Json::integer)?,
        order_cap: maybe(json, "order_cap", points)?,
        day_cap: maybe(json, "day_cap", points)?,
        basis: maybe(json, "basis", read_basis)?.unwrap_or_default(),
        multipliers: each(json, "multipliers", read_multiplier)?,
        combine: maybe(json, "combine", combine)?.unwrap_or_default(),
        wait: maybe(json, "wait", read_wait)?.unwrap_or_default(),
        guests: maybe(json, "guests", guests)?.unwrap_or_default(),
    })
}

fn read_basis<J: Json>(json: &J) -> Option<Basis> {
    let discounts = named(&[("after", Discounts::After), ("before", Discounts::Before)]);
    let tax = named(&[("as_priced", Tax::AsPriced), ("with", Tax::With), ("without", Tax::Without)]);
    let counts = |name| maybe(json, name, Json::truth).map(Option::unwrap_or_default);
    Some(Basis {
        discounts: maybe(json, "discounts", discounts)?.unwrap_or_default(),
        tax: maybe(json, "tax", tax)?.unwrap_or_default(),
        shipping: counts("shipping")?,
        gift_cards: counts("gift_cards")?,
        tips: counts("tips")?,
    })
}

fn read_wait<J: Json>(json: &J) -> Option<Wait> {
    let until = named(&[("paid", Until::Paid), ("fulfilled", Until::Fulfilled)]);
    Some(Wait {
        until: maybe(json, "until", until)?.unwrap_or_default(),
        days: maybe(json, "days", |days| u16::try_from(days.integer()?).ok())?.unwrap_or_default(),
    })
}

fn read_multiplier<J: Json>(json: &J) -> Option<Multiplier> {
    Some(Multiplier {
        id: one(json, "id", Json::text)?,
        of: one(json, "of", selection)?,
        factor: one(json, "factor", factor)?,
    })
}

fn selection<J: Json>(json: &J) -> Option<Selection> {
    let (name, of) = json.members().next()?;
    match name.as_str() {
        "products" => all(&of, Json::integer).map(Selection::Products),
        "collections" => all(&of, Json::integer).map(Selection::Collections),
        "tags" => all(&of, Json::text).map(Selection::Tags),
        _ => None,
    }
}

fn read_boost<J: Json>(json: &J) -> Option<Boost> {
    let sources = [("products", Source::Products), ("tier", Source::Tier), ("campaign", Source::Campaign)];
    let time = |time: &J| {
        let mut ends = time.elements().map(|end| local_time(&end));
        Some((ends.next()??, ends.next()??))
    };
    Some(Boost {
        source: one(json, "source", named(&sources))?,
        id: one(json, "id", Json::text)?,
        factor: one(json, "factor", factor)?,
        tiers: each(json, "tiers", Json::text)?,
        time: maybe(json, "time", time)?,
    })
}

fn read_tier<J: Json>(json: &J) -> Option<TierUi> {
    Some(TierUi {
        id: one(json, "id", Json::text)?,
        name: one(json, "name", Json::text)?,
        threshold: maybe(json, "threshold", read_threshold)?,
    })
}

fn read_threshold<J: Json>(json: &J) -> Option<Threshold> {
    let measures = [("points", Measure::Points), ("spend", Measure::Spend)];
    Some(Threshold {
        measure: one(json, "measure", named(&measures))?,
        at_least: one(json, "at_least", Json::integer)?,
        days: one(json, "days", |days| u32::try_from(days.integer()?).ok())?,
    })
}

fn read_reward<J: Json>(json: &J) -> Option<Reward> {
    Some(Reward {
        id: one(json, "id", Json::text)?,
        name: one(json, "name", Json::text)?,
        points: one(json, "points", |json| points(json).filter(|points| points.is_positive()))?,
        benefit: read_benefit(&json.field("benefit")?)?,
        min: maybe(json, "min", amounts)?.unwrap_or_default(),
        gate: maybe(json, "gate", read_gate)?.unwrap_or_default(),
    })
}

fn read_benefit<J: Json>(json: &J) -> Option<Benefit> {
    let value = || one(json, "value", amounts);
    let cap = || maybe(json, "cap", amounts).map(Option::unwrap_or_default);
    let kind = one(json, "kind", Json::text)?;
    Some(match kind.as_str() {
        "amount" => Benefit::Amount { value: value()? },
        "steps" => Benefit::Steps { value: value()?, most: one(json, "most", Json::integer)? },
        "percent" => {
            Benefit::Percent { basis_points: one(json, "basis_points", Json::integer)?, cap: cap()? }
        }
        "product" => Benefit::Product { variant: one(json, "variant", Json::text)? },
        "store_credit" => Benefit::StoreCredit { value: value()? },
        "gift_card" => Benefit::GiftCard { value: value()? },
        "shipping" => Benefit::Shipping { cap: cap()? },
        _ => return None,
    })
}

fn read_gate<J: Json>(json: &J) -> Option<Gate> {
    let group = |group: &J| {
        let name = group.text()?;
        Group::ALL.into_iter().find(|group| group.as_str() == name)
    };
    Some(Gate {
        tiers: each(json, "tiers", Json::text)?,
        segments: each(json, "segments", group)?,
        from: maybe(json, "from", local_time)?,
        until: maybe(json, "until", local_time)?,
        limit: maybe(json, "limit", read_limit)?,
    })
}

fn read_limit<J: Json>(json: &J) -> Option<Limit> {
    let periods = [
        ("day", Period::Day),
        ("week", Period::Week),
        ("month", Period::Month),
        ("year", Period::Year),
        ("ever", Period::Ever),
    ];
    Some(Limit {
        most: one(json, "most", |most| u32::try_from(most.integer()?).ok())?,
        per: one(json, "per", named(&periods))?,
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

/// A member that must be there.
fn one<J: Json, T>(json: &J, name: &'static str, read: impl FnOnce(&J) -> Option<T>) -> Option<T> {
    read(&json.field(name)?)
}

/// A member that may be absent, but not wrong.
fn maybe<J: Json, T>(json: &J, name: &'static str, read: impl FnOnce(&J) -> Option<T>) -> Option<Option<T>> {
    json.field(name).map_or(Some(None), |json| read(&json).map(Some))
}

/// The elements of a member, of which none may be wrong; none where it is absent.
fn each<J: Json, T>(json: &J, name: &'static str, read: impl Fn(&J) -> Option<T>) -> Option<Vec<T>> {
    json.field(name).map_or(Some(Vec::new()), |list| all(&list, read))
}
