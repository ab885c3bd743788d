//! The answer as JSON, in ASCII alone: whatever else there is in names is escaped.

use alloc::{string::String, vec::Vec};

use loyalty::account::Next;
use loyalty::offer::{Choice, Held, Offer, OfferState};
use loyalty::program::TierUi;
use loyalty::{Account, HoldId, Offers, Points, ProgramUi, Reward};

/// What is known, and what it comes to.
pub struct Answer<'a> {
    pub account: Option<&'a Account>,
    pub program: Option<&'a ProgramUi>,
    pub offers: Offers<'a>,
}

/// What can be written.
pub trait Written {
    /// Writes it at the end of a text.
    fn write(&self, out: &mut String);

    /// Its text.
    fn written(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }
}

/// An object with these members. They are known by a pointer each, so that there is one such function for all.
fn object(out: &mut String, members: &[(&str, &dyn Written)]) {
    for (place, (name, value)) in members.iter().enumerate() {
        out.push(if place == 0 { '{' } else { ',' });
        name.write(out);
        out.push(':');
        value.write(out);
    }
    out.push('}');
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
        let Some(threshold) = self.threshold else { return NULL.write(out) };
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

const NULL: Option<i64> = None;

impl<T: Written> Written for Option<T> {
    fn write(&self, out: &mut String) {
        match self {
            Some(value) => value.write(out),
            None => out.push_str("null"),
        }
    }
}

impl<T: Written> Written for Vec<T> {
    fn write(&self, out: &mut String) {
        out.push('[');
        for (place, element) in self.iter().enumerate() {
            if place > 0 {
                out.push(',');
            }
            element.write(out);
        }
        out.push(']');
    }
}

// The standard library's way to write numbers would be a tenth of the module.
impl Written for i64 {
    fn write(&self, out: &mut String) {
        if *self < 0 {
            out.push('-');
        }
        let mut place = 1;
        let mut rest = self.unsigned_abs();
        while rest / place >= 10 {
            place *= 10;
        }
        while place > 0 {
            digit((rest / place) as u32, out);
            rest %= place;
            place /= 10;
        }
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

impl Written for Points {
    fn write(&self, out: &mut String) {
        self.get().write(out);
    }
}

impl Written for bool {
    fn write(&self, out: &mut String) {
        out.push_str(if *self { "true" } else { "false" });
    }
}

impl Written for String {
    fn write(&self, out: &mut String) {
        self.as_str().write(out);
    }
}

impl Written for &str {
    fn write(&self, out: &mut String) {
        out.push('"');
        for unit in self.encode_utf16() {
            match u8::try_from(unit) {
                Ok(plain @ (b' '..=b'!' | b'#'..=b'[' | b']'..=b'~')) => out.push(char::from(plain)),
                _ => escape(unit, out),
            }
        }
        out.push('"');
    }
}

/// `\u00e9`
fn escape(unit: u16, out: &mut String) {
    out.push_str("\\u");
    for shift in [12, 8, 4, 0] {
        digit(u32::from(unit >> shift & 0xf), out);
    }
}

/// A digit up to f.
fn digit(digit: u32, out: &mut String) {
    out.extend(char::from_digit(digit, 16));
}
