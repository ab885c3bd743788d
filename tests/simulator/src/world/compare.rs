//! The ledger held against the model.

use anyhow::Result;

use super::ledger::{Ledger, Owner, Sent};
use super::{Trouble, World};
use crate::model::redemptions::State;

impl World {
    /// Holds the ledger of a shop against its model.
    pub fn compare(&mut self, at: usize) -> Result<(), Trouble> {
        let Ledger { members, mut orders, holds, mut referrals } = self.ledger(at)?;
        let shop = &self.shops[at];
        let model = &shop.model;
        let theirs = model.orders.iter().filter(|order| order.member.is_some());
        let mut must: Vec<_> = theirs
            .map(|order| {
                (order.id.cast_signed(), order.tally.pending, order.tally.posted, order.tally.forgiven)
            })
            .collect();
        must.sort_unstable();
        orders.sort_unstable();
        if orders != must {
            let which = orders.iter().zip(&must).find(|(has, must)| has != must);
            let text = format!(
                "orders have earned (number, pending, posted, forgiven) {which:?}, the latter by the model"
            );
            let booked = match which {
                Some((has, _)) => self.lines(at, has.0)?.join("; "),
                None => "another number of orders".into(),
            };
            let text = format!("{text}\n    booked: {booked}");
            return Err(Trouble::Disagreement(text));
        }
        let must = model.referrals.iter().map(|referral| {
            let (state, reason) = (referral.state.name().to_owned(), referral.reason.map(str::to_owned));
            (referral.sent_at, state, reason, referral.order.map(u64::cast_signed))
        });
        let mut must: Vec<Sent> = must.collect();
        must.sort_unstable();
        referrals.sort_unstable();
        if referrals != must {
            let which = referrals.iter().zip(&must).find(|(has, must)| has != must);
            let counts = (referrals.len(), must.len());
            let text = format!(
                "referrals (since when, where, why, for which order) are {which:?} of {counts:?}, the latter by the model"
            );
            return Err(Trouble::Disagreement(text));
        }
        for owner in &members {
            let (customer, has) = (owner.customer(), owner.account());
            // Of whoever became another only that is known.
            let is_own = model.own(customer) == Some(customer);
            let must = (model.guest(customer), if is_own { model.has_signed_up(customer) } else { has.1 });
            if has != must {
                let who = shop.customers.iter().position(|known| *known == customer);
                let text =
                    format!("customer {who:?} is a guest, and has signed up: {has:?}; by the model {must:?}");
                return Err(Trouble::Disagreement(text));
            }
        }
        for Owner(customer, available, pending, held, ..) in members {
            let has = (available, pending, held);
            let must = model.balance(customer.cast_unsigned());
            if has != must {
                let who = shop.customers.iter().position(|known| *known == customer.cast_unsigned());
                let text = format!(
                    "customer {who:?} has {has:?} available, pending and held; by the model {must:?}"
                );
                let booked = self.lines(at, customer)?.join("; ");
                let text = format!("{text}\n    booked: {booked}");
                return Err(Trouble::Disagreement(text));
            }
        }
        for hold in holds {
            let must = model.holds.iter().find(|known| known.id == hold.0);
            let until = must.filter(|must| matches!(must.state, State::Open | State::Closing));
            let until = until.map_or(hold.2, |must| must.expires_at);
            if (hold.state(), hold.2) != (must.map(|must| must.state), until) {
                let (has, must) = (hold.state(), must.map(|must| must.state));
                let text = format!("a hold is {has:?}; by the model {must:?} (until {} and {until})", hold.2);
                return Err(Trouble::Disagreement(text));
            }
        }
        Ok(())
    }

    /// Tells the models which closing holds checkouts do not know any more, by the backend's word: it must be true.
    pub fn observe(&mut self) -> Result<(), Trouble> {
        for at in 0..self.shops.len() {
            let closes = |model: &crate::model::Model, id: &str| {
                let waits = |hold: &&_| is_being_cleared(hold, id);
                model.holds.iter().find(waits).map(|hold| hold.member)
            };
            if !self.shops[at].model.holds.iter().any(|hold| is_being_cleared(hold, &hold.id)) {
                continue;
            }
            let ledger = self.ledger(at)?;
            let shop = &mut self.shops[at];
            for hold in &ledger.holds {
                let (Some(member), Some(cleared_at)) = (closes(&shop.model, &hold.0), hold.3) else {
                    continue;
                };
                if hold.state() != Some(State::Closing) {
                    continue;
                }
                let customers = shop.model.members[member].customers.iter();
                for customer in customers.filter(|customer| shop.local.customer(**customer).is_some()) {
                    let owner = format!("gid://shopify/Customer/{customer}");
                    let metafield = shop.local.metafield(&owner, "$app", "account");
                    if metafield.is_some_and(|metafield| metafield.value.contains(&hold.0)) {
                        let text = "the grace of a hold begins although a checkout can see it";
                        return Err(Trouble::Violation(text.into()));
                    }
                }
                shop.model.cleared(&hold.0, cleared_at);
            }
        }
        Ok(())
    }
}

fn is_being_cleared(hold: &crate::model::redemptions::Hold, id: &str) -> bool {
    hold.id == id && hold.state == State::Closing && hold.cleared_at.is_none()
}
