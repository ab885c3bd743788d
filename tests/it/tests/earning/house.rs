//! Through the local shop: products and collections as it tells of them, orders as it places them.

use std::time::Duration;

use devshop::{NewCart, NewProduct, OrderEdit, PlaceOptions, RefundRequest, Settings, ShippingRefund};
use loyalnest::customers;
use loyalnest::db;
use loyalnest::ids::CustomerId;
use loyalnest::redemptions::catalogue::Refusal;
use loyalnest::redemptions::{self, lifecycle};
use loyalty::line::{Basis, Discounts, Tax};
use loyalty::multiplier::Selection;
use loyalty::order::{Until, Wait};
use loyalty::rule::Guests;
use loyalty::{Currency, Scope};

use super::multiplier;
use crate::support::house::House;
use crate::support::on_both_engines;
use crate::topics::events;

/// Waits until every shelf is read that the program names.
async fn shelves_are_read(house: &House, count: i64) {
    for _ in 0..600 {
        let mut read = house.app.db.read(house.shop_id).await.unwrap();
        let (kept,): (i64,) =
            db!(read.one, "select count(*) from products_shelves where shop_id = $1", house.shop_id).unwrap();
        if kept == count {
            return;
        }
        drop(read);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("shelves are not read in time");
}

/// Waits until a product stands on a shelf, or does no more.
async fn is_shelved(house: &House, product: u64, shelf: &str, wanted: bool) {
    for _ in 0..600 {
        let mut read = house.app.db.read(house.shop_id).await.unwrap();
        let (count,): (i64,) = db!(
            read.one,
            "select count(*) from products_shelved where shop_id = $1 and product_id = $2 and shelf = $3",
            house.shop_id,
            i64::try_from(product).unwrap(),
            shelf
        )
        .unwrap();
        if (count == 1) == wanted {
            return;
        }
        drop(read);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{product} on {shelf}: not {wanted} in time");
}

/// What a customer has after buying one of these.
async fn buys(house: &House, variant: u64, options: PlaceOptions) -> (u64, devshop::Order, i64) {
    let ada = house.customer(0).await;
    house.settle().await;
    let cart = house.shop.new_cart(NewCart::of(ada)).unwrap().token;
    house.shop.add_to_cart(&cart, variant, 1).unwrap();
    let order = house.shop.place_order(&cart, options).unwrap();
    house.settle().await;
    (ada, order, house.points(ada).await.0)
}

#[test]
fn products_collections_and_tags_earn_by_their_multipliers_as_they_were_when_the_order_came() {
    on_both_engines(async |test| {
        let house = House::open(test).await;
        let new = |name: &str, tags: &[&str]| {
            let tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
            house.shop.add_product(NewProduct { tags, ..NewProduct::simple(name, 10_000) })
        };
        let [lamp, shelf, sale, plain] =
            [new("Lamp", &[]), new("Shelf", &[]), new("Rug", &["Sale", "Wool"]), new("Vase", &["Sale rack"])];
        house.shop.set_collection(7, &[shelf.id]);
        let id = |product: &devshop::Product| i64::try_from(product.id).unwrap();
        house
            .set_program(|program| {
                program.earn.multipliers = vec![
                    multiplier("lamp", Selection::Products(vec![id(&lamp)]), 20_000),
                    multiplier("shelf", Selection::Collections(vec![7]), 30_000),
                    multiplier("sale", Selection::Tags(vec!["sale".into()]), 0),
                ];
            })
            .await;
        shelves_are_read(&house, 2).await;
        for (product, earned) in [(&lamp, 200), (&shelf, 300), (&sale, 0), (&plain, 100)] {
            let (_, _, points) = buys(&house, product.variants[0].id, PlaceOptions::default()).await;
            assert_eq!(points, earned, "{}", product.title);
        }

        // Bought while it was in the collection: that stays, whatever becomes of it, and of the rule.
        let (ada, order, points) = buys(&house, shelf.variants[0].id, PlaceOptions::default()).await;
        assert_eq!(points, 300);
        house.shop.set_collection(7, &[lamp.id]);
        house.settle().await;
        is_shelved(&house, shelf.id, "collection:7", false).await;
        is_shelved(&house, lamp.id, "collection:7", true).await;
        house.set_program(|program| program.earn.multipliers.retain(|rule| rule.id != "shelf")).await;
        let edit = OrderEdit { additions: vec![(plain.variants[0].id, 1)], ..OrderEdit::default() };
        house.shop.edit_order(order.id, &edit).unwrap();
        house.shop.pay(order.id).unwrap();
        house.settle().await;
        assert_eq!(house.points(ada).await, (400, 0, 0));
        let back = RefundRequest { lines: vec![(order.lines[0].id, 1)], ..RefundRequest::default() };
        house.shop.refund(order.id, &back).unwrap();
        house.settle().await;
        assert_eq!(house.points(ada).await, (100, 0, 0));

        // A tag that is taken off, and a product that gets it.
        house.shop.update_product(sale.id, |product| product.tags = vec!["Wool".into()]).unwrap();
        house.shop.update_product(plain.id, |product| product.tags = vec!["SALE".into()]).unwrap();
        house.settle().await;
        for (product, earned) in [(&sale, 100), (&plain, 0)] {
            let (_, _, points) = buys(&house, product.variants[0].id, PlaceOptions::default()).await;
            assert_eq!(points, earned, "{}", product.title);
        }
        house.is_sound().await;
    });
}

#[test]
fn what_was_in_no_collection_when_it_was_bought_is_in_none_when_more_of_it_is_added() {
    on_both_engines(async |test| {
        let house = House::open(test).await;
        let [lamp, vase] =
            ["Lamp", "Vase"].map(|name| house.shop.add_product(NewProduct::simple(name, 10_000)));
        house.shop.set_collection(7, &[vase.id]);
        house
            .set_program(|program| {
                program.earn.multipliers = vec![multiplier("shelf", Selection::Collections(vec![7]), 30_000)];
            })
            .await;
        shelves_are_read(&house, 1).await;
        let (ada, order, points) = buys(&house, lamp.variants[0].id, PlaceOptions::default()).await;
        assert_eq!(points, 100);
        house.shop.set_collection(7, &[vase.id, lamp.id]);
        house.settle().await;
        is_shelved(&house, lamp.id, "collection:7", true).await;
        let additions = vec![(lamp.variants[0].id, 1), (vase.variants[0].id, 1)];
        house.shop.edit_order(order.id, &OrderEdit { additions, ..OrderEdit::default() }).unwrap();
        house.shop.pay(order.id).unwrap();
        house.settle().await;
        assert_eq!(house.points(ada).await, (100 + 100 + 300, 0, 0));
        house.is_sound().await;
    });
}

#[test]
fn what_earned_nothing_when_it_was_added_earns_nothing_after_the_next_edit() {
    on_both_engines(async |test| {
        let house = House::open(test).await;
        let [lamp, vase, rug] =
            ["Lamp", "Vase", "Rug"].map(|name| house.shop.add_product(NewProduct::simple(name, 10_000)));
        house.shop.set_collection(7, &[lamp.id]);
        house
            .set_program(|program| {
                program.earn.multipliers = vec![multiplier("sale", Selection::Collections(vec![7]), 0)];
            })
            .await;
        shelves_are_read(&house, 1).await;
        let (ada, order, points) = buys(&house, vase.variants[0].id, PlaceOptions::default()).await;
        assert_eq!(points, 100);
        let adds = async |product: &devshop::Product| {
            let additions = vec![(product.variants[0].id, 1)];
            house.shop.edit_order(order.id, &OrderEdit { additions, ..OrderEdit::default() }).unwrap();
            house.shop.pay(order.id).unwrap();
            house.settle().await;
            house.points(ada).await
        };
        assert_eq!(adds(&lamp).await, (100, 0, 0), "it is in the sale");
        house.shop.set_collection(7, &[rug.id]);
        house.settle().await;
        is_shelved(&house, lamp.id, "collection:7", false).await;
        assert_eq!(adds(&vase).await, (200, 0, 0), "what is known of the lamp stays");
        house.is_sound().await;
    });
}

#[test]
fn tips_delivery_gift_cards_tax_and_discounts_count_as_the_program_says() {
    on_both_engines(async |test| {
        let settings = Settings { tax_included_bp: 2_000, ..Settings::default() };
        let house = House::in_shop(test, settings, &[]).await;
        let tipped = PlaceOptions { tip: 300, ..PlaceOptions::default() };
        // 10.00 for the mug and 4.95 for delivery, with a sixth of tax in them, and 3.00 on top.
        let all = Basis { shipping: true, gift_cards: true, tips: true, ..Basis::default() };
        for (basis, earned) in [
            (Basis::default(), 10),
            (Basis { shipping: true, ..Basis::default() }, 14),
            (Basis { tips: true, ..Basis::default() }, 13),
            (Basis { tax: Tax::Without, ..Basis::default() }, 8),
            (Basis { tax: Tax::With, ..Basis::default() }, 10),
            (all, 17),
        ] {
            house.set_program(|program| program.earn.basis = basis).await;
            let (_, _, points) = buys(&house, house.mug, tipped).await;
            assert_eq!(points, earned, "{basis:?}");
        }
        let (_, _, points) = buys(&house, house.card, PlaceOptions::default()).await;
        assert_eq!(points, 25, "a gift card, where they count");

        // Delivery comes back in parts, then all of it; what an edit reads again says the same.
        let (ada, order, points) = buys(&house, house.mug, tipped).await;
        assert_eq!(points, 17);
        let part = RefundRequest { shipping: ShippingRefund::Amount(295), ..RefundRequest::default() };
        house.shop.refund(order.id, &part).unwrap();
        house.settle().await;
        assert_eq!(house.points(ada).await, (15, 0, 0));
        let edit = OrderEdit { additions: vec![(house.mug, 1)], ..OrderEdit::default() };
        house.shop.edit_order(order.id, &edit).unwrap();
        house.shop.pay(order.id).unwrap();
        house.settle().await;
        assert_eq!(house.points(ada).await, (25, 0, 0));
        let rest = RefundRequest { shipping: ShippingRefund::Full, ..RefundRequest::default() };
        house.shop.refund(order.id, &rest).unwrap();
        house.settle().await;
        assert_eq!(house.points(ada).await, (23, 0, 0));
        house.is_sound().await;

        // 5.00 less for points, before and after.
        for (discounts, earned) in [(Discounts::After, 15), (Discounts::Before, 20)] {
            house.set_program(|program| program.earn.basis = Basis { discounts, ..Basis::default() }).await;
            let ada = house.customer(50).await;
            let mark = house.mark(ada, "points", Some(500)).await;
            house.place(&house.cart(ada, 2, Some(&mark)));
            house.settle().await;
            assert_eq!(house.points(ada).await, (earned, 0, 0), "{discounts:?}");
        }
        house.is_sound().await;
    });
}

#[test]
fn money_of_no_line_comes_back_of_what_was_paid_for_and_not_of_what_an_edit_added() {
    on_both_engines(async |test| {
        let house = House::open(test).await;
        let (ada, order, points) = buys(&house, house.mug, PlaceOptions::default()).await;
        assert_eq!(points, 10);
        house.shop.clock().advance(Duration::from_mins(1));
        // A gift card is added, which earns nothing, and is not paid for yet.
        let edit = OrderEdit { additions: vec![(house.card, 1)], ..OrderEdit::default() };
        house.shop.edit_order(order.id, &edit).unwrap();
        let kindness = RefundRequest { difference: 500, ..RefundRequest::default() };
        house.shop.refund(order.id, &kindness).unwrap();
        house.settle().await;
        assert_eq!(house.points(ada).await, (5, 0, 0));
        house.is_sound().await;
        // Of all that is left, once that was paid for: 5.00 are a seventh of 35.00.
        house.shop.pay(order.id).unwrap();
        house.settle().await;
        assert_eq!(house.points(ada).await, (8, 0, 0));
        house.is_sound().await;
    });
}

#[test]
fn points_wait_until_all_was_sent_off_where_the_program_says_so() {
    on_both_engines(async |test| {
        let house = House::open(test).await;
        house.set_program(|program| program.earn.wait = Wait { until: Until::Fulfilled, days: 0 }).await;
        let ada = house.customer(0).await;
        let order = house.place(&house.cart(ada, 3, None));
        house.settle().await;
        assert_eq!(house.points(ada).await, (0, 30, 0));
        // The wait is the order's own, whatever is set later.
        house.set_program(|program| program.earn.wait = Wait { until: Until::Fulfilled, days: 9 }).await;
        house.shop.fulfil_order(order.id).unwrap();
        house.settle().await;
        assert_eq!(house.points(ada).await, (30, 0, 0));
        house.is_sound().await;
    });
}

#[test]
fn what_a_guest_earns_waits_on_a_shadow_account_until_they_have_one() {
    on_both_engines(async |test| {
        let house = House::open(test).await;
        let ada = house.customer(0).await;
        house.settle().await;
        house.shop.update_customer(ada, |ada| ada.state = "disabled".into()).unwrap();
        house.place(&house.cart(ada, 50, None));
        house.settle().await;
        assert_eq!(house.account(ada)["points"], 500, "they see what waits for them");
        let member = {
            let customer = CustomerId(i64::try_from(ada).unwrap());
            customers::member(&mut house.app.db.read(house.shop_id).await.unwrap(), house.shop_id, customer)
                .await
        };
        let member = member.unwrap().unwrap();
        let pick = async || {
            let wish = lifecycle::Wish {
                reward: "five-off".into(),
                points: None,
                currency: Currency::parse("GBP").unwrap(),
                scope: Scope::Cart,
            };
            let mut tx = house.app.db.begin(house.shop_id).await.unwrap();
            let now = house.app.clock.now();
            lifecycle::open(&mut tx, house.shop_id, member, wish, now).await
        };
        assert!(matches!(pick().await, Err(redemptions::Error::Refused(Refusal::Unclaimed))));

        for _ in 0..2 {
            house.shop.update_customer(ada, |ada| ada.state = "enabled".into()).unwrap();
            house.settle().await;
        }
        assert!(pick().await.is_ok(), "not kept: the transaction is dropped");
        let claims = events(test, "customer.updated").await;
        let claims = claims.iter().filter(|event| event["change"] == "claimed").count();
        assert_eq!((claims, house.points(ada).await), (1, (500, 0, 0)));
        // An order from before, told late, does not make them a guest again.
        house.shop.update_customer(ada, |ada| ada.state = "invited".into()).unwrap();
        house.place(&house.cart(ada, 1, None));
        house.settle().await;
        assert!(pick().await.is_ok());

        // Who is signed in has an account, whatever Shopify told.
        let ben = house.customer(0).await;
        house.settle().await;
        house.shop.update_customer(ben, |ben| ben.state = "disabled".into()).unwrap();
        house.place(&house.cart(ben, 50, None));
        house.settle().await;
        assert_eq!(house.pick(ben, "five-off", None).await.0, 200);
        house.is_sound().await;
    });
}

#[test]
fn guests_earn_nothing_where_the_program_says_so_also_when_they_have_an_account_later() {
    on_both_engines(async |test| {
        let house = House::open(test).await;
        house.set_program(|program| program.earn.guests = Guests::EarnNothing).await;
        let ada = house.customer(0).await;
        house.settle().await;
        house.shop.update_customer(ada, |ada| ada.state = "disabled".into()).unwrap();
        let order = house.place(&house.cart(ada, 5, None));
        house.settle().await;
        house.shop.update_customer(ada, |ada| ada.state = "enabled".into()).unwrap();
        house.shop.fulfil_order(order.id).unwrap();
        house.settle().await;
        assert_eq!(house.points(ada).await, (0, 0, 0));
        house.place(&house.cart(ada, 5, None));
        house.settle().await;
        assert_eq!(house.points(ada).await, (50, 0, 0));
        house.is_sound().await;
    });
}
