//! Carts and holds at random against a plain model of the rules, at both targets.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::cart::{HOLD, Line, account, delivery_input, lines_input};
use crate::support::{DELIVERY, LINES, nothing, run};

#[derive(Clone, Debug)]
struct Case {
    kind: &'static str,
    value: i64,
    cap: Option<i64>,
    min: Option<i64>,
    lines: Vec<Line>,
    prices: Vec<Vec<i64>>,
}

fn decimal(minor: i64) -> String {
    format!("{}.{:02}", minor / 100, minor % 100)
}

fn minor(amount: &Value) -> i64 {
    amount.as_str().unwrap().replace('.', "").parse().unwrap()
}

fn any_line() -> impl Strategy<Value = Line> {
    (0..6_usize, 1..4_u32, 0..3_000_i64, prop::bool::weighted(0.2)).prop_map(
        |(number, quantity, price, gift_card)| Line {
            gift_card,
            ..Line::new(number, quantity, &decimal(price * i64::from(quantity)))
        },
    )
}

fn any_case() -> impl Strategy<Value = Case> {
    let kind = prop::sample::select(vec!["amount", "percent", "product", "shipping"]);
    let bound = |most: i64| proptest::option::of(0..most);
    let groups = prop::collection::vec(prop::collection::vec(0..1_500_i64, 0..4), 0..4);
    let lines = prop::collection::vec(any_line(), 0..12);
    (kind, 1..10_000_i64, bound(4_000), bound(8_000), lines, groups)
        .prop_map(|(kind, value, cap, min, lines, prices)| Case { kind, value, cap, min, lines, prices })
}

impl Case {
    fn account(&self) -> Value {
        let mut hold = json!({
            "id": HOLD, "scope": "cart", "kind": self.kind, "points": 500, "value": self.value, "cur": "GBP",
            "label": "Loyalty points", "variant": self.variant(),
        });
        for (name, bound) in [("cap", self.cap), ("min", self.min)] {
            if let Some(bound) = bound {
                hold[name] = bound.into();
            }
        }
        account(Some(hold))
    }

    fn variant(&self) -> String {
        Line::new(3, 1, "").variant()
    }

    fn others(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| !line.gift_card)
    }

    fn eligible(&self) -> i64 {
        self.others().map(|line| minor(&json!(line.subtotal))).sum()
    }

    fn bounded(&self, discount: i64) -> i64 {
        let qualifies = self.eligible() >= self.min.unwrap_or(0);
        if qualifies { discount.min(self.cap.unwrap_or(i64::MAX)) } else { 0 }
    }
}

/// The only candidate of an operation, if there is one.
fn candidate<'a>(output: &'a Value, operation: &str) -> Option<&'a Value> {
    output.pointer(&format!("/operations/0/{operation}/candidates/0"))
}

proptest! {
    #[test]
    fn lines_get_what_the_rules_say(case in any_case()) {
        let output = run(LINES, &lines_input(&case.account(), &case.lines));
        let expected = match case.kind {
            "amount" => case.bounded(case.value.min(case.eligible())),
            "percent" => case.bounded(case.eligible() * case.value / 10_000),
            "product" => case.others().find(|line| line.variant() == case.variant()).map_or(0, |line| {
                case.bounded(minor(&json!(line.subtotal)) / i64::from(line.quantity))
            }),
            _ => 0,
        };
        if expected == 0 {
            prop_assert_eq!(output, nothing());
        } else if case.kind == "product" {
            let candidate = candidate(&output, "productDiscountsAdd").unwrap();
            prop_assert_eq!(minor(&candidate["value"]["fixedAmount"]["amount"]), expected);
            let line = case.others().find(|line| line.variant() == case.variant()).unwrap();
            prop_assert_eq!(&candidate["targets"], &json!([{ "cartLine": { "id": line.id(), "quantity": 1 } }]));
        } else {
            let candidate = candidate(&output, "orderDiscountsAdd").unwrap();
            prop_assert_eq!(minor(&candidate["value"]["fixedAmount"]["amount"]), expected);
            let gift_cards: Vec<_> = case.lines.iter().filter(|line| line.gift_card).map(Line::id).collect();
            let target = json!([{ "orderSubtotal": { "excludedCartLineIds": gift_cards } }]);
            prop_assert_eq!(&candidate["targets"], &target);
        }
    }

    #[test]
    fn delivery_gets_what_the_rules_say_and_never_more_than_the_cap(case in any_case()) {
        let prices: Vec<Vec<String>> =
            case.prices.iter().map(|group| group.iter().map(|price| decimal(*price)).collect()).collect();
        let groups: Vec<Vec<&str>> =
            prices.iter().map(|group| group.iter().map(String::as_str).collect()).collect();
        let groups: Vec<&[&str]> = groups.iter().map(Vec::as_slice).collect();
        let output = run(DELIVERY, &delivery_input(&case.account(), &groups, &case.lines));
        let candidates = output.pointer("/operations/0/deliveryDiscountsAdd/candidates");
        let amounts: Vec<i64> = candidates
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .map(|candidate| minor(&candidate["value"]["fixedAmount"]["amount"]))
            .collect();

        let mut left = if case.kind == "shipping" { case.bounded(i64::MAX) } else { 0 };
        let mut expected = Vec::new();
        for group in &case.prices {
            let discounts: Vec<i64> = group.iter().map(|price| left.min(*price)).collect();
            left -= discounts.iter().max().copied().unwrap_or(0);
            expected.extend(discounts.into_iter().filter(|discount| *discount > 0));
        }
        prop_assert_eq!(amounts, expected);
    }
}
