use alloc::{string::ToString, vec};

use proptest::prelude::*;

use super::*;
use crate::{
    Gate, Program, Tier,
    multiplier::Factor,
    reward::Amounts,
    rfm::Segment,
    tier::{Measure, Threshold},
};

fn currency(code: &str) -> Currency {
    Currency::parse(code).unwrap()
}

fn points(value: i64) -> Points {
    Points::new(value).unwrap()
}

fn account(value: i64) -> Account {
    Account { points: points(value), ..Account::default() }
}

fn program() -> ProgramUi {
    let Program { currency, earn, rewards, .. } = Program::standard(currency("GBP"));
    ProgramUi { version: 1, currency, earn, boosts: vec![], tiers: vec![], rewards }
}

fn line(unit: i64) -> CartLine {
    CartLine {
        variant: "gid://shopify/ProductVariant/7".to_string(),
        product: Some(3),
        quantity: 1,
        unit,
        net: unit,
        gift_card: false,
    }
}

fn cart(lines: impl Into<Vec<CartLine>>) -> Cart {
    Cart { currency: currency("GBP"), lines: lines.into(), delivery: None, mark: None }
}

fn offer<'o, 'a>(offers: &'o Offers<'a>, id: &str) -> &'o Offer<'a> {
    offers.rewards.iter().find(|offer| offer.reward.id == id).unwrap()
}

fn choices(offer: &Offer) -> Vec<(i64, Option<i64>)> {
    offer.choices.iter().map(|choice| (choice.points.get(), choice.worth)).collect()
}

fn with_rewards(rewards: impl Into<Vec<Reward>>) -> ProgramUi {
    ProgramUi { rewards: rewards.into(), ..program() }
}

fn reward(cost: i64, benefit: Benefit) -> Reward {
    Reward {
        id: "reward".to_string(),
        name: "Reward".to_string(),
        points: points(cost),
        benefit,
        min: Amounts::new(),
        gate: Gate::default(),
    }
}

fn pounds(minor: i64) -> Amounts {
    Amounts::from([(currency("GBP"), minor)])
}

#[test]
fn they_say_what_each_reward_is_worth_to_the_cart() {
    let (account, program) = (account(700), program());
    let cart = Cart { delivery: Some(495), ..cart([line(450)]) };
    let offers = Offers::of(Some(&account), Some(&program), Some(&cart));
    assert_eq!((offers.spendable, offers.earns), (points(700), Some(points(4))));
    let steps = [100, 200, 300, 400, 500].map(|points: i64| (points, Some(points.min(450))));
    assert_eq!(choices(offer(&offers, "points")), steps, "a step beyond the cart's worth is the last");
    assert_eq!(choices(offer(&offers, "five-off")), [(450, Some(450))]);
    let delivery = offer(&offers, "free-delivery");
    assert_eq!((delivery.state, choices(delivery)), (OfferState::Ready, vec![(300, Some(495))]));
    assert_eq!(offer(&offers, "tenth-off").state, OfferState::Short(points(200)));
    assert_eq!(
        offers.next_reward().map(|(reward, missing)| (&*reward.id, missing.get())),
        Some(("tenth-off", 200))
    );
}

#[test]
fn a_guest_sees_what_there_is_and_nobody_sees_anything_without_a_program() {
    let program = program();
    let offers = Offers::of(None, Some(&program), Some(&cart([line(450)])));
    assert_eq!((offers.spendable, offers.earns), (Points::ZERO, Some(points(4))));
    assert!(offers.rewards.iter().all(|offer| matches!(offer.state, OfferState::Short(_))));
    let account = account(700);
    let offers = Offers::of(Some(&account), None, Some(&cart([line(450)])));
    assert_eq!(offers, Offers { spendable: points(700), ..Offers::default() });
}

#[test]
fn neither_nothing_nor_gift_cards_earn_or_are_discounted() {
    let (account, program) = (account(2_000), program());
    for lines in [vec![], vec![CartLine { gift_card: true, ..line(5_000) }]] {
        let offers = Offers::of(Some(&account), Some(&program), Some(&cart(lines)));
        assert_eq!(offers.earns, Some(Points::ZERO));
        assert!(offers.rewards.iter().all(|offer| offer.state == OfferState::NothingToTakeOff));
    }
}

#[test]
fn in_another_currency_there_is_what_has_terms_in_it_and_nobody_knows_what_it_earns() {
    let (account, program) = (account(2_000), program());
    let offers = Offers::of(
        Some(&account),
        Some(&program),
        Some(&Cart { currency: currency("EUR"), ..cart([line(11_700)]) }),
    );
    assert_eq!(offers.earns, None);
    assert_eq!(offer(&offers, "five-off").state, OfferState::NotInCurrency);
    assert_eq!(choices(offer(&offers, "tenth-off")), [(900, Some(1_170))]);
}

#[test]
fn what_is_paid_out_needs_no_cart() {
    let credit = Reward { min: pounds(500), ..reward(100, Benefit::StoreCredit { value: pounds(250) }) };
    let (account, program) = (account(100), with_rewards([credit]));
    let offers = Offers::of(Some(&account), Some(&program), Some(&cart([])));
    assert_eq!(
        (offers.rewards[0].state, choices(&offers.rewards[0])),
        (OfferState::Ready, vec![(100, Some(250))])
    );
    let euros = Cart { currency: currency("EUR"), ..cart([]) };
    assert_eq!(
        Offers::of(Some(&account), Some(&program), Some(&euros)).rewards[0].state,
        OfferState::NotInCurrency
    );
}

#[test]
fn a_minimum_and_a_gate_are_looked_at() {
    let gated =
        |gate: Gate, min: Amounts| Reward { gate, min, ..reward(100, Benefit::Amount { value: pounds(5) }) };
    let gold = Gate { tiers: vec!["gold".into()], ..Gate::default() };
    let loyal = Gate { segments: vec![Group::Loyal], ..Gate::default() };
    let program = with_rewards([
        gated(Gate::default(), pounds(451)),
        gated(gold, Amounts::new()),
        gated(loyal, Amounts::new()),
    ]);
    let states = |account: &Account| {
        Offers::of(Some(account), Some(&program), Some(&cart([line(450)])))
            .rewards
            .iter()
            .map(|offer| offer.state)
            .collect()
    };
    let below = OfferState::BelowMinimum(451);
    let poor: Vec<OfferState> = states(&account(100));
    assert_eq!(poor, [below, OfferState::OtherTier, OfferState::OtherSegment]);
    let segment = Some(Segment::of(3, 4, 4));
    let rich: Vec<OfferState> = states(&Account { tier: Some("gold".into()), segment, ..account(100) });
    assert_eq!(rich, [below, OfferState::Ready, OfferState::Ready]);
}

#[test]
fn a_product_is_taken_off_where_it_is_in_the_cart_and_no_gift_card() {
    let variant = "gid://shopify/ProductVariant/7".to_string();
    let (account, program) = (account(100), with_rewards([reward(100, Benefit::Product { variant })]));
    let state =
        |line: CartLine| Offers::of(Some(&account), Some(&program), Some(&cart([line]))).rewards[0].state;
    assert_eq!(state(line(450)), OfferState::Ready);
    for other in [
        CartLine { variant: "gid://shopify/ProductVariant/77".into(), ..line(450) },
        CartLine { quantity: 0, ..line(450) },
        CartLine { gift_card: true, ..line(450) },
    ] {
        assert_eq!(state(other.clone()), OfferState::NothingToTakeOff, "{other:?}");
    }
}

#[test]
fn a_hold_applies_to_the_cart_that_carries_its_mark() {
    let program = program();
    let five = program.rewards.iter().find(|reward| reward.id == "five-off").unwrap();
    let pick = Pick {
        hold: HoldId(7),
        points: None,
        currency: currency("GBP"),
        scope: Scope::Cart,
        label: String::new(),
    };
    let account = Account { hold: Some(five.terms(pick).unwrap()), ..account(50) };
    let marked = |mark: Option<&str>| {
        let cart = Cart { mark: mark.map(str::to_string), ..cart([line(1_250)]) };
        let offers = Offers::of(Some(&account), Some(&program), Some(&cart));
        let Held { applies, worth, .. } = offers.hold.unwrap();
        assert_eq!(worth.map(|quote| (quote.discount.minor(), quote.points.get())), Some((500, 450)));
        assert_eq!(offers.spendable, points(500), "a new pick may use what the hold pins");
        (offers.mark, applies)
    };
    let own = Mark { hold: HoldId(7), attempt: 3 }.to_string();
    assert_eq!(marked(None), (MarkState::None, false));
    assert_eq!(marked(Some(&own)), (MarkState::Stands, true));
    let other = Mark { hold: HoldId(8), attempt: 3 }.to_string();
    for stale in [other.as_str(), "", "nonsense"] {
        assert_eq!(marked(Some(stale)), (MarkState::Stale, false), "{stale}");
    }
    let cart = Cart { mark: Some(own), ..cart([]) };
    assert_eq!(Offers::of(None, Some(&program), Some(&cart)).mark, MarkState::Stale, "there is no hold");
}

#[test]
fn the_next_tier_is_the_first_above_that_members_reach_by_themselves() {
    let threshold = Some(Threshold { measure: Measure::Points, at_least: 100, days: 365 });
    let tier = |id: &str, threshold| TierUi { id: id.into(), name: id.to_uppercase(), threshold };
    let tiers = vec![tier("tin", threshold), tier("invited", None), tier("gold", threshold)];
    let program = ProgramUi { tiers, ..program() };
    let next = |own: Option<&str>| {
        let account = Account { tier: own.map(Into::into), ..Account::default() };
        Offers::of(Some(&account), Some(&program), Some(&cart([]))).next_tier.map(|tier| tier.id.clone())
    };
    let steps = [None, Some("tin"), Some("invited"), Some("gold"), Some("gone")].map(next);
    assert_eq!(steps.each_ref().map(Option::as_deref), [Some("tin"), Some("gold"), Some("gold"), None, None]);
    assert_eq!(program.tier("tin").map(|tier| &*tier.name), Some("TIN"));
}

#[test]
fn tiers_and_delivery_earn_where_the_program_says_so() {
    let gold = Tier {
        id: "gold".into(),
        name: "Gold".into(),
        threshold: None,
        earn_factor: Factor(20_000),
        perks: vec![],
    };
    let settings = Program { tiers: vec![gold], ..Program::standard(currency("GBP")) };
    let mut program = ProgramUi { boosts: settings.boosts(), ..program() };
    let cart = Cart { delivery: Some(500), ..cart([line(1_000)]) };
    let earns = |program: &ProgramUi, tier: Option<&str>| {
        let account = Account { tier: tier.map(Into::into), ..Account::default() };
        Offers::of(Some(&account), Some(program), Some(&cart)).earns.map(Points::get)
    };
    assert_eq!((earns(&program, None), earns(&program, Some("gold"))), (Some(10), Some(20)));
    program.earn.basis.shipping = true;
    assert_eq!((earns(&program, None), earns(&program, Some("gold"))), (Some(15), Some(30)));
}

#[test]
fn of_many_steps_some_are_left_out_but_never_the_last() {
    let steps = |most| reward(1, Benefit::Steps { value: pounds(1), most });
    let (account, program) = (account(LIMIT), with_rewards([steps(100), steps(250), steps(LIMIT)]));
    let offers = Offers::of(Some(&account), Some(&program), Some(&cart([line(LIMIT)])));
    let all: Vec<Vec<i64>> = offers
        .rewards
        .iter()
        .map(|offer| choices(offer).into_iter().map(|(points, _)| points).collect())
        .collect();
    assert_eq!(all[0], (1..=100).collect::<Vec<i64>>());
    assert_eq!((&all[1][..3], all[1].last()), (&[1, 3, 6][..], Some(&250)));
    assert!(all.iter().all(|choices| choices.len() <= 102));
    assert_eq!((all[2].first(), all[2].last()), (Some(&1), Some(&LIMIT)));
}

#[test]
fn amounts_beyond_range_are_no_cart() {
    let (account, program) = (account(700), program());
    let twice = CartLine { quantity: 2, ..line(LIMIT) };
    for lines in [vec![twice], vec![line(LIMIT), line(1)], vec![CartLine { unit: i64::MIN, ..line(1) }]] {
        let offers = Offers::of(Some(&account), Some(&program), Some(&cart(lines)));
        assert_eq!(offers, Offers { spendable: points(700), ..Offers::default() });
    }
}

fn any_amount() -> impl Strategy<Value = i64> {
    prop_oneof![-LIMIT..=LIMIT, 0..=99_999_i64, Just(LIMIT), Just(-LIMIT), Just(0)]
}

fn any_benefit() -> impl Strategy<Value = Benefit> {
    let amounts = || any_amount().prop_map(pounds);
    prop_oneof![
        amounts().prop_map(|value| Benefit::Amount { value }),
        (amounts(), any_amount()).prop_map(|(value, most)| Benefit::Steps { value, most }),
        (any_amount(), amounts()).prop_map(|(basis_points, cap)| Benefit::Percent { basis_points, cap }),
        Just(Benefit::Product { variant: "gid://shopify/ProductVariant/7".into() }),
        amounts().prop_map(|cap| Benefit::Shipping { cap }),
        amounts().prop_map(|value| Benefit::GiftCard { value }),
    ]
}

fn any_cart() -> impl Strategy<Value = Cart> {
    let any = (any_amount(), any_amount(), any_amount(), any::<bool>());
    let any =
        any.prop_map(|(quantity, unit, net, gift_card)| CartLine { quantity, net, gift_card, ..line(unit) });
    let few = (0..9_i64, 0..9_999_i64).prop_map(|(quantity, unit)| CartLine { quantity, ..line(unit) });
    let lines = proptest::collection::vec(prop_oneof![1 => any, 3 => few], 0..4);
    (lines, proptest::option::of(any_amount())).prop_map(|(lines, delivery)| Cart { delivery, ..cart(lines) })
}

proptest! {
    #[test]
    fn whatever_a_program_says_a_ready_reward_has_terms_that_take_off_what_is_told(
        benefit in any_benefit(), cost in 1..=LIMIT, few in 1..=50_i64, cheap: bool, min in any_amount(),
        cart in any_cart(), own in any_amount(),
    ) {
        let cost = if cheap { few } else { cost };
        let (account, program) = (account(own), with_rewards([Reward { min: pounds(min), ..reward(cost, benefit) }]));
        let offers = Offers::of(Some(&account), Some(&program), Some(&cart));
        for Offer { reward, state, choices } in &offers.rewards {
            prop_assert!(choices.len() <= 102 && choices.is_sorted_by(|a, b| a.points < b.points));
            prop_assert_eq!(choices.is_empty(), *state == OfferState::NotInCurrency);
            if *state != OfferState::Ready || !reward.needs_cart() {
                continue;
            }
            let basket = Basket::of(&cart).unwrap();
            for Choice { points, worth } in choices {
                prop_assert!(*points <= offers.spendable);
                prop_assert!(worth.is_some_and(|worth| worth > 0), "{:?}", worth);
                let quote = basket.worth(&terms(reward, *points));
                prop_assert_eq!(quote.map(|quote| quote.discount.minor()), *worth);
            }
        }
    }

    #[test]
    fn steps_are_those_that_can_be_paid_for_and_are_of_use(
        unit in 0..=2_000_i64, own in 0..=2_000_i64, cost in 1..=60_i64, value in 1..=60_i64, most in 1..=99_i64,
    ) {
        let program = with_rewards([reward(cost, Benefit::Steps { value: pounds(value), most })]);
        let account = account(own);
        let offers = Offers::of(Some(&account), Some(&program), Some(&cart([line(unit)])));
        let is_had = |step: &i64| *step == 1 || (step * cost <= own && (step - 1) * value < unit);
        let told: Vec<(i64, Option<i64>)> = (1..=most)
            .take_while(is_had)
            .map(|step| (step * cost, Some((step * value).min(unit)).filter(|worth| *worth > 0)))
            .collect();
        prop_assert_eq!(choices(&offers.rewards[0]), told);
    }
}

fn terms(reward: &Reward, points: Points) -> Terms {
    let pick = Pick {
        hold: HoldId(1),
        points: Some(points),
        currency: currency("GBP"),
        scope: Scope::Cart,
        label: String::new(),
    };
    reward.terms(pick).unwrap()
}
