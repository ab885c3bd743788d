//! The validation that says why points cannot be used, and delivery options that look another way to members of a tier:
//! made where the program has use for them, never against the merchant, and run by the checkout.

use axum::http::Method;
use devshop::{Channel, Customized, NewCart, Settings, ShippingRate, ShopError, Surface};
use loyalnest::activation::{Again, stand};
use loyalnest::audit::{Actor, By};
use loyalty::multiplier::Factor;
use loyalty::tier::OptionChange;
use loyalty::{Currency, Perk, Tier};
use serde_json::{Value, json};

use crate::support::house::House;
use crate::support::on_both_engines;

const GUARD: &str = "redemption-guard";
const DELIVERY: &str = "tier-delivery";

/// Has everything stand, as the daily look does or as staff ask, and says how the customizations stand then.
async fn stood(house: &House, again: Again) -> Vec<(&'static str, &'static str)> {
    let shop = house.app.shops.find(house.shop_id).await.unwrap().unwrap();
    // The worker may be at it, too.
    for _ in 0..2_400 {
        if let Ok(things) = stand(&house.app, &shop, again, &By::from(Actor::System)).await {
            let all = things.iter().map(|thing| (thing.kind.as_str(), thing.code.as_str()));
            return all.filter(|(kind, _)| ["guard", "delivery"].contains(kind)).collect();
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("activation is busy for two minutes");
}

async fn guarded(house: &House, guard: bool) {
    house
        .set_program(|program| {
            program.guard = guard;
            let pounds = Currency::parse("GBP").unwrap();
            program.rewards.iter_mut().for_each(|reward| reward.min = [(pounds, 3_000)].into());
        })
        .await;
}

#[test]
fn the_checkout_says_why_points_cannot_be_used_and_goes_on_when_they_can() {
    on_both_engines(async |test| {
        let house = House::with_staff(test, Settings::default()).await;
        house.deploy(GUARD);
        guarded(&house, true).await;
        assert_eq!(stood(&house, Again::LeftOut).await, [("guard", "ok")]);
        let ada = house.customer(80).await;
        let mark = house.mark(ada, "points", Some(500)).await;
        let cart = house.cart(ada, 2, Some(&mark));
        let least = "“Loyalty points” needs an order of at least 30.00 GBP. Add something to your cart, or take the reward \
                     out of it.";
        assert_eq!(house.quote(&cart).errors, [least]);
        let refused = house.shop.place_order(&cart, devshop::PlaceOptions::default()).unwrap_err();
        assert!(matches!(refused, ShopError::Blocked(_)), "{refused:?}");

        house.shop.set_cart_attribute(&cart, "_loyalty", None).unwrap();
        assert!(house.quote(&cart).errors.is_empty(), "without the reward the checkout goes on");
        house.shop.set_cart_attribute(&cart, "_loyalty", Some(&mark)).unwrap();
        house.shop.add_to_cart(&cart, house.mug, 1).unwrap();
        let quote = house.quote(&cart);
        assert!(quote.errors.is_empty() && quote.discounts.len() == 1, "{:?}", quote.runs);

        let till = NewCart { channel: Channel::Pos(3), ..NewCart::of(ada) };
        let till = house.shop.new_cart(till).unwrap().token;
        house.shop.add_to_cart(&till, house.mug, 1).unwrap();
        house.shop.set_cart_attribute(&till, "_loyalty", Some(&mark)).unwrap();
        assert!(house.quote(&till).errors.is_empty(), "never at a till");

        guarded(&house, false).await;
        assert_eq!(stood(&house, Again::LeftOut).await, [("guard", "ok")], "it stays, and is silent");
        assert!(house.quote(&house.cart(ada, 2, Some(&mark))).errors.is_empty());
    });
}

#[test]
fn members_of_a_tier_see_the_delivery_options_that_are_theirs() {
    on_both_engines(async |test| {
        let rate = |handle: &str, title: &str, price| ShippingRate {
            handle: handle.into(),
            title: title.into(),
            price,
            free_from: None,
        };
        let shipping = vec![rate("standard", "Standard", 495), rate("express", "Express", 995)];
        let house = House::with_staff(test, Settings { shipping, ..Settings::default() }).await;
        house.deploy(DELIVERY);
        let ada = house.customer(1).await;
        let cart = house.cart(ada, 1, None);
        let titles = || -> Vec<String> {
            let quote = house.quote(&cart);
            assert!(quote.runs.iter().all(|run| run.error.is_none()), "{:?}", quote.runs);
            quote.delivery_options.into_iter().map(|option| option.title).collect()
        };
        assert_eq!(titles(), ["Standard", "Express"]);
        house
            .set_program(|program| {
                let change = |title: &str, change| Perk::DeliveryOption { title: title.into(), change };
                let perks = vec![
                    change("Standard", OptionChange::Rename("توصيل ذهبي".into())),
                    change("Express", OptionChange::Reserve),
                    change("Express", OptionChange::First),
                ];
                program.tiers = vec![Tier {
                    id: "gold".into(),
                    name: "Gold".into(),
                    threshold: None,
                    earn_factor: Factor::ONE,
                    perks,
                }];
            })
            .await;
        assert_eq!(stood(&house, Again::LeftOut).await, [("delivery", "ok")]);
        assert_eq!(titles(), ["Standard"], "Express is not for everyone");

        let token = house.shop.session_token(Surface::Admin(42));
        let url = format!("{}/api/members/{ada}/tier", house.url);
        let request = house.http.request(Method::PUT, url).bearer_auth(token).json(&json!({"tier": "gold"}));
        assert_eq!(request.send().await.unwrap().json::<Value>().await.unwrap()["tier"], "gold");
        house.settle().await;
        assert_eq!(titles(), ["Express", "توصيل ذهبي"]);
    });
}

#[test]
fn customizations_are_made_once_where_they_are_used_and_never_against_the_merchant() {
    on_both_engines(async |test| {
        let house = House::with_staff(test, Settings::default()).await;
        assert_eq!(stood(&house, Again::Made).await, [], "the program has no use for them");
        guarded(&house, true).await;
        assert_eq!(stood(&house, Again::Made).await, [("guard", "function_not_deployed")]);
        house.deploy(GUARD);
        house.deploy(DELIVERY);
        assert_eq!(stood(&house, Again::LeftOut).await, [("guard", "ok")]);
        assert_eq!(stood(&house, Again::LeftOut).await, [("guard", "ok")]);
        let made = house.shop.customizations();
        assert_eq!(made.len(), 1);
        assert_eq!((made[0].of, made[0].enabled), (Customized::Checkout, true));

        house.shop.switch_customization(made[0].id, false).unwrap();
        assert_eq!(stood(&house, Again::Made).await, [("guard", "switched_off")]);
        assert!(!house.shop.customizations()[0].enabled);

        house.shop.delete_customization(made[0].id).unwrap();
        assert_eq!(stood(&house, Again::LeftOut).await, [("guard", "deleted")]);
        assert_eq!(house.shop.customizations().len(), 0);
        assert_eq!(stood(&house, Again::Made).await, [("guard", "ok")]);
        assert_eq!(house.shop.customizations().len(), 1);
    });
}
