//! What orders earn by the rules that a merchant sets: what counts, multipliers, caps, and how long points wait.

use std::time::Duration;

use devshop::{NewCart, NewProduct, OrderEdit, PlaceOptions, RefundRequest, Settings, ShippingRefund};
use jiff::SignedDuration;
use loyalnest::db;
use loyalnest::db::{Db, Timestamp};
use loyalnest::ids::{CustomerId, ShopId};
use loyalnest::orders::{self, Incoming, payload};
use loyalnest::redemptions::{self, lifecycle};
use loyalnest::{customers, points, programs};
use loyalty::line::{Basis, Discounts, Tax};
use loyalty::multiplier::{Factor, Multiplier, Selection};
use loyalty::order::{Until, Wait};
use loyalty::rule::{EarnRule, Guests};
use loyalty::{Currency, Points, Program, Scope};
use serde_json::json;
use uuid::Uuid;

use crate::support::house::House;
use crate::support::on_both_engines;
use crate::support::orders::{Order, refund};
use crate::topics::events;

const ADA: i64 = 101;

/// What a shop has told, booked without its webhooks, at a time of the test's choice.
struct Books<'a> {
    db: &'a Db,
    shop: ShopId,
    now: Timestamp,
}

impl<'a> Books<'a> {
    /// One point for a pound, but for what is changed.
    async fn open(db: &'a Db, change: impl FnOnce(&mut EarnRule)) -> Books<'a> {
        let now = "2026-11-22T12:00:00Z".parse().unwrap();
        let books = Books { db, shop: ShopId(Uuid::now_v7()), now };
        books.change(change).await;
        books
    }

    /// Changes the rules from the next order on.
    async fn change(&self, change: impl FnOnce(&mut EarnRule)) {
        let mut tx = self.db.begin(self.shop).await.unwrap();
        let mut program = match programs::current(&mut tx, self.shop).await {
            Ok(current) => current.program,
            Err(_) => Program::standard(Currency::parse("GBP").unwrap()),
        };
        change(&mut program.earn);
        programs::set(&mut tx, self.shop, program, self.now).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn take(&self, incoming: Incoming) {
        let mut tx = self.db.begin(self.shop).await.unwrap();
        orders::process(&mut tx, self.shop, vec![incoming], self.now).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn order(&self, order: &Order) {
        let order = payload::order(order.payload().to_string().as_bytes()).unwrap().unwrap();
        self.take(Incoming::Order { order: Box::new(order), metafield: None, opens: true }).await;
    }

    async fn refund(&self, id: i64, order: i64, lines: &[(i64, i64, &str)]) {
        let body = refund(id, order, lines).to_string();
        self.take(Incoming::Refund(payload::refund(body.as_bytes()).unwrap())).await;
    }

    /// Posts what has waited long enough, and says of how many orders.
    async fn post_ripe(&self) -> usize {
        orders::jobs::post_ripe(self.db, self.shop, self.now).await.unwrap()
    }

    /// Available, pending.
    async fn points(&self, customer: i64) -> (i64, i64) {
        let mut read = self.db.read(self.shop).await.unwrap();
        let member = customers::member(&mut read, self.shop, CustomerId(customer)).await.unwrap().unwrap();
        let balance = points::balance(&mut read, self.shop, member, self.now).await.unwrap();
        (balance.available.get(), balance.pending.get())
    }

    async fn is_sound(&self) {
        let mut read = self.db.read(self.shop).await.unwrap();
        let mut all = points::invariants::violations(&mut read, self.shop).await.unwrap();
        all.extend(orders::invariants::violations(&mut read, self.shop).await.unwrap());
        let broken: Vec<_> = all.into_iter().filter(|(_, count)| *count != 0).collect();
        assert!(broken.is_empty(), "{broken:?}");
    }
}

fn at(id: i64, time: &str) -> Order {
    Order { placed_at: time.into(), updated_at: time.into(), ..Order::new(id, ADA) }
}

fn later(order: &Order, change: impl FnOnce(&mut Order)) -> Order {
    let mut order = Order { updated_at: "2026-11-23T11:00:00Z".into(), ..order.clone() };
    change(&mut order);
    order
}

fn points_of(value: i64) -> Option<Points> {
    Points::new(value).ok()
}

fn multiplier(id: &str, of: Selection, factor: i64) -> Multiplier {
    Multiplier { id: id.into(), of, factor: Factor(factor) }
}

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
fn an_order_and_a_day_of_the_shop_earn_no_more_than_their_caps() {
    on_both_engines(async |test| {
        let books = Books::open(&test.db, |earn| {
            earn.order_cap = points_of(80);
            earn.day_cap = points_of(120);
        })
        .await;
        books.order(&at(1, "2026-11-22T10:00:00Z")).await;
        assert_eq!(books.points(ADA).await.0, 80, "of 100");
        books.order(&at(2, "2026-11-22T23:59:59Z")).await;
        assert_eq!(books.points(ADA).await.0, 120, "what the day has left");
        books.order(&at(3, "2026-11-22T23:59:59Z")).await;
        assert_eq!(books.points(ADA).await.0, 120);
        books.order(&at(4, "2026-11-23T00:00:00Z")).await;
        assert_eq!(books.points(ADA).await.0, 200, "another day");
        books.is_sound().await;

        // What was let through is fixed: half of the second order leaves 50 of 100, which its 40 lie below.
        books.refund(7, 2, &[(21, 2, "50.00")]).await;
        assert_eq!(books.points(ADA).await.0, 200);
        books.refund(8, 2, &[(22, 1, "50.00")]).await;
        assert_eq!(books.points(ADA).await.0, 160, "nothing of its 40 is left");
        // Nor does a cap that is lifted later give more to what came before.
        books.change(|earn| (earn.order_cap, earn.day_cap) = (None, None)).await;
        books.order(&later(&at(1, "2026-11-22T10:00:00Z"), |_| ())).await;
        assert_eq!(books.points(ADA).await.0, 160);
        books.is_sound().await;
    });
}

#[test]
fn orders_of_one_batch_share_the_day() {
    on_both_engines(async |test| {
        let books = Books::open(&test.db, |earn| earn.day_cap = points_of(150)).await;
        let told = |id| {
            let body = at(id, "2026-11-22T10:00:00Z").payload().to_string();
            let order = Box::new(payload::order(body.as_bytes()).unwrap().unwrap());
            Incoming::Order { order, metafield: None, opens: true }
        };
        let mut tx = books.db.begin(books.shop).await.unwrap();
        let batch = (1..=4).map(told).collect();
        orders::process(&mut tx, books.shop, batch, books.now).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(books.points(ADA).await, (150, 0));
        books.is_sound().await;
    });
}

#[test]
fn points_wait_until_the_time_for_returns_is_over_and_are_posted_once() {
    on_both_engines(async |test| {
        let mut books = Books::open(&test.db, |earn| earn.wait = Wait { until: Until::Paid, days: 14 }).await;
        let order = at(1, "2026-11-22T10:00:00Z");
        books.order(&order).await;
        assert_eq!(books.points(ADA).await, (0, 100));
        books.refund(7, 1, &[(11, 1, "25.00")]).await;
        assert_eq!(books.points(ADA).await, (0, 75));
        books.now = "2026-12-06T09:59:59Z".parse().unwrap();
        assert_eq!((books.post_ripe().await, books.points(ADA).await), (0, (0, 75)));
        books.now = "2026-12-06T10:00:00Z".parse().unwrap();
        assert_eq!((books.post_ripe().await, books.points(ADA).await), (1, (75, 0)));
        assert_eq!((books.post_ripe().await, books.points(ADA).await), (0, (75, 0)), "once");
        books.order(&later(&order, |_| ())).await;
        books.refund(8, 1, &[(12, 1, "50.00")]).await;
        assert_eq!(books.points(ADA).await, (25, 0), "and what comes back later is taken back");
        books.is_sound().await;

        // Without a word from the clock: the next webhook finds them ripe as well.
        books.order(&Order { customer: Some(102), ..at(2, "2026-11-01T10:00:00Z") }).await;
        assert_eq!(books.points(102).await, (100, 0));
        // One that is called off never ripens.
        let third = Order { customer: Some(103), ..at(3, "2026-12-06T10:00:00Z") };
        books.order(&third).await;
        books.order(&Order { updated_at: "2026-12-07T10:00:00Z".into(), cancelled: true, ..third }).await;
        books.now = books.now + SignedDuration::from_hours(24 * 30);
        assert_eq!((books.post_ripe().await, books.points(103).await), (0, (0, 0)));
        books.is_sound().await;
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
fn an_order_that_gets_its_customer_later_is_booked_then() {
    on_both_engines(async |test| {
        let books = Books::open(&test.db, |_| ()).await;
        let order = at(1, "2026-11-22T10:00:00Z");
        books.order(&Order { customer: None, ..order.clone() }).await;
        books.refund(7, 1, &[(11, 1, "25.00")]).await;
        books.order(&later(&order, |_| ())).await;
        assert_eq!(books.points(ADA).await, (75, 0));
        books.is_sound().await;
    });
}

#[test]
fn the_same_refund_told_twice_at_once_takes_back_once() {
    on_both_engines(async |test| {
        let books = Books::open(&test.db, |_| ()).await;
        books.order(&at(1, "2026-11-22T10:00:00Z")).await;
        let twice = || books.refund(7, 1, &[(11, 1, "25.00")]);
        tokio::join!(twice(), twice(), twice());
        assert_eq!(books.points(ADA).await, (75, 0));
        // More than the order, a line that it does not have, and another currency.
        books.refund(8, 1, &[(12, 9, "9000.00"), (99, 1, "10.00")]).await;
        assert_eq!(books.points(ADA).await, (25, 0));
        let mut dollars = refund(9, 1, &[(11, 1, "25.00")]);
        dollars["refund_line_items"][0]["subtotal_set"]["shop_money"] =
            json!({"amount": "25.00", "currency_code": "USD"});
        books.take(Incoming::Refund(payload::refund(dollars.to_string().as_bytes()).unwrap())).await;
        assert_eq!(
            books.points(ADA).await,
            (0, 0),
            "both units are back, whatever they are said to be worth"
        );
        books.is_sound().await;
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
        assert!(matches!(pick().await, Err(redemptions::Error::Unclaimed)));

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
