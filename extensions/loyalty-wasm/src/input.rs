//! The cart, as JavaScript gives it.

use loyalty::json::{Json, all};
use loyalty::{Cart, CartLine, Currency};

/// The cart, in which JavaScript has made global ids of variants, and numbers of products. A line that cannot be read
/// would make every number wrong, so then there is no cart.
pub fn cart<J: Json>(json: &J) -> Option<Cart> {
    let lines = json.field("lines")?;
    Some(Cart {
        currency: Currency::parse(&json.field("currency")?.text()?).ok()?,
        lines: all(&lines, line)?,
        delivery: json.field("delivery").and_then(|price| price.integer()),
        // What is no text names nothing.
        mark: json.field("mark").map(|mark| mark.text().unwrap_or_default()),
    })
}

fn line<J: Json>(json: &J) -> Option<CartLine> {
    let integer = |name| json.field(name)?.integer();
    Some(CartLine {
        variant: json.field("variant")?.text()?,
        product: integer("product"),
        quantity: integer("quantity").filter(|quantity| *quantity >= 0)?,
        unit: integer("unit")?,
        net: integer("net")?,
        gift_card: json.field("giftCard").is_some_and(|it| it.truth() != Some(false)),
    })
}
