//! What the block in a checkout shows of the rules: numbers one after the other, and texts as the numbers of their bytes,
//! in the order in which `js/checkout.js` takes them. JSON would make the extension too large, in and out.

use alloc::vec::Vec;

use loyalty::offer::OfferState;
use loyalty::{Account, Offers, Points, ProgramUi};

use crate::host::Host;
use crate::input;

/// What is said of an account, a program and a cart.
pub fn offers(account: Option<Host>, program: Option<Host>, cart: Option<Host>) -> Vec<i32> {
    let account = account.and_then(|json| Account::read(&json).ok());
    let program = program.and_then(|json| ProgramUi::read(&json).ok());
    let cart = cart.and_then(|json| input::cart(&json));
    let offers = Offers::of(account.as_ref(), program.as_ref(), cart.as_ref());

    let mut said = Said(Vec::new());
    if said.whether(account.as_ref()) {
        said.maybe(account.as_ref().map(|account| account.points.get()));
        said.maybe(account.as_ref().map(|account| account.pending.get()));
    }
    said.truth(program.is_some());
    said.maybe(offers.earns.map(Points::get));
    if said.whether(offers.hold) {
        said.maybe(offers.hold.and_then(|hold| Some(hold.worth?.discount.minor())));
    }
    for offer in offers.rewards.iter().filter(|offer| offer.state == OfferState::Ready) {
        said.truth(true);
        said.text(&offer.reward.id);
        said.text(&offer.reward.name);
        for choice in &offer.choices {
            said.maybe(Some(choice.points.get()));
            said.maybe(choice.worth);
        }
        said.maybe(None);
    }
    said.truth(false);
    if let Some((reward, missing)) = offers.next_reward() {
        said.maybe(Some(missing.get()));
        said.text(&reward.name);
    }
    said.0
}

struct Said(Vec<i32>);

impl Said {
    fn truth(&mut self, it: bool) {
        self.0.push(i32::from(it));
    }

    fn whether<T>(&mut self, there: Option<T>) -> bool {
        self.truth(there.is_some());
        there.is_some()
    }

    /// Whether there is a number, and its halves.
    #[inline(never)]
    fn maybe(&mut self, number: Option<i64>) {
        if self.whether(number) {
            let number = number.unwrap_or_default();
            self.0.extend([(number >> 32) as i32, number as i32]);
        }
    }

    /// How many bytes, and which.
    #[inline(never)]
    fn text(&mut self, text: &str) {
        self.0.push(text.len() as i32);
        self.0.extend(text.bytes().map(i32::from));
    }
}
