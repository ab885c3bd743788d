//! Sentences about what an order earned, in every language that staff and shoppers read them in.

use std::collections::HashMap;

use loyalty::Money;
use loyalty::explain::{Cap, CapExplained, LineExplained, MultiplierExplained, Outcome};
use loyalty::line::{LeftOut, LineKind};
use loyalty::multiplier::{Factor, Source};
use loyalty::order::{Until, Wait};

use super::explain::{BookedExplained, Explained, FirstOrder, NotBooked};
use crate::languages::Tongue;

/// English, German, French.
type Three = [&'static str; 3];

/// What products are called, by Shopify's numbers of them, as far as that is known.
pub(super) type Titles = HashMap<i64, String>;

/// Everything about an order, sentence by sentence.
pub(super) fn sentences(tongue: Tongue, explained: &Explained, titles: &Titles) -> Vec<String> {
    match (&explained.booked, explained.not_booked) {
        (Some(booked), _) => of_booked(tongue, booked, titles),
        (None, Some(reason)) => vec![tongue.of_three(not_booked(reason)).to_owned()],
        (None, None) => Vec::new(),
    }
}

fn of_booked(tongue: Tongue, booked: &BookedExplained, titles: &Titles) -> Vec<String> {
    let explanation = &booked.explanation;
    let mut said = Vec::new();
    let mut say = |template: Three, values: &[(&str, String)]| said.push(filled(tongue, template, values));
    for line in &explanation.lines {
        let name = [("line", name(tongue, line, titles)), ("points", line.earned.to_string())];
        match line.left_out {
            Some(reason) => say(left_out(reason), &name),
            None => {
                let counts = Money::new(line.basis, booked.currency).unwrap_or(Money::zero(booked.currency));
                let counts = [("basis", format!("{counts} {}", booked.currency))];
                say(COUNTS, &[name.as_slice(), counts.as_slice()].concat());
            }
        }
        for multiplier in line.multipliers.iter().filter(|_| line.left_out.is_none()) {
            let MultiplierExplained { source, id, factor, outcome: why } = multiplier;
            say(outcome(*why), &[("id", called(tongue, *source, id)), ("factor", times(*factor))]);
        }
    }
    for CapExplained { cap, points, .. } in explanation.caps.iter().filter(|cap| cap.met) {
        let before = explanation.before_caps.to_string();
        say(capped(*cap), &[("points", points.to_string()), ("before", before)]);
    }
    let program =
        [("version", booked.program_version.to_string()), ("points", explanation.earned.to_string())];
    say(EARNED, &program);
    if booked.void {
        say(VOID, &[]);
    } else if !booked.returned.is_empty() {
        say(STANDS, &[("points", explanation.stands.to_string())]);
    }
    if let Some(FirstOrder { points, gave: true }) = booked.first_order {
        say(FIRST_ORDER, &[("points", points.to_string())]);
    }
    if booked.pending > 0 {
        let at = booked.ripe_at.map(|at| at.to_string());
        let values = [
            ("points", booked.pending.to_string()),
            ("days", booked.wait.days.to_string()),
            ("at", at.clone().unwrap_or_default()),
        ];
        say(if at.is_some() { WAITS_UNTIL } else { waits(booked.wait) }, &values);
    }
    said
}

const COUNTS: Three = [
    "{line}: {basis} counts and earned {points} points.",
    "{line}: {basis} zählt und brachte {points} Punkte.",
    "{line} : {basis} compte et a rapporté {points} points.",
];
const EARNED: Three = [
    "By version {version} of the program, the order earned {points} points.",
    "Nach Version {version} des Programms brachte die Bestellung {points} Punkte.",
    "Selon la version {version} du programme, la commande a rapporté {points} points.",
];
const VOID: Three = [
    "Nothing of that stands: the order was cancelled or not paid.",
    "Davon bleibt nichts: Die Bestellung wurde storniert oder nicht bezahlt.",
    "Il n’en reste rien : la commande a été annulée ou n’a pas été payée.",
];
const STANDS: Three = [
    "After what came back, {points} points stand.",
    "Nach den Rückgaben bleiben {points} Punkte.",
    "Après les retours, il reste {points} points.",
];
const FIRST_ORDER: Three = [
    "It is the first order, which gives {points} points more.",
    "Es ist die erste Bestellung: Dafür gibt es {points} Punkte mehr.",
    "C’est la première commande, qui donne {points} points de plus.",
];
const WAITS_UNTIL: Three = [
    "{points} points can be spent from {at}.",
    "{points} Punkte können ab {at} eingelöst werden.",
    "{points} points peuvent être utilisés à partir du {at}.",
];

fn waits(wait: Wait) -> Three {
    match (wait.until, wait.days) {
        (Until::Paid, 0) => [
            "{points} points wait for the payment.",
            "{points} Punkte warten auf die Zahlung.",
            "{points} points attendent le paiement.",
        ],
        (Until::Paid, _) => [
            "{points} points wait for the payment, and {days} days from then.",
            "{points} Punkte warten auf die Zahlung und danach {days} Tage.",
            "{points} points attendent le paiement, puis {days} jours.",
        ],
        (Until::Fulfilled, 0) => [
            "{points} points wait until the order is paid and sent off.",
            "{points} Punkte warten, bis die Bestellung bezahlt und versandt ist.",
            "{points} points attendent que la commande soit payée et expédiée.",
        ],
        (Until::Fulfilled, _) => [
            "{points} points wait until the order is paid and sent off, and {days} days from then.",
            "{points} Punkte warten, bis die Bestellung bezahlt und versandt ist, und danach {days} Tage.",
            "{points} points attendent que la commande soit payée et expédiée, puis {days} jours.",
        ],
    }
}

fn not_booked(reason: NotBooked) -> Three {
    match reason {
        NotBooked::NoCustomer => [
            "The order earns nothing: it has no customer.",
            "Die Bestellung bringt keine Punkte: Sie hat keinen Kunden.",
            "La commande ne rapporte rien : elle n’a pas de client.",
        ],
        NotBooked::OnlyRefunded => [
            "Of this order only a refund is known.",
            "Von dieser Bestellung ist nur eine Rückerstattung bekannt.",
            "De cette commande, seul un remboursement est connu.",
        ],
        NotBooked::BeforeApp => [
            "This order was placed before the program began.",
            "Diese Bestellung wurde vor dem Beginn des Programms aufgegeben.",
            "Cette commande a été passée avant le début du programme.",
        ],
    }
}

fn left_out(reason: LeftOut) -> Three {
    match reason {
        LeftOut::GiftCard => [
            "{line}: gift cards do not count.",
            "{line}: Geschenkgutscheine zählen nicht.",
            "{line} : les cartes-cadeaux ne comptent pas.",
        ],
        LeftOut::Tip => [
            "{line}: tips do not count.",
            "{line}: Trinkgeld zählt nicht.",
            "{line} : les pourboires ne comptent pas.",
        ],
        LeftOut::Delivery => [
            "{line}: delivery does not count.",
            "{line}: Versandkosten zählen nicht.",
            "{line} : la livraison ne compte pas.",
        ],
        LeftOut::Free => {
            ["{line}: it cost nothing.", "{line}: hat nichts gekostet.", "{line} : n’a rien coûté."]
        }
    }
}

fn outcome(outcome: Outcome) -> Three {
    match outcome {
        Outcome::Gave => {
            ["“{id}” (× {factor}) gave.", "„{id}“ (× {factor}) galt.", "« {id} » (× {factor}) s’applique."]
        }
        Outcome::OtherProducts => [
            "“{id}” (× {factor}) did not: it is for other products.",
            "„{id}“ (× {factor}) galt nicht: Das ist für andere Produkte.",
            "« {id} » (× {factor}) ne s’applique pas : c’est pour d’autres produits.",
        ],
        Outcome::OtherTier => [
            "“{id}” (× {factor}) did not: it is for members of another tier.",
            "„{id}“ (× {factor}) galt nicht: Das ist für Mitglieder einer anderen Stufe.",
            "« {id} » (× {factor}) ne s’applique pas : c’est pour les membres d’un autre niveau.",
        ],
        Outcome::NotBegun => [
            "“{id}” (× {factor}) did not: it had not begun.",
            "„{id}“ (× {factor}) galt nicht: Das hatte noch nicht begonnen.",
            "« {id} » (× {factor}) ne s’applique pas : ce n’était pas encore commencé.",
        ],
        Outcome::Over => [
            "“{id}” (× {factor}) did not: it was over.",
            "„{id}“ (× {factor}) galt nicht: Das war vorbei.",
            "« {id} » (× {factor}) ne s’applique pas : c’était terminé.",
        ],
        Outcome::GreaterOne => [
            "“{id}” (× {factor}) did not: a greater one counts.",
            "„{id}“ (× {factor}) galt nicht: Ein größerer Faktor zählt.",
            "« {id} » (× {factor}) ne s’applique pas : un plus grand compte.",
        ],
        Outcome::Excluded => [
            "“{id}” (× {factor}) did not: another rule leaves the product out.",
            "„{id}“ (× {factor}) galt nicht: Eine andere Regel schließt das Produkt aus.",
            "« {id} » (× {factor}) ne s’applique pas : une autre règle exclut le produit.",
        ],
        Outcome::LineLeftOut => [
            "“{id}” (× {factor}) did not: nothing of the line counts.",
            "„{id}“ (× {factor}) galt nicht: Nichts von der Position zählt.",
            "« {id} » (× {factor}) ne s’applique pas : rien de la ligne ne compte.",
        ],
        Outcome::Guest => [
            "“{id}” (× {factor}) did not: guests earn nothing.",
            "„{id}“ (× {factor}) galt nicht: Gäste sammeln keine Punkte.",
            "« {id} » (× {factor}) ne s’applique pas : les invités ne gagnent rien.",
        ],
    }
}

fn capped(cap: Cap) -> Three {
    match cap {
        Cap::Order => [
            "An order earns at most {points} points; it would have been {before}.",
            "Eine Bestellung bringt höchstens {points} Punkte; es wären {before} gewesen.",
            "Une commande rapporte au plus {points} points ; il y en aurait eu {before}.",
        ],
        Cap::Day => [
            "The day’s cap left {points} points; it would have been {before}.",
            "Die Tagesgrenze ließ noch {points} Punkte zu; es wären {before} gewesen.",
            "Le plafond du jour laissait {points} points ; il y en aurait eu {before}.",
        ],
    }
}

/// A line as people know it: Shopify's number of it tells nobody anything.
fn name(tongue: Tongue, line: &LineExplained, titles: &Titles) -> String {
    let kind = match line.kind {
        LineKind::Item => ["An item", "Ein Artikel", "Un article"],
        LineKind::GiftCard => ["A gift card", "Ein Geschenkgutschein", "Une carte-cadeau"],
        LineKind::Tip => ["A tip", "Ein Trinkgeld", "Un pourboire"],
        LineKind::Delivery => ["Delivery", "Versand", "Livraison"],
    };
    let title = line.product.and_then(|product| titles.get(&product));
    title.cloned().unwrap_or_else(|| tongue.of_three(kind).to_owned())
}

/// A multiplier as sentences call it.
fn called(tongue: Tongue, source: Source, id: &str) -> String {
    let kind = match source {
        Source::Products => return id.to_owned(),
        Source::Tier => ["tier", "Stufe", "niveau"],
        Source::Campaign => ["campaign", "Aktion", "campagne"],
    };
    format!("{} {id}", tongue.of_three(kind))
}

/// 20,000 ten-thousandths are 2, 15,000 are 1.5.
fn times(factor: Factor) -> String {
    let (whole, part) = (factor.0 / 10_000, factor.0 % 10_000);
    match part {
        0 => whole.to_string(),
        part => format!("{whole}.{}", format!("{part:04}").trim_end_matches('0')),
    }
}

fn filled(tongue: Tongue, template: Three, values: &[(&str, String)]) -> String {
    crate::languages::filled(tongue.of_three(template), |place| {
        values.iter().find(|(name, _)| *name == place).map(|(_, value)| value.clone()).unwrap_or_default()
    })
}

#[cfg(test)]
mod tests {
    use loyalty::earning::Returned;
    use loyalty::line::LineNow;
    use loyalty::multiplier::{Multiplier, Selection};
    use loyalty::price::Circumstances;
    use loyalty::rule::EarnRule;
    use loyalty::{Currency, Points, Program, Tier};

    use super::*;
    use crate::ids::OrderId;

    fn explained() -> Explained {
        let rule = EarnRule {
            order_cap: Points::new(25).ok(),
            multipliers: vec![Multiplier {
                id: "double".into(),
                of: Selection::Products(vec![100]),
                factor: Factor(15_000),
            }],
            ..EarnRule::simple(Points::new(1).unwrap(), 100)
        };
        let mug = LineNow { id: 1, quantity: 1, paid: 2_000, product: Some(100), ..LineNow::default() };
        let delivery =
            LineNow { id: 0, quantity: 1, paid: 495, kind: LineKind::Delivery, ..LineNow::default() };
        let gold = Tier {
            id: "gold".into(),
            name: "Gold".into(),
            threshold: None,
            earn_factor: Factor(20_000),
            perks: vec![],
        };
        let currency = Currency::parse("GBP").unwrap();
        let program = Program { earn: rule, tiers: vec![gold], ..Program::standard(currency) };
        let about = Circumstances::default();
        let gone = vec![Returned { line: 1, quantity: 1, subtotal: 2_000 }];
        let earning = program.price(&[mug, delivery], &about).unwrap();
        let explanation = program.explain(&[mug, delivery], &about, &earning, &gone);
        let booked = BookedExplained {
            program_version: 3,
            currency,
            guest: false,
            tier: None,
            void: false,
            wait: Wait { until: Until::Paid, days: 14 },
            ripe_at: None,
            pending: 7,
            posted: 0,
            forgiven: 0,
            returned: gone,
            first_order: Some(FirstOrder { points: Points::new(50).unwrap(), gave: true }),
            explanation,
        };
        Explained {
            order: OrderId(7),
            customer: None,
            placed_at: None,
            not_booked: None,
            booked: Some(booked),
        }
    }

    #[test]
    fn an_order_is_explained_in_each_language() {
        let titles = Titles::from([(100, "Stoneware Mug".to_owned())]);
        let english = sentences(Tongue::En, &explained(), &titles);
        assert_eq!(
            english,
            [
                "Stoneware Mug: 20.00 GBP counts and earned 25 points.",
                "“double” (× 1.5) gave.",
                "“tier gold” (× 2) did not: it is for members of another tier.",
                "Delivery: delivery does not count.",
                "An order earns at most 25 points; it would have been 30.",
                "By version 3 of the program, the order earned 25 points.",
                "After what came back, 0 points stand.",
                "It is the first order, which gives 50 points more.",
                "7 points wait for the payment, and 14 days from then.",
            ]
        );
        let german = sentences(Tongue::De, &explained(), &Titles::new());
        assert!(german[2].starts_with("„Stufe gold“"), "{german:?}");
        assert_eq!(german[0], "Ein Artikel: 20.00 GBP zählt und brachte 25 Punkte.");
        let french = sentences(Tongue::Fr, &explained(), &titles);
        assert_eq!(french[1], "« double » (× 1.5) s’applique.");
        assert!(english.len() == german.len() && german.len() == french.len());
        for text in [english, german, french].concat() {
            assert!(!text.contains('{'), "{text}");
        }
    }

    #[test]
    fn why_nothing_is_booked_is_said() {
        let nobody = Explained { booked: None, not_booked: Some(NotBooked::NoCustomer), ..explained() };
        assert_eq!(
            sentences(Tongue::En, &nobody, &Titles::new()),
            ["The order earns nothing: it has no customer."]
        );
    }

    #[test]
    fn factors_are_written_as_people_read_them() {
        for (factor, text) in [(20_000, "2"), (15_000, "1.5"), (10_001, "1.0001"), (0, "0"), (500, "0.05")] {
            assert_eq!(times(Factor(factor)), text);
        }
    }
}
