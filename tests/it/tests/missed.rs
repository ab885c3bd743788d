//! Orders that Shopify told of while nobody listened, until it gave up.

use axum::body::Body;
use axum::http::Request;
use devshop::{
    AdminFault, AdminFaultKind, BucketSettings, CombinesWith, DiscountClass, Event, Freshness, NewCart,
    NewDiscount, NewProduct, Order, OrderEdit, PlaceOptions, RefundRequest, Settings, ShippingRefund,
    Surface, Switches,
};
use jiff::SignedDuration;
use loyalnest::db;
use loyalnest::db::Timestamp;
use loyalnest::ids::{CustomerId, ShopId};
use loyalnest::orders::catch_up::CatchUp;
use loyalnest::{orders, programs, proof, sync, tasks};
use serde_json::{Value, json};

use crate::support::door::{Door, SHOP};
use crate::support::house::built;
use crate::support::{TestDb, on_both_engines};

const LATER: SignedDuration = SignedDuration::from_mins(20);

/// A shop whose webhooks nobody takes, unless a test brings them.
struct Scene<'a> {
    test: &'a TestDb,
    door: Door,
    shop: ShopId,
    mug: u64,
}

impl<'a> Scene<'a> {
    async fn open(test: &'a TestDb) -> Scene<'a> {
        Scene::of(test, Settings::default()).await
    }

    async fn of(test: &'a TestDb, settings: Settings) -> Scene<'a> {
        // So much is asked for that Shopify would let a quick machine wait.
        let bucket = BucketSettings { capacity: 100_000, restore_rate: 10_000 };
        let door = Door::of(test, Settings { bucket, ..settings }).await;
        door.shop.install(built("points-redemption"));
        let classes = vec![DiscountClass::Product, DiscountClass::Order, DiscountClass::Shipping];
        let (title, function_handle) = ("Loyalty points".into(), "points-redemption".into());
        let combines_with = CombinesWith::ALL;
        door.shop.add_discount(NewDiscount { title, function_handle, classes, combines_with }).unwrap();
        let mug = door.shop.add_product(NewProduct::simple("Mug", 1000)).variants[0].id;
        let mut scene = Scene { test, door, shop: ShopId(uuid::Uuid::nil()), mug };
        scene.install().await;
        scene
    }

    async fn install(&mut self) {
        let token = self.door.shop.session_token(Surface::Admin(devshop::StaffUser::some()[0].id));
        assert!(self.door.me(&token).await.status.is_success());
        let shop = self.door.app.shops.find_by_domain(&SHOP.parse().unwrap()).await.unwrap().unwrap();
        programs::publish(&self.door.app, &shop).await.unwrap();
        self.shop = shop.id;
        self.door.app.tasks.run_due(&self.door.app).await.unwrap();
    }

    fn customer(&self) -> u64 {
        self.door.shop.add_customer("Ada", "Byron", "ada@example.com").id
    }

    /// An order of so many mugs; a second later than the last.
    fn place(&self, customer: u64, mugs: u32, mark: Option<&str>, options: PlaceOptions) -> Order {
        self.door.advance(SignedDuration::from_secs(1));
        let cart = self.door.shop.new_cart(NewCart::of(customer)).unwrap().token;
        self.door.shop.add_to_cart(&cart, self.mug, mugs).unwrap();
        self.door.shop.set_cart_attribute(&cart, "_loyalty", mark).unwrap();
        self.door.shop.place_order(&cart, options).unwrap()
    }

    fn buys(&self, customer: u64, mugs: u32) -> Order {
        self.place(customer, mugs, None, PlaceOptions::default())
    }

    /// Brings these webhooks of those that wait; all others are given up.
    async fn bring(&self, is_brought: impl Fn(&Event) -> bool) {
        for delivery in self.door.shop.webhooks().take() {
            if is_brought(&delivery.event) {
                let mut request = Request::post("/webhooks");
                for (name, value) in self.door.shop.webhooks().headers(&delivery) {
                    request = request.header(name, value);
                }
                let request = request.body(Body::from(delivery.body.to_vec())).unwrap();
                assert!(self.door.send(request).await.status.is_success());
            }
        }
        self.work().await;
    }

    async fn work(&self) {
        self.door.app.inbox.drain_until_idle().await.unwrap();
        while sync::publish_due(&self.door.app).await.unwrap() > 0 {}
    }

    /// Time passes, and what has changed is looked through.
    async fn look(&self) {
        self.door.advance(LATER);
        self.look_now().await;
        self.work().await;
    }

    async fn look_now(&self) {
        let (app, now) = (&self.door.app, self.door.now());
        let mut tx = app.db.begin(self.shop).await.unwrap();
        let order = tasks::Order::new(now.to_string());
        tasks::push(&mut tx, self.shop, &CatchUp {}, order, now).await.unwrap();
        tx.commit().await.unwrap();
        app.tasks.run_due(app).await.unwrap();
    }

    /// How many orders were asked for because nobody had told of them.
    async fn missed(&self) -> i64 {
        let mut read = self.test.db.read_across().await.unwrap();
        let (count,): (i64,) =
            db!(read.one, "select count(*) from inbox_messages where topic = 'orders/missed'").unwrap();
        count
    }

    /// The ledger's points: to spend, waiting, held.
    async fn points(&self, customer: u64) -> (i64, i64, i64) {
        let mut read = self.test.db.read_across().await.unwrap();
        let found: Option<(i64, i64, i64)> = db!(
            read.optional,
            "select a.available, a.pending, a.held from customers_members m
             join points_accounts a on a.shop_id = m.shop_id and a.member_id = coalesce(m.merged_into, m.member_id)
             where m.shop_id = $1 and m.customer_id = $2",
            self.shop,
            customer as i64
        )
        .unwrap();
        found.unwrap_or_default()
    }

    fn shown(&self, customer: u64) -> Value {
        let metafield = self.door.shop.metafield(&devshop::gid("Customer", customer), "$app", "account");
        metafield.map_or(Value::Null, |metafield| serde_json::from_str(&metafield.value).unwrap())
    }

    /// A pick that is live, and its mark.
    async fn mark(&self, customer: u64, points: i64) -> String {
        let query = self.door.shop.signed_proxy_query(Some(customer), &[]);
        let body = json!({"reward": "points", "points": points, "currency": "GBP"});
        let request = Request::post(format!("/proxy/redemptions?{query}"));
        let request = request.header("content-type", "application/json");
        let answer = self.door.send(request.body(Body::from(body.to_string())).unwrap()).await;
        assert_eq!(answer.json()["state"], "live", "{:?}", answer.body);
        answer.json()["mark"].as_str().unwrap().to_owned()
    }

    /// How holds stand, and the points that they captured.
    async fn holds(&self) -> Vec<(String, i64)> {
        let mut read = self.test.db.read_across().await.unwrap();
        db!(
            read.all,
            "select state, coalesce(captured, 0) from redemptions_holds where shop_id = $1",
            self.shop
        )
        .unwrap()
    }

    async fn is_sound(&self) {
        let mut read = self.test.db.read_across().await.unwrap();
        let all = proof::violations(&mut read, self.shop).await.unwrap();
        let broken: Vec<_> = all.into_iter().filter(|(_, count)| *count != 0).collect();
        assert!(broken.is_empty(), "{broken:?}");
        assert_eq!(self.door.app.inbox.dead(self.shop).await.unwrap(), 0);
    }
}

#[test]
fn what_nobody_was_told_of_is_booked_captured_and_shown_and_asked_for_once() {
    on_both_engines(async |test| {
        let scene = Scene::open(test).await;
        let ada = scene.customer();
        scene.buys(ada, 80);
        scene.look_now().await;
        assert_eq!(scene.missed().await, 0, "its webhook may be on its way");
        scene.look().await;
        assert_eq!((scene.points(ada).await, scene.missed().await), ((800, 0, 0), 1));

        let mark = scene.mark(ada, 500).await;
        let order = scene.place(ada, 4, Some(&mark), PlaceOptions::default());
        // 40.00 less 5.00 were paid.
        scene.look().await;
        assert_eq!(scene.points(ada).await, (335, 0, 0));
        assert_eq!(scene.holds().await, [("captured".to_owned(), 500)]);
        assert_eq!(scene.shown(ada)["points"], 335);
        assert_eq!(scene.shown(ada)["hold"], Value::Null);

        let one = RefundRequest { lines: vec![(order.lines[0].id, 1)], ..RefundRequest::default() };
        scene.door.shop.refund(order.id, &one).unwrap();
        scene.look().await;
        // A quarter of 35.00 is 8.75: 26 of 35 points stay, and a quarter of 500 comes back.
        assert_eq!((scene.points(ada).await, scene.missed().await), ((300 + 26 + 125, 0, 0), 3));
        scene.look().await;
        assert_eq!(scene.missed().await, 3, "nothing is asked for twice");

        // What comes after all is no news.
        scene.bring(|_| true).await;
        assert_eq!(scene.points(ada).await, (300 + 26 + 125, 0, 0));
        scene.is_sound().await;
    });
}

#[test]
fn an_order_that_is_read_is_what_its_webhooks_would_have_told() {
    on_both_engines(async |test| {
        let scene = Scene::open(test).await;
        let (ada, ben) = (scene.customer(), scene.customer());
        let both = |options: PlaceOptions| [ada, ben].map(|who| scene.place(who, 3, None, options));
        // What is given on top earns nothing.
        let tipped = both(PlaceOptions { tip: 700, ..PlaceOptions::default() });
        let edited = both(PlaceOptions::default());
        let cancelled = both(PlaceOptions::default());
        let refunded = both(PlaceOptions::default());
        let kindness = both(PlaceOptions::default());
        let unpaid = both(PlaceOptions { payment: devshop::Payment::Later, ..PlaceOptions::default() });
        for at in 0..2 {
            let edit = OrderEdit { quantities: vec![(edited[at].lines[0].id, 1)], ..OrderEdit::default() };
            scene.door.shop.edit_order(edited[at].id, &edit).unwrap();
            scene.door.shop.cancel(cancelled[at].id, "customer").unwrap();
            let lines = vec![(refunded[at].lines[0].id, 2)];
            let refund = RefundRequest { lines, shipping: ShippingRefund::Full, ..RefundRequest::default() };
            scene.door.shop.refund(refunded[at].id, &refund).unwrap();
            // Money of no line.
            let refund = RefundRequest { difference: 900, ..RefundRequest::default() };
            scene.door.shop.refund(kindness[at].id, &refund).unwrap();
        }
        // Of Ada's orders everything is told, of Ben's nothing.
        let bens: Vec<u64> = [&tipped, &edited, &cancelled, &refunded, &kindness, &unpaid]
            .iter()
            .map(|both| both[1].id)
            .collect();
        let is_told = |event: &Event| {
            let payload = &event.payload;
            let order = [&payload["id"], &payload["order_id"], &payload["order_edit"]["order_id"]];
            !order.iter().any(|id| id.as_u64().is_some_and(|id| bens.contains(&id)))
        };
        scene.bring(is_told).await;
        scene.look().await;
        assert_eq!(scene.missed().await, 6);
        assert_eq!(scene.points(ada).await, (30 + 10 + 10 + 21, 30, 0));
        assert_eq!(scene.points(ben).await, scene.points(ada).await);
        scene.is_sound().await;
    });
}

#[test]
fn a_change_that_nobody_was_told_of_is_found_where_the_order_is_known() {
    on_both_engines(async |test| {
        let scene = Scene::open(test).await;
        let ada = scene.customer();
        let order = scene.buys(ada, 3);
        scene.bring(|event| event.topic == "orders/create").await;
        scene.look().await;
        assert_eq!((scene.points(ada).await, scene.missed().await), ((30, 0, 0), 0), "it was told of");
        scene.door.shop.cancel(order.id, "customer").unwrap();
        scene.bring(|_| false).await;
        scene.look().await;
        assert_eq!((scene.points(ada).await, scene.missed().await), ((0, 0, 0), 1));
        scene.is_sound().await;
    });
}

#[test]
fn what_changed_while_the_app_was_out_is_found_however_long_that_was() {
    on_both_engines(async |test| {
        let mut scene = Scene::open(test).await;
        let ada = scene.customer();
        let order = scene.buys(ada, 3);
        scene.bring(|event| event.topic == "orders/create").await;
        assert_eq!(scene.points(ada).await, (30, 0, 0));
        scene.door.webhook("gone", "app/uninstalled", scene.door.now(), &json!({})).await;
        scene.work().await;
        scene.door.advance(LATER);
        scene.door.shop.cancel(order.id, "customer").unwrap();
        let unknown = scene.buys(ada, 5);
        scene.bring(|_| false).await;
        scene.door.advance(SignedDuration::from_hours(24 * 20));
        scene.install().await;
        scene.door.shop.fulfil_order(unknown.id).unwrap();
        scene.bring(|_| false).await;
        // Nobody has looked through this shop before; its first order says from when on.
        scene.look().await;
        assert_eq!(scene.points(ada).await, (0, 0, 0));
        scene.is_sound().await;
    });
}

#[test]
fn test_orders_orders_from_before_the_app_and_deleted_ones_are_not_taken_on() {
    on_both_engines(async |test| {
        let door = Door::new(test).await;
        let mug = door.shop.add_product(NewProduct::simple("Mug", 1000)).variants[0].id;
        let mut scene = Scene { test, door, shop: ShopId(uuid::Uuid::nil()), mug };
        let ada = scene.customer();
        let old = scene.buys(ada, 2);
        scene.door.advance(SignedDuration::from_hours(1));
        scene.install().await;
        scene.place(ada, 5, None, PlaceOptions { test: true, ..PlaceOptions::default() });
        let gone = scene.buys(ada, 7);
        scene.door.shop.fulfil_order(old.id).unwrap();
        scene.door.advance(LATER);
        scene.look_now().await;
        // Both were to be read, and one is not there any more.
        scene.door.shop.delete_order(gone.id);
        scene.work().await;
        assert_eq!((scene.points(ada).await, scene.missed().await), ((0, 0, 0), 2));
        scene.is_sound().await;
    });
}

#[test]
fn nothing_leads_to_an_erased_customer_again() {
    on_both_engines(async |test| {
        let scene = Scene::open(test).await;
        let ada = scene.customer();
        let order = scene.buys(ada, 3);
        scene.bring(|event| event.topic == "orders/create").await;
        let mut tx = scene.door.app.db.begin(scene.shop).await.unwrap();
        orders::redact(&mut tx, scene.shop, CustomerId(ada as i64)).await.unwrap();
        tx.commit().await.unwrap();
        let one = RefundRequest { lines: vec![(order.lines[0].id, 1)], ..RefundRequest::default() };
        scene.door.advance(LATER);
        scene.door.shop.refund(order.id, &one).unwrap();
        scene.look().await;
        assert_eq!((scene.points(ada).await, scene.missed().await), ((20, 0, 0), 1));
        let mut read = test.db.read_across().await.unwrap();
        let known: Vec<(Option<i64>, bool)> =
            db!(read.all, "select customer_id, erased from orders_orders where shop_id = $1", scene.shop)
                .unwrap();
        assert_eq!(known, [(None, true)]);
    });
}

#[test]
fn many_are_asked_for_page_by_page_and_a_page_that_fails_is_asked_for_again() {
    on_both_engines(async |test| {
        let door = Door::new(test).await;
        let mug = door.shop.add_product(NewProduct::simple("Mug", 1000)).variants[0].id;
        let mut scene = Scene { test, door, shop: ShopId(uuid::Uuid::nil()), mug };
        scene.install().await;
        let ada = scene.customer();
        for _ in 0..260 {
            scene.buys(ada, 1);
        }
        scene.door.advance(LATER);
        scene.look_now().await;
        assert_eq!(scene.missed().await, 250);
        scene.door.shop.fail_operation("OrdersChanged", AdminFault::before(AdminFaultKind::Status(403)));
        scene.door.advance(SignedDuration::from_mins(1));
        let app = &scene.door.app;
        app.tasks.run_due(app).await.unwrap();
        assert_eq!(scene.missed().await, 250, "it failed");
        scene.door.advance(SignedDuration::from_mins(10));
        app.tasks.run_due(app).await.unwrap();
        assert_eq!(scene.missed().await, 260);
        let mut read = test.db.read_across().await.unwrap();
        let (until,): (Timestamp,) =
            db!(read.one, "select looked_until from orders_catch_up where shop_id = $1", scene.shop).unwrap();
        assert!(until < scene.door.now() - SignedDuration::from_mins(15));
    });
}

#[test]
fn what_a_list_does_not_show_yet_is_found_when_it_does() {
    on_both_engines(async |test| {
        let switches = Switches { order_search: Freshness::StaleFor(1_800), ..Switches::default() };
        let scene = Scene::of(test, Settings { switches, ..Settings::default() }).await;
        let ada = scene.customer();
        scene.buys(ada, 3);
        scene.look().await;
        assert_eq!(scene.points(ada).await, (0, 0, 0));
        scene.look().await;
        assert_eq!(scene.points(ada).await, (30, 0, 0));
    });
}

#[test]
fn a_shop_is_not_asked_that_is_behind_or_refuses_us_or_is_gone() {
    on_both_engines(async |test| {
        let scene = Scene::open(test).await;
        let (shop, now) = (scene.shop, scene.door.now());
        let asked = || {
            let calls = scene.door.shop.admin_calls();
            calls.iter().filter(|call| call.operation == "OrdersChanged").count()
        };
        scene.look().await;
        assert_eq!(asked(), 1);

        let mut tx = test.db.begin_outside().await.unwrap();
        db!(tx.execute, "insert into inbox_behind (shop_id, since) values ($1, $2)", shop, now).unwrap();
        tx.commit().await.unwrap();
        scene.look().await;
        assert_eq!(asked(), 1);
        scene.door.app.inbox.watch().await.unwrap();
        scene.look().await;
        assert_eq!(asked(), 2, "it has caught up");

        let mut tx = test.db.begin(shop).await.unwrap();
        let until = scene.door.now() + SignedDuration::from_hours(1);
        db!(
            tx.execute,
            "update merchants_shops set token_refused_until = $2 where shop_id = $1",
            shop,
            until
        )
        .unwrap();
        tx.commit().await.unwrap();
        let another = scene.door.another_process(test).await;
        another.tasks.run_due(&another).await.unwrap();
        let scene = Scene { door: Door { app: another, shop: scene.door.shop.clone() }, ..scene };
        scene.look().await;
        assert_eq!(asked(), 2);

        scene.door.webhook("gone", "app/uninstalled", scene.door.now(), &json!({})).await;
        scene.look().await;
        assert_eq!(asked(), 2);
    });
}
