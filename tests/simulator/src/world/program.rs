//! The model's rules, as the product's program says them.

use anyhow::Result;
use jiff::civil::DateTime;
use loyalty::expiry::{Rule, Term};
use loyalty::limit::{Limit, Period};
use loyalty::line::{Basis, Discounts};
use loyalty::multiplier::{Combine, Factor, Multiplier, Selection};
use loyalty::order::Until;
use loyalty::program::{HoldTimes, ReturnPolicy};
use loyalty::reward::{Amounts, Benefit, Reward};
use loyalty::rule::{EarnRule, Guests};
use loyalty::{Campaign, Currency, Gate, LocalTime, Points, Program, Referrals, Tier, bonus};

use super::{FREE_DELIVERY, FREE_THING, POUND_OFF, TENTH_OFF};
use crate::model::bonuses::BirthdayBonus;
use crate::model::earn::{self, Earn, Things};
use crate::model::referrals::{Per, Promise, Referring};
use crate::model::{Lifetime, Rules, TIERS};

/// The program that says what these rules say.
pub fn set(program: &mut Program, rules: &Rules, free: u64) -> Result<()> {
    program.discount_title = rules.title.clone();
    program.earn = earn_rule(&rules.earn)?;
    program.tiers = TIERS
        .into_iter()
        .map(|tier| Tier {
            id: tier.into(),
            name: tier.into(),
            threshold: None,
            earn_factor: Factor(
                rules.earn.of_tiers.iter().find(|(of, _)| *of == tier).map_or(10_000, |(_, factor)| *factor),
            ),
            perks: Vec::new(),
        })
        .collect();
    program.campaigns = rules.earn.campaign.iter().map(campaign).collect::<Result<_>>()?;
    let points = |points: Option<i64>| points.map(Points::new).transpose();
    program.bonuses.sign_up = points(rules.sign_up)?;
    program.bonuses.first_order = points(rules.first_order)?;
    let birthday = rules.birthday.map(|BirthdayBonus { points, ahead }| {
        let (points, days_ahead) = (Points::new(points)?, ahead.try_into()?);
        anyhow::Ok(bonus::BirthdayBonus { points, days_ahead })
    });
    program.bonuses.birthday = birthday.transpose()?;
    program.referrals = rules.referring.map(referrals).transpose()?;
    program.returns = if rules.owing { ReturnPolicy::NegativeAllowed } else { ReturnPolicy::WithinBalance };
    let (life_minutes, grace_minutes) = (rules.life_minutes.try_into()?, rules.grace_minutes.try_into()?);
    program.holds = HoldTimes { life_minutes, grace_minutes };
    program.expiry.rule = rules.lifetime.map(lives).transpose()?;
    program.expiry.grace_days = rules.grace_days.try_into()?;
    program.rewards = rewards(free)?;
    Ok(())
}

fn referrals(referring: Referring) -> Result<Referrals> {
    let Promise { advocate, friend, min, days, wait_days } = referring.promise;
    let limit = referring.most.map(|(most, per)| {
        let per = match per {
            Per::Day => Period::Day,
            Per::Ever => Period::Ever,
        };
        anyhow::Ok(Limit { most: most.try_into()?, per })
    });
    Ok(Referrals {
        advocate: Points::new(advocate)?,
        friend: Points::new(friend)?,
        min,
        days: days.try_into()?,
        wait_days: wait_days.try_into()?,
        limit: limit.transpose()?,
        review_from: referring.review_from.map(TryInto::try_into).transpose()?,
        landing: "/".into(),
    })
}

/// What points buy, in pounds and in euros; one thing for nothing.
fn rewards(free: u64) -> Result<Vec<Reward>> {
    let (pounds, euros) = (Currency::parse("GBP")?, Currency::parse("EUR")?);
    let amounts = |minor: i64| Amounts::from([(pounds, minor), (euros, minor + minor / 5)]);
    let variant = format!("gid://shopify/ProductVariant/{free}");
    let each = [
        ("points", POUND_OFF, Benefit::Steps { value: amounts(100), most: 50 }),
        ("tenth-off", TENTH_OFF, Benefit::Percent { basis_points: 1_000, cap: amounts(2_000) }),
        ("free-delivery", FREE_DELIVERY, Benefit::Shipping { cap: Amounts::new() }),
        ("free-thing", FREE_THING, Benefit::Product { variant }),
    ];
    let reward = |(id, points, benefit): (&str, i64, Benefit)| {
        Ok(Reward {
            id: id.into(),
            name: id.into(),
            points: Points::new(points)?,
            benefit,
            min: Amounts::new(),
            gate: Gate::default(),
        })
    };
    each.into_iter().map(reward).collect()
}

fn earn_rule(earn: &Earn) -> Result<EarnRule> {
    let mut rule = EarnRule::simple(Points::new(earn.points)?, earn.per);
    rule.order_cap = earn.order_cap.map(Points::new).transpose()?;
    rule.day_cap = earn.day_cap.map(Points::new).transpose()?;
    rule.wait.days = earn.wait_days.try_into()?;
    rule.wait.until = if earn.until_fulfilled { Until::Fulfilled } else { Until::Paid };
    rule.basis = Basis {
        discounts: if earn.before_discounts { Discounts::Before } else { Discounts::After },
        shipping: earn.delivery,
        gift_cards: earn.gift_cards,
        tips: earn.tips,
        ..Basis::default()
    };
    rule.combine = if earn.multiply { Combine::Multiply } else { Combine::Best };
    rule.guests = if earn.guests { Guests::Earn } else { Guests::EarnNothing };
    rule.multipliers = earn.of_things.iter().map(multiplier).collect();
    Ok(rule)
}

fn multiplier((things, factor): &(Things, i64)) -> Multiplier {
    let (id, of) = match things {
        Things::Product(product) => {
            (format!("product-{product}"), Selection::Products(vec![product.cast_signed()]))
        }
        Things::Collection(id) => {
            (format!("collection-{id}"), Selection::Collections(vec![id.cast_signed()]))
        }
        // In whatever case the merchant writes it.
        Things::Tag(tag) => (format!("tag-{tag}"), Selection::Tags(vec![tag.to_uppercase()])),
    };
    Multiplier { id, of, factor: Factor(*factor) }
}

fn campaign(campaign: &earn::Campaign) -> Result<Campaign> {
    let minute = |at: DateTime| LocalTime::parse(&at.strftime("%Y-%m-%dT%H:%M").to_string());
    Ok(Campaign {
        id: "campaign".into(),
        name: "Campaign".into(),
        from: minute(campaign.from)?,
        until: minute(campaign.until)?,
        tiers: campaign.tier.iter().map(|tier| (*tier).to_owned()).collect(),
        earn_factor: Factor(campaign.factor),
        perks: Vec::new(),
    })
}

fn lives(lifetime: Lifetime) -> Result<Rule> {
    let after = Term::Days(lifetime.days.try_into()?);
    Ok(if lifetime.rolls { Rule::Inactivity { after } } else { Rule::Term { after } })
}
