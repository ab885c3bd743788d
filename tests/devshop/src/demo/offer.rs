//! What points are worth to a cart: the rules crate on metafields that the shop holds, with no call to the app.
//!
//! A theme's widget does the same in the browser. So the balance, the rewards and "you will earn" stand on the page
//! even while the app is down.

use devshop::{BasketLine, DevShop, MoneySet, Quote, ShopError, gid, shop_gid};
use loyalty::line::{LineKind, LineNow};
use loyalty::offer::{self, OfferState};
use loyalty::{Account, Cart, CartLine, Currency, Mark, Offers, Points, Program, ProgramUi};
use serde_json::{Value, json};

/// Reads what the shop holds for the cart and its customer, and what it comes to. Money in minor units of the cart's
/// currency.
pub(super) fn read(shop: &DevShop, token: &str) -> Result<Value, ShopError> {
    let quote = shop.quote(token)?;
    let account = quote.cart.customer.and_then(|customer| account(shop, customer));
    Ok(shown(&quote, account.as_ref(), program(shop).as_ref()))
}

fn shown(quote: &Quote, account: Option<&Account>, program: Option<&ProgramUi>) -> Value {
    let tier = account.and_then(|account| account.tier.as_deref());
    let offers = Offers::of(account, program, cart(quote).as_ref());
    // The shop tells what lines come to in its own currency, whichever the cart has.
    let lines = quote.lines.iter().map(|line| (&line.line, line.net()));
    json!({
        "account": account,
        "spendable": offers.spendable,
        "earns": program.and_then(|program| earns(program, tier, lines)),
        "hold": offers.hold.map(held),
        "mark": offers.mark.as_str(),
        "rewards": offers.rewards.iter().map(reward).collect::<Vec<_>>(),
    })
}

fn cart(quote: &Quote) -> Option<Cart> {
    let line = |line: &BasketLine, net: MoneySet| CartLine {
        variant: gid("ProductVariant", line.variant),
        product: i64::try_from(line.product).ok(),
        quantity: line.quantity.into(),
        unit: line.unit.presentment,
        net: net.presentment,
        gift_card: line.gift_card,
    };
    let mark = quote.cart.attributes.iter().find(|attribute| attribute.name == Mark::ATTRIBUTE);
    Some(Cart {
        currency: Currency::parse(quote.cart.currency.code()).ok()?,
        lines: quote.lines.iter().map(|quoted| line(&quoted.line, quoted.net())).collect(),
        delivery: quote.shipping.as_ref().map(|shipping| shipping.option.price.presentment),
        mark: mark.map(|mark| mark.value.clone()),
    })
}

fn held(hold: offer::Held) -> Value {
    json!({
        // What a cart carries to use it.
        "mark": Mark { hold: hold.terms.id, attempt: 1 }.to_string(),
        "applies": hold.applies,
        "worth": hold.worth.map(|quote| quote.discount.minor()),
        "costs": hold.worth.map(|quote| quote.points),
    })
}

fn reward(offer: &offer::Offer) -> Value {
    let choice = |choice: &offer::Choice| json!({"points": choice.points, "worth": choice.worth});
    let mut shown = json!({
        "id": offer.reward.id,
        "name": offer.reward.name,
        "kind": offer.reward.benefit.kind(),
        "points": offer.reward.points,
        "state": offer.state.as_str(),
        "choices": offer.choices.iter().map(choice).collect::<Vec<_>>(),
    });
    match offer.state {
        OfferState::Short(missing) => shown["missing"] = json!(missing),
        OfferState::BelowMinimum(minimum) => shown["minimum"] = json!(minimum),
        _ => {}
    }
    shown
}

/// What lines earn, as far as widgets know.
pub(super) fn earns<'l>(
    program: &ProgramUi,
    tier: Option<&str>,
    lines: impl Iterator<Item = (&'l BasketLine, MoneySet)>,
) -> Option<Points> {
    let line = |(id, (line, net)): (i64, (&BasketLine, MoneySet))| LineNow {
        id,
        quantity: line.quantity.into(),
        paid: net.shop,
        discount: line.gross.shop - net.shop,
        kind: if line.gift_card { LineKind::GiftCard } else { LineKind::Item },
        product: i64::try_from(line.product).ok(),
        ..LineNow::default()
    };
    program.earns(tier, &(1..).zip(lines).map(line).collect::<Vec<_>>())
}

/// What the shop knows of the program.
pub(super) fn program(shop: &DevShop) -> Option<ProgramUi> {
    let metafield = shop.metafield(&shop_gid(), "$app", Program::UI_METAFIELD)?;
    ProgramUi::from_json(&metafield.value).ok()
}

/// What the shop knows of a customer; none where the metafield is missing or not understood.
pub(super) fn account(shop: &DevShop, customer: u64) -> Option<Account> {
    let metafield = shop.metafield(&gid("Customer", customer), "$app", Account::METAFIELD)?;
    let json: Value = serde_json::from_str(&metafield.value).ok()?;
    Account::read(&&json).ok()
}
