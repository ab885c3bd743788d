//! What points are worth to a cart: the rules crate on metafields that the shop holds, with no call to the app.
//!
//! A theme's widget does the same in the browser. So the balance, the rewards and "you will earn" stand on the page
//! even while the app is down.

use devshop::{BasketLine, DevShop, MoneySet, Quote, gid, shop_gid};
use loyalty::line::{LineKind, LineNow};
use loyalty::price::Circumstances;
use loyalty::reward::{Benefit, Pick, PickError};
use loyalty::{Account, Currency, HoldId, Kind, Mark, Money, Points, ProgramUi, Reward, Scope, Terms};
use serde::Serialize;

/// What points are worth to a cart. Money in minor units of the cart's currency.
#[derive(Debug, Default, Serialize)]
pub(super) struct Offer {
    /// What the shop knows of the customer; none for a guest, or where the metafield is missing or not understood.
    account: Option<Account>,
    /// The points that a new pick may use.
    spendable: Points,
    /// What the order will earn, as it comes to now.
    earns: Option<Points>,
    /// The customer's hold against this cart.
    hold: Option<Held>,
    /// The mark that the cart carries.
    mark: MarkState,
    /// What points buy.
    rewards: Vec<RewardOffer>,
}

/// A hold against the cart at hand.
#[derive(Debug, Serialize)]
struct Held {
    /// What a cart carries to use it.
    mark: String,
    /// Whether checkout gives its discount to this cart.
    applies: bool,
    /// What the rules say it is worth here.
    worth: Option<i64>,
    /// What it costs if the order is placed as it is.
    costs: Option<Points>,
}

/// What the cart's mark is good for.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum MarkState {
    /// There is none.
    #[default]
    None,
    /// It names the customer's hold.
    Stands,
    /// It names nothing that stands: the widget takes it away.
    Stale,
}

/// A reward against the cart at hand.
#[derive(Debug, Serialize)]
struct RewardOffer {
    id: String,
    name: String,
    kind: &'static str,
    /// Points for the least of it.
    points: Points,
    /// Whether it can be had, or why not.
    #[serde(flatten)]
    state: RewardState,
    /// What it comes to: several where it comes in steps, and the first alone where it cannot be had.
    choices: Vec<Choice>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
enum RewardState {
    /// It can be had.
    Ready,
    /// The merchant does not offer it in the cart's currency.
    NotInCurrency,
    /// So many points are missing.
    Short { missing: Points },
    /// The order is too small.
    BelowMinimum { minimum: i64 },
    /// There is nothing in the cart to take it off.
    NothingToTakeOff,
}

/// One way to have a reward.
#[derive(Debug, Serialize)]
struct Choice {
    /// The points that are held.
    points: Points,
    /// What it takes off this cart.
    worth: Option<i64>,
}

/// What of a cart rewards look at.
struct Cart<'q> {
    quote: &'q Quote,
    currency: Currency,
    /// All lines that a reward may lower.
    eligible: Money,
}

impl Offer {
    /// Reads what the shop holds for the cart and its customer.
    pub fn read(shop: &DevShop, token: &str) -> Result<Self, devshop::ShopError> {
        let quote = shop.quote(token)?;
        let account = quote.cart.customer.and_then(|customer| account(shop, customer));
        Ok(Self::of(&quote, account, program(shop)))
    }

    /// The rules on a quote and both metafields.
    fn of(quote: &Quote, account: Option<Account>, program: Option<ProgramUi>) -> Self {
        let Some(cart) = Cart::of(quote) else { return Self::default() };
        let given = quote.cart.attributes.iter().find(|attribute| attribute.name == Mark::ATTRIBUTE);
        let mark: Option<Mark> = given.and_then(|attribute| attribute.value.parse().ok());
        let hold = account.as_ref().and_then(|account| account.hold.as_ref());
        let stands = mark.is_some_and(|mark| hold.is_some_and(|hold| hold.id == mark.hold));
        let rewards = program.iter().flat_map(|program| &program.rewards);
        let tier = account.as_ref().and_then(|account| account.tier.as_deref());
        let spendable = account.as_ref().map_or(Points::ZERO, Account::spendable);
        Self {
            spendable,
            earns: program.as_ref().and_then(|program| cart.earns(program, tier)),
            hold: hold.map(|hold| cart.held(hold, mark)),
            mark: match given {
                None => MarkState::None,
                Some(_) if stands => MarkState::Stands,
                Some(_) => MarkState::Stale,
            },
            rewards: rewards.map(|reward| cart.offer(reward, spendable)).collect(),
            account,
        }
    }
}

impl<'q> Cart<'q> {
    fn of(quote: &'q Quote) -> Option<Self> {
        let currency = Currency::parse(quote.cart.currency.code()).ok()?;
        let eligible = quote.lines.iter().filter(|line| !line.line.gift_card);
        let eligible = eligible.map(|line| line.line.gross.presentment).sum();
        Some(Self { quote, currency, eligible: Money::new(eligible, currency).ok()? })
    }

    /// What the order will earn as it comes to now.
    fn earns(&self, program: &ProgramUi, tier: Option<&str>) -> Option<Points> {
        earns(program, tier, self.quote.lines.iter().map(|line| (&line.line, line.net())))
    }

    /// What terms are worth here: what comes off, and what it costs.
    fn worth(&self, terms: &Terms) -> Option<loyalty::Quote> {
        let money = |minor| Money::new(minor, self.currency).ok();
        match terms.kind {
            Kind::Amount | Kind::Percent => terms.off_order(self.eligible),
            Kind::Shipping => {
                let price = self.quote.shipping.as_ref()?.option.price.presentment;
                terms.off_delivery(money(price)?, self.eligible)
            }
            Kind::Product => self.quote.lines.iter().find_map(|line| {
                let variant = gid("ProductVariant", line.line.variant);
                terms.off_unit(&variant, money(line.line.unit.presentment)?, self.eligible)
            }),
        }
    }

    fn held(&self, hold: &Terms, mark: Option<Mark>) -> Held {
        let worth = self.worth(hold);
        Held {
            mark: Mark { hold: hold.id, attempt: 1 }.to_string(),
            applies: hold.applies_to(mark) && hold.currency == self.currency,
            worth: worth.map(|quote| quote.discount.minor()),
            costs: worth.map(|quote| quote.points),
        }
    }

    fn offer(&self, reward: &Reward, spendable: Points) -> RewardOffer {
        let steps = match &reward.benefit {
            Benefit::Steps { most, .. } => *most,
            _ => 1,
        };
        let mut choices = Vec::new();
        let mut not_offered = None;
        for step in 1..=steps {
            let points = reward.points.get().checked_mul(step).and_then(|points| Points::new(points).ok());
            let Some(points) = points.filter(|points| step == 1 || *points <= spendable) else { break };
            match self.terms(reward, points) {
                Err(error) => {
                    not_offered = Some(error);
                    break;
                }
                Ok(terms) => {
                    let worth = self.worth(&terms).map(|quote| quote.discount.minor());
                    choices.push(Choice { points, worth });
                    // More steps than the cart has to take them off buy nothing.
                    if worth.is_none_or(|worth| worth < terms.value) {
                        break;
                    }
                }
            }
        }
        let short = reward.points.minus(spendable).ok().filter(|missing| missing.is_positive());
        let minimum = reward.min.get(&self.currency).copied().filter(|least| self.eligible.minor() < *least);
        let state = match (not_offered, short, minimum, choices.first()) {
            (Some(_), _, _, _) => RewardState::NotInCurrency,
            (None, Some(missing), _, _) => RewardState::Short { missing },
            (None, None, Some(minimum), _) => RewardState::BelowMinimum { minimum },
            (None, None, None, Some(Choice { worth: Some(_), .. })) => RewardState::Ready,
            (None, None, None, _) => RewardState::NothingToTakeOff,
        };
        RewardOffer {
            id: reward.id.clone(),
            name: reward.name.clone(),
            kind: kind(&reward.benefit),
            points: reward.points,
            state,
            choices,
        }
    }

    /// The terms that a pick would have.
    fn terms(&self, reward: &Reward, points: Points) -> Result<Terms, PickError> {
        reward.terms(Pick {
            hold: HoldId(0),
            points: Some(points),
            currency: self.currency,
            scope: Scope::Cart,
            label: String::new(),
        })
    }
}

/// What lines earn, as far as widgets know: neither what the member earned today nor which collections and tags the
/// products have.
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
    let lines: Vec<LineNow> = (1..).zip(lines).map(line).collect();
    let about = Circumstances { tier: tier.map(str::to_owned), ..Circumstances::default() };
    Some(program.price(&lines, &about).ok()?.points())
}

/// What the shop knows of the program.
pub(super) fn program(shop: &DevShop) -> Option<ProgramUi> {
    let metafield = shop.metafield(&shop_gid(), "$app", loyalty::Program::UI_METAFIELD)?;
    ProgramUi::from_json(&metafield.value).ok()
}

/// What the shop knows of a customer; none where the metafield is missing or not understood.
pub(super) fn account(shop: &DevShop, customer: u64) -> Option<Account> {
    let metafield = shop.metafield(&gid("Customer", customer), "$app", Account::METAFIELD)?;
    let json: serde_json::Value = serde_json::from_str(&metafield.value).ok()?;
    Account::read(&&json).ok()
}

fn kind(benefit: &Benefit) -> &'static str {
    match benefit {
        Benefit::Amount { .. } => "amount",
        Benefit::Steps { .. } => "steps",
        Benefit::Percent { .. } => "percent",
        Benefit::Product { .. } => "product",
        Benefit::StoreCredit { .. } => "store_credit",
        Benefit::GiftCard { .. } => "gift_card",
        Benefit::Shipping { .. } => "shipping",
    }
}
