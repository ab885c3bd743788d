//! A pleasant little shop to start with.

use crate::catalog::NewProduct;
use crate::shop::DevShop;

/// Fills an empty shop: a roastery's dozen products, one of them a gift card, and four customers.
pub fn seed(shop: &DevShop) {
    for (title, kind, description, variants, grams) in PRODUCTS {
        let sku = |at: usize| {
            let initials: String = title.split(' ').filter_map(|word| word.chars().next()).collect();
            format!("{}-{}-{}", kind[..3].to_uppercase(), initials.to_uppercase(), at + 1)
        };
        shop.add_product(NewProduct {
            title: (*title).into(),
            description: (*description).into(),
            vendor: "Fernhill Roasters".into(),
            product_type: (*kind).into(),
            tags: vec![kind.to_lowercase()],
            gift_card: *kind == "Gift card",
            variants: variants
                .iter()
                .enumerate()
                .map(|(at, (name, price))| ((*name).into(), sku(at), *price))
                .collect(),
            grams: *grams,
            ..NewProduct::default()
        });
    }
    for (first, last) in [("Ada", "Okafor"), ("Ben", "Lindqvist"), ("Chiara", "Romano"), ("Dev", "Malhotra")]
    {
        shop.add_customer(first, last, &format!("{}@example.com", first.to_lowercase()));
    }
}

type Listing = (&'static str, &'static str, &'static str, &'static [(&'static str, i64)], u32);

const ONE: &str = "Default Title";

/// Title, kind, description, variants with their prices in pence, grams.
const PRODUCTS: &[Listing] = &[
    (
        "House Espresso",
        "Coffee",
        "Chocolate, hazelnut, and a long finish.",
        &[("250 g", 895), ("1 kg", 2950)],
        250,
    ),
    ("Ethiopia Guji", "Coffee", "Washed: bergamot, peach, jasmine.", &[("250 g", 1150), ("1 kg", 3900)], 250),
    ("Colombia Huila", "Coffee", "Red apple, caramel, easy all day.", &[("250 g", 995), ("1 kg", 3350)], 250),
    ("Sugarcane Decaf", "Coffee", "All of the cup, none of the night.", &[(ONE, 1050)], 250),
    ("Cold Brew Bags", "Coffee", "Six bags; water and a night do the rest.", &[(ONE, 1299)], 300),
    ("Pour-over Dripper", "Equipment", "Porcelain, ribbed, for one or two cups.", &[(ONE, 2199)], 420),
    ("Paper Filters", "Equipment", "A hundred, oxygen-bleached.", &[(ONE, 649)], 120),
    ("Hand Grinder", "Equipment", "Steel burrs, forty clicks, fits a rucksack.", &[(ONE, 7900)], 650),
    ("Gooseneck Kettle", "Equipment", "Pours as thin as you ask it to.", &[(ONE, 6450)], 1100),
    ("Stoneware Mug", "Tableware", "Glazed by hand; no two alike.", &[("Moss", 1650), ("Chalk", 1650)], 380),
    ("Tea Towel", "Tableware", "Linen, with the drawing of our hill.", &[(ONE, 1175)], 90),
    (
        "Gift Card",
        "Gift card",
        "For whoever has everything but coffee.",
        &[("£10", 1000), ("£25", 2500), ("£50", 5000)],
        0,
    ),
];
