//! Where the backend died in what a shopper had asked for, nobody heard what came of it: it stands, or nothing has happened.
//! So it is where it lost a shop's tokens while it did several things, some of which need them.

use super::{Trouble, World};
use crate::model::Model;
use crate::model::redemptions::Offer;

impl World {
    /// It died in a pick.
    pub fn adopt_pick(&mut self, customer: u64, offer: &Offer, asked_at: i64) -> Result<(), Trouble> {
        let ledger = self.ledger(self.here)?;
        let model = &mut self.here().model;
        let member = model.find_member(customer);
        let has_one = member.is_some_and(|member| model.standing(member).is_some());
        let is_new = |id: &String| !model.holds.iter().any(|hold| hold.id == *id);
        match ledger.holds.into_iter().map(|hold| hold.0).find(is_new) {
            Some(new) => model.as_of(asked_at, |model| model.picked(customer, offer, &new)),
            None if has_one => self.adopt_renewal(customer, asked_at)?,
            None => {}
        }
        Ok(())
    }

    /// It died in what a customer wanted who is signed in: that they have an account it knows by now, or does not yet.
    pub fn adopt_sign_in(&mut self, customer: u64, asked_at: i64) -> Result<(), Trouble> {
        let ledger = self.ledger(self.here)?;
        let model = &mut self.here().model;
        let Some(own) = model.own(customer) else { return Ok(()) };
        let known = ledger.members.iter().find(|owner| owner.customer() == own);
        let is_news =
            known.is_some_and(|owner| owner.account() != (model.guest(own), model.has_signed_up(own)));
        if is_news {
            model.as_of(asked_at, |model| model.signed_in(customer));
        }
        Ok(())
    }

    /// Whether it has posted points that had waited long enough, of which the model has not heard yet.
    pub fn has_posted(&mut self, at: usize) -> Result<bool, Trouble> {
        let ledger = self.ledger(at)?;
        let mut after = self.shops[at].model.clone();
        after.post_ripe();
        let is_new = |(order, _, posted, _): &(i64, i64, i64, i64)| {
            let is_so = |model: &Model| model.posted(order.cast_unsigned()) == Some(*posted);
            is_so(&after) && !is_so(&self.shops[at].model)
        };
        Ok(ledger.orders.iter().any(is_new))
    }

    /// It died in a visit: the hold that stands lives on, or has not been renewed.
    pub fn adopt_renewal(&mut self, customer: u64, asked_at: i64) -> Result<(), Trouble> {
        let ledger = self.ledger(self.here)?;
        let model = &mut self.here().model;
        let mut renewed = model.clone();
        renewed.as_of(asked_at, |model| model.visited(customer));
        let standing = renewed.find_member(customer).and_then(|member| renewed.standing(member)).cloned();
        let Some(standing) = standing else { return Ok(()) };
        if ledger.holds.iter().any(|hold| hold.0 == standing.id && hold.2 == standing.expires_at) {
            *model = renewed;
        }
        Ok(())
    }
}
