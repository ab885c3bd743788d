//! What a merchant reads about each thing.

use super::{Code, Kind, Thing};

/// A sentence about a thing: how it stands, and what to do about it.
pub(super) fn sentence(thing: &Thing) -> String {
    let name = match (&thing.title, thing.kind) {
        (_, Kind::Guard) => "The check of points at checkout".to_owned(),
        (_, Kind::Delivery) => "The customization of delivery options for tiers".to_owned(),
        (_, Kind::Mark) => "The note by which an order says which reward it used".to_owned(),
        (Some(title), _) => format!("The discount “{title}”"),
        (None, Kind::Program | Kind::Points | Kind::Perks) => "Your program".to_owned(),
    };
    let without = match thing.kind {
        Kind::Program | Kind::Points => "points cannot be spent",
        Kind::Perks => "members get no perks",
        Kind::Guard => "shoppers are not told why points cannot be used",
        Kind::Delivery => "members see the delivery options of everyone",
        Kind::Mark => "some orders are found by their customer only",
    };
    let place = match thing.kind {
        Kind::Guard => "Settings, Checkout",
        Kind::Delivery => "Settings, Shipping and delivery",
        Kind::Program | Kind::Points | Kind::Perks | Kind::Mark => "Discounts",
    };
    let limited = match thing.kind {
        Kind::Guard => "validations",
        Kind::Delivery => "delivery customizations",
        Kind::Program | Kind::Points | Kind::Perks | Kind::Mark => "discounts of apps",
    };
    match thing.code {
        Code::Ok if thing.kind == Kind::Program => format!("{name} is published."),
        Code::Ok => format!("{name} is on."),
        Code::NotMade if thing.kind == Kind::Program => {
            format!("{name} is not published in your shop yet. Activate it to publish it.")
        }
        Code::NotMade => format!("{name} does not exist yet. Activate it to make it."),
        Code::Deleted => {
            format!("{name} was deleted, so {without}. Activate it to make it again.")
        }
        Code::SwitchedOff => {
            format!("{name} was switched off in Shopify, so {without}. Switch it on there, under {place}.")
        }
        Code::Scheduled => format!(
            "{name} is set to begin later, so {without} yet. You can change that in Shopify, under {place}."
        ),
        Code::Differs => {
            format!("{name} was changed ({}). Activate it to put it right.", thing.differs.join(", "))
        }
        Code::NotDeployed => format!(
            "{name} is not available yet: this installation of the app has not released the part that it needs. Please \
             tell whoever runs the app for you."
        ),
        Code::TooMany => format!(
            "{name} cannot be made: Shopify allows 25 active {limited}, and your shop has that many. Switch one \
             off under {place}, then activate it."
        ),
        Code::TitleTaken => format!(
            "{name} cannot be made or renamed: another automatic discount has the title it needs. Rename that one under \
             Discounts, or choose another title for your program, then activate it."
        ),
        Code::OfTheApp => format!(
            "{name} is not set up: this installation of the app has to release a new version for that. Please tell \
             whoever runs the app for you. Until then, {without}."
        ),
        Code::Refused => {
            format!("Shopify refused a change. {name} is tried again tomorrow; you can also activate it now.")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activation::State;

    #[test]
    fn a_sentence_names_the_discount_as_the_merchant_does() {
        let thing = Thing {
            kind: Kind::Points,
            state: State::SwitchedOff,
            code: Code::SwitchedOff,
            differs: Vec::new(),
            title: Some("نقاط الولاء".into()),
            discount_id: None,
        };
        assert_eq!(
            sentence(&thing),
            "The discount “نقاط الولاء” was switched off in Shopify, so points cannot be spent. Switch it on \
             there, under Discounts."
        );
    }
}
