//! What the storefront is told, as JSON.

use alloc::{string::String, vec::Vec};

use loyalty::account::Next;
use loyalty::offer::{Choice, Held, Offer, OfferState};
use loyalty::program::TierUi;
use loyalty::{Account, HoldId, Offers, Points, ProgramUi, Reward};

use crate::json::{Written, digit, object};

/// What is known, and what it comes to.
pub struct Answer<'a> {
    pub account: Option<&'a Account>,
    pub program: Option<&'a ProgramUi>,
    pub offers: Offers<'a>,
}

impl Written for Answer<'_> {
    fn write(&self, out: &mut String) {
        let Answer { account, program, offers } = self;
        let account = account.map(|account| {
            let tier = account.tier.as_deref().zip(*program).and_then(|(tier, program)| program.tier(tier));
            Shown { account, spendable: offers.spendable, tier }
        });
        let next_reward = offers.next_reward().map(|(reward, missing)| Nearest { reward, missing });
        object(
            out,
            &[
                ("account", &account),
                ("earns", &offers.earns),
                ("hold", &offers.hold),
                ("mark", &offers.mark.as_str()),
                ("rewards", &offers.rewards),
                ("nextReward", &next_reward),
                ("tierProgress", &offers.next_tier),
            ],
        );
    }
}

struct Shown<'a> {
    account: &'a Account,
    spendable: Points,
    tier: Option<&'a TierUi>,
}

impl Written for Shown<'_> {
    fn write(&self, out: &mut String) {
        let Account { seq, points, pending, tier, next, .. } = self.account;
        object(
            out,
            &[
                ("points", points),
                ("pending", pending),
                ("spendable", &self.spendable),
                ("tier", tier),
                ("tierName", &self.tier.map(|tier| tier.name.as_str())),
                ("next", next),
                ("seq", seq),
            ],
        );
    }
}

impl Written for Next {
    fn write(&self, out: &mut String) {
        object(out, &[("points", &self.points), ("at", &self.at)]);
    }
}

impl Written for Held<'_> {
    fn write(&self, out: &mut String) {
        object(
            out,
            &[
                ("id", &self.terms.id),
                ("kind", &self.terms.kind.as_str()),
                ("points", &self.terms.points),
                ("currency", &self.terms.currency.code()),
                ("scope", &self.terms.scope.as_str()),
                ("applies", &self.applies),
                ("worth", &self.worth.map(|quote| quote.discount.minor())),
                ("costs", &self.worth.map(|quote| quote.points)),
            ],
        );
    }
}

impl Written for Offer<'_> {
    fn write(&self, out: &mut String) {
        let Offer { reward, state, choices } = self;
        let (kind, name) = (reward.benefit.kind(), state.as_str());
        let mut members: Vec<(&str, &dyn Written)> = Vec::from([
            ("id", &reward.id as &dyn Written),
            ("name", &reward.name),
            ("kind", &kind),
            ("points", &reward.points),
            ("state", &name),
            ("choices", choices),
        ]);
        match state {
            OfferState::Short(missing) => members.push(("missing", missing)),
            OfferState::BelowMinimum(minimum) => members.push(("minimum", minimum)),
            _ => {}
        }
        object(out, &members);
    }
}

impl Written for Choice {
    fn write(&self, out: &mut String) {
        object(out, &[("points", &self.points), ("worth", &self.worth)]);
    }
}

struct Nearest<'a> {
    reward: &'a Reward,
    missing: Points,
}

impl Written for Nearest<'_> {
    fn write(&self, out: &mut String) {
        object(out, &[("id", &self.reward.id), ("name", &self.reward.name), ("missing", &self.missing)]);
    }
}

impl Written for &TierUi {
    fn write(&self, out: &mut String) {
        // Only tiers with a threshold are to be reached.
        let Some(threshold) = self.threshold else { return None::<i64>.write(out) };
        object(
            out,
            &[
                ("next", &self.name),
                ("measure", &threshold.measure.as_str()),
                ("atLeast", &threshold.at_least),
                ("days", &i64::from(threshold.days)),
            ],
        );
    }
}

impl Written for HoldId {
    fn write(&self, out: &mut String) {
        out.push('"');
        for shift in (0..128).step_by(4).rev() {
            digit((self.0 >> shift) as u32 & 0xf, out);
        }
        out.push('"');
    }
}
