//! Giving offers that may meet: what each takes off which line.
//!
//! Lines first, each with the best product discount only; then the subtotal that is left, one order discount after
//! another; then shipping. Nothing goes below zero.

use super::allocate::allocate;
use super::basket::Basket;
use super::offers::Offers;
use super::quote::DiscountValue;
use crate::discounts::DiscountClass;
use crate::functions::output::{
    Condition, DeliveryCandidate, DeliveryTarget, OrderCandidate, OrderTarget, PlainValue, Prerequisite,
    ProductCandidate, ProductTarget, ProductValue, Strategy,
};
use crate::money::{Currency, Decimal};
use crate::switches::LastUnits;

/// What a set of offers gives, in minor units of the customer's currency.
#[derive(Debug, Clone, Default)]
pub(crate) struct Given {
    pub discounts: Vec<GivenDiscount>,
}

/// One discount and where it lands.
#[derive(Debug, Clone)]
pub(crate) struct GivenDiscount {
    pub node: u64,
    pub node_title: String,
    pub message: Option<String>,
    pub class: DiscountClass,
    pub value: DiscountValue,
    pub entitled: bool,
    pub each: bool,
    /// Line positions and amounts; for shipping one amount at position 0.
    pub parts: Vec<(usize, i64)>,
}

impl Given {
    pub fn total(&self) -> i64 {
        self.discounts.iter().flat_map(|discount| &discount.parts).map(|(_, amount)| amount).sum()
    }
}

/// Gives all of these offers.
pub(crate) fn apply(basket: &Basket, currency: Currency, offers: &[&Offers], rule: LastUnits) -> Given {
    let mut till = Till {
        basket,
        currency,
        rule,
        left: basket.lines.iter().map(|line| line.gross.presentment).collect(),
        given: Given::default(),
    };
    till.products(offers);
    till.orders(offers);
    till.shipping(offers);
    till.given.discounts.retain(|discount| !discount.parts.is_empty());
    till.given
}

struct Till<'b> {
    basket: &'b Basket,
    currency: Currency,
    rule: LastUnits,
    /// What is left to pay of each line.
    left: Vec<i64>,
    given: Given,
}

impl Till<'_> {
    /// Each line takes the product discount that is best for it, the first among equals.
    fn products(&mut self, offers: &[&Offers]) {
        let mut effects: Vec<GivenDiscount> = Vec::new();
        for offer in offers {
            for operation in &offer.product {
                let candidates = operation.candidates.iter().filter(|c| self.prerequisites_hold(c));
                let with_parts =
                    candidates.map(|candidate| (candidate, self.product_parts(candidate))).collect();
                for (candidate, parts) in select(operation.selection_strategy, with_parts) {
                    let (value, each) = match candidate.value {
                        ProductValue::FixedAmount { amount, each } => (self.fixed(amount), each),
                        ProductValue::Percentage { value } => (basis_points(value), true),
                    };
                    let message = candidate.message.clone();
                    effects.push(GivenDiscount {
                        entitled: true,
                        each,
                        ..given(offer, message, DiscountClass::Product, value, parts)
                    });
                }
            }
        }
        for line in 0..self.left.len() {
            let amount = |effect: &GivenDiscount| {
                effect.parts.iter().find(|(at, _)| *at == line).map_or(0, |&(_, amount)| amount)
            };
            let best = effects.iter().map(amount).max().unwrap_or(0);
            let winner = effects.iter().position(|effect| amount(effect) == best);
            for (at, effect) in effects.iter_mut().enumerate() {
                effect.parts.retain(|(part, _)| *part != line || Some(at) == winner);
            }
            self.left[line] -= best;
        }
        self.given.discounts.extend(effects);
    }

    fn prerequisites_hold(&self, candidate: &ProductCandidate) -> bool {
        candidate.prerequisites.iter().flatten().all(|Prerequisite::CartLine { id, quantity }| {
            self.basket.position(id).is_some_and(|line| self.basket.lines[line].quantity >= *quantity)
        })
    }

    /// What a candidate takes off which lines, looked at alone.
    fn product_parts(&self, candidate: &ProductCandidate) -> Vec<(usize, i64)> {
        let mut targets: Vec<(usize, i64)> = Vec::new();
        for ProductTarget::CartLine { id, quantity } in &candidate.targets {
            let Some(line) = self.basket.position(id) else { continue };
            if targets.iter().all(|(known, _)| *known != line) {
                let all = self.basket.lines[line].quantity;
                targets.push((line, i64::from(quantity.map_or(all, |quantity| quantity.min(all)))));
            }
        }
        let worth = |&(line, units): &(usize, i64)| self.basket.lines[line].unit.presentment * units;
        let worths: Vec<i64> = targets.iter().map(worth).collect();
        let amounts = match candidate.value {
            ProductValue::Percentage { value } => {
                worths.iter().map(|&worth| value.percent_of(worth)).collect()
            }
            ProductValue::FixedAmount { amount, each: false } => {
                allocate(self.minor(amount), &worths, self.rule)
            }
            ProductValue::FixedAmount { amount, each: true } => {
                let amount = self.minor(amount);
                targets
                    .iter()
                    .zip(&worths)
                    .map(|((_, units), worth)| amount.saturating_mul(*units).min(*worth))
                    .collect()
            }
        };
        targets
            .iter()
            .zip(amounts)
            .map(|((line, _), amount)| (*line, amount))
            .filter(|(_, amount)| *amount > 0)
            .collect()
    }

    /// Order discounts look at the subtotal after product discounts and share what is left of it.
    fn orders(&mut self, offers: &[&Offers]) {
        let subtotals = self.left.clone();
        for offer in offers {
            for operation in &offer.order {
                let candidates = operation.candidates.iter().filter(|c| self.conditions_hold(c, &subtotals));
                let with_parts = candidates
                    .map(|candidate| (candidate, self.order_parts(candidate, &subtotals)))
                    .collect();
                for (candidate, parts) in select(operation.selection_strategy, with_parts) {
                    for &(line, amount) in &parts {
                        self.left[line] -= amount;
                    }
                    let entitled = candidate
                        .targets
                        .iter()
                        .any(|OrderTarget::OrderSubtotal { excluded }| !excluded.is_empty());
                    let value = self.plain(candidate.value);
                    let message = candidate.message.clone();
                    self.given.discounts.push(GivenDiscount {
                        entitled,
                        ..given(offer, message, DiscountClass::Order, value, parts)
                    });
                }
            }
        }
    }

    fn order_parts(&self, candidate: &OrderCandidate, subtotals: &[i64]) -> Vec<(usize, i64)> {
        let excluded = |gid: &String| {
            candidate.targets.iter().all(|OrderTarget::OrderSubtotal { excluded }| excluded.contains(gid))
        };
        let lines: Vec<usize> =
            (0..self.left.len()).filter(|&line| !excluded(&self.basket.lines[line].gid)).collect();
        let subtotal = lines.iter().map(|&line| subtotals[line]).sum();
        let amount = match candidate.value {
            PlainValue::FixedAmount { amount } => self.minor(amount),
            PlainValue::Percentage { value } => value.percent_of(subtotal),
        };
        let weights: Vec<i64> = lines.iter().map(|&line| self.left[line]).collect();
        let shares = allocate(amount, &weights, self.rule);
        lines.into_iter().zip(shares).filter(|(_, share)| *share > 0).collect()
    }

    fn conditions_hold(&self, candidate: &OrderCandidate, subtotals: &[i64]) -> bool {
        let sum = |wanted: &dyn Fn(&String) -> bool| -> i64 {
            let lines = self.basket.lines.iter().zip(subtotals);
            lines.filter(|(line, _)| wanted(&line.gid)).map(|(_, subtotal)| *subtotal).sum()
        };
        candidate.conditions.iter().flatten().all(|condition| match condition {
            Condition::OrderMinimumSubtotal { excluded, minimum } => {
                sum(&|gid| !excluded.contains(gid)) >= self.minor(*minimum)
            }
            Condition::CartLineMinimumSubtotal { ids, minimum } => {
                sum(&|gid| ids.contains(gid)) >= self.minor(*minimum)
            }
            Condition::CartLineMinimumQuantity { ids, minimum } => {
                let lines = self.basket.lines.iter().filter(|line| ids.contains(&line.gid));
                lines.map(|line| u64::from(line.quantity)).sum::<u64>() >= u64::from(*minimum)
            }
        })
    }

    fn shipping(&mut self, offers: &[&Offers]) {
        let Some(group) = &self.basket.delivery else { return };
        let chosen = group.chosen();
        let mut left = chosen.price.presentment;
        for offer in offers {
            // One discount of a node lowers an option: the best for the customer.
            let covers = |candidate: &&DeliveryCandidate| {
                candidate.targets.iter().any(|target| match target {
                    DeliveryTarget::DeliveryGroup { id } => *id == group.gid,
                    DeliveryTarget::DeliveryOption { handle } => *handle == chosen.handle,
                })
            };
            let amount = |candidate: &DeliveryCandidate| match candidate.value {
                PlainValue::FixedAmount { amount } => self.minor(amount).min(left),
                PlainValue::Percentage { value } => value.percent_of(chosen.price.presentment).min(left),
            };
            let candidates = offer.delivery.iter().flat_map(|operation| &operation.candidates).filter(covers);
            let with_parts = candidates.map(|candidate| (candidate, vec![(0, amount(candidate))])).collect();
            for (candidate, parts) in select(Strategy::Maximum, with_parts) {
                left -= parts[0].1;
                let value = self.plain(candidate.value);
                let message = candidate.message.clone();
                self.given.discounts.push(given(offer, message, DiscountClass::Shipping, value, parts));
            }
        }
    }

    /// In minor units of the cart's currency; an amount beyond 64 bits is as good as all.
    fn minor(&self, amount: Decimal) -> i64 {
        amount.to_minor(self.currency).unwrap_or(i64::MAX)
    }

    fn fixed(&self, amount: Decimal) -> DiscountValue {
        DiscountValue::Fixed(self.minor(amount))
    }

    fn plain(&self, value: PlainValue) -> DiscountValue {
        match value {
            PlainValue::FixedAmount { amount } => self.fixed(amount),
            PlainValue::Percentage { value } => basis_points(value),
        }
    }
}

fn basis_points(value: Decimal) -> DiscountValue {
    DiscountValue::BasisPoints(value.percent_of(10_000))
}

fn given(
    offer: &Offers,
    message: Option<String>,
    class: DiscountClass,
    value: DiscountValue,
    parts: Vec<(usize, i64)>,
) -> GivenDiscount {
    let (node, node_title) = (offer.node.id, offer.node.title.clone());
    GivenDiscount { node, node_title, message, class, value, entitled: false, each: false, parts }
}

/// The candidates that win, of those that take anything off.
fn select<C>(strategy: Strategy, candidates: Vec<(C, Vec<(usize, i64)>)>) -> Vec<(C, Vec<(usize, i64)>)> {
    let worth = |parts: &[(usize, i64)]| parts.iter().map(|(_, amount)| amount).sum::<i64>();
    let mut useful = candidates.into_iter().filter(|(_, parts)| worth(parts) > 0);
    match strategy {
        Strategy::All => useful.collect(),
        Strategy::First => useful.next().into_iter().collect(),
        Strategy::Maximum => {
            let best =
                useful.reduce(|best, other| if worth(&other.1) > worth(&best.1) { other } else { best });
            best.into_iter().collect()
        }
    }
}
