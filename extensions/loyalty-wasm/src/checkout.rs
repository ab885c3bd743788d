//! What the block in a checkout shows of the rules: numbers and texts one after the other, in the order in which
//! `js/checkout.js` takes them. JSON would make the extension too large, in and out.

use loyalty::offer::OfferState;
use loyalty::{Account, Offers, Points, ProgramUi};

use crate::host::{Host, say, say_text, say_whether};
use crate::{arena, input};

/// Says what points are worth, as far as a checkout shows it: of an account, a program and a cart that JavaScript has read.
#[unsafe(no_mangle)]
extern "C" fn offers(account: Option<Host>, program: Option<Host>, cart: Option<Host>) {
    arena::forget();
    let account = account.and_then(|json| Account::read(&json).ok());
    let program = program.and_then(|json| ProgramUi::read(&json).ok());
    let cart = cart.and_then(|json| input::cart(&json));
    let offers = Offers::of(account.as_ref(), program.as_ref(), cart.as_ref());

    say_whether(account.is_some());
    if let Some(account) = &account {
        say(Some(account.points.get()));
        say(Some(account.pending.get()));
    }
    say_whether(program.is_some());
    say(offers.earns.map(Points::get));
    say_whether(offers.hold.is_some());
    if let Some(hold) = offers.hold {
        say(hold.worth.map(|worth| worth.discount.minor()));
    }
    for offer in offers.rewards.iter().filter(|offer| offer.state == OfferState::Ready) {
        say_text(&offer.reward.id);
        say_text(&offer.reward.name);
        for choice in &offer.choices {
            say(Some(choice.points.get()));
            say(choice.worth);
        }
        say(None);
    }
    say(None);
    let next = offers.next_reward();
    say(next.map(|(_, missing)| missing.get()));
    if let Some((reward, _)) = next {
        say_text(&reward.name);
    }
}
