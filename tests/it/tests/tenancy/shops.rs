//! The two shops, what there is of each, and what a look at the whole database says of one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use devshop::{Function, NewProduct, Surface};
use loyalnest::db;
use loyalnest::db::{Db, Table};
use loyalnest::ids::{CustomerId, ShopId};
use loyalnest::support::{self, Wish};
use loyalnest::{chores, customers, merchants, programs, redemptions, sync};
use loyalty::multiplier::{Factor, Multiplier, Selection};
use loyalty::reward::Benefit;
use loyalty::{Currency, Points, Program, Referrals, Reward};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use uuid::Uuid;

use crate::support::TestDb;
use crate::support::door::{Door, SHOP, send};
use crate::support::orders::{Order, refund};

/// What Shopify numbers alike in both shops.
pub const PRODUCT: i64 = 5;
pub const COLLECTION: i64 = 4;
pub const OPERATION: i64 = 6;
pub const PLAN: i64 = 7;

/// A shop with something of everything.
pub struct Side {
    pub door: Door,
    domain: &'static str,
    pub id: ShopId,
    /// A customer with points, and an order of theirs.
    pub customer: u64,
    member: Uuid,
    pub order: i64,
    /// What they picked.
    pub hold: String,
    /// A session of support.
    pub session: Uuid,
    /// A privacy request, and the task that settled it.
    pub request: Uuid,
    pub task: Uuid,
    /// Its group.
    pub group: String,
    /// A run in bulk that is under way.
    pub run: Uuid,
    /// What they hand on, and by which they were sent: staff are to look at it.
    pub code: String,
    pub referral: Uuid,
}

pub fn wish() -> Value {
    json!({"reward": "points", "points": 100, "currency": "GBP"})
}

/// Settings whose rules name a collection and a tag.
pub fn program() -> Program {
    let mut program = Program::standard(Currency::parse("GBP").unwrap());
    program.earn.multipliers =
        [Selection::Collections(vec![COLLECTION]), Selection::Tags(vec!["tea".into()])]
            .into_iter()
            .zip(["collection", "tag"])
            .map(|(of, id)| Multiplier { id: id.into(), of, factor: Factor(20_000) })
            .collect();
    let credit = Benefit::StoreCredit { value: [(program.currency, 100)].into() };
    let points = Points::new(10).unwrap();
    program.referrals = Some(Referrals {
        advocate: points,
        friend: points,
        min: 0,
        days: 30,
        wait_days: 0,
        limit: None,
        review_from: Some(1),
        landing: "/".into(),
    });
    let standard = program.rewards[0].clone();
    program.rewards.push(Reward { id: "credit".into(), points, benefit: credit, ..standard });
    program
}

/// Under which key each shop's staff gave points.
pub const KEY: &str = "the-same-in-both";

/// The id of what each shop pays out.
pub const PAYOUT: &str = "0197d0a0-0000-7000-8000-000000000001";

pub fn payout() -> Value {
    json!({"id": PAYOUT, "reward": "credit", "currency": "GBP"})
}

/// What the same till of each shop did.
pub fn queue(order: i64, customer: u64) -> Value {
    let at = "2026-11-23T12:00:00Z";
    json!({"device": "till", "operations": [
        {"sequence": 1, "at": at, "kind": "earn", "order": order, "customer": customer}]})
}

pub fn by_hand() -> Value {
    json!({"points": 5, "reason": "goodwill"})
}

/// Every topic that the app subscribes to.
pub fn topics() -> Vec<String> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let app: toml::Table = std::fs::read_to_string(root.join("shopify.app.toml")).unwrap().parse().unwrap();
    let subscriptions = app["webhooks"]["subscriptions"].as_array().unwrap().iter();
    let of_both = subscriptions.flat_map(|one| ["topics", "compliance_topics"].map(|list| one.get(list)));
    let lists = of_both.flatten().map(|list| list.as_array().unwrap());
    lists.flatten().map(|topic| topic.as_str().unwrap().to_owned()).collect()
}

/// Two shops on one database. Everything is settled in both.
pub async fn two(test: &TestDb) -> (Side, Side) {
    let door = Door::new(test).await;
    let beside = door.beside(test, "tea.myshopify.com", "Tea & Co").await;
    let own = Side::open(test, door, SHOP, 7_100_001).await;
    let other = Side::open(test, beside, "tea.myshopify.com", 8_200_001).await;
    (own, other)
}

impl Side {
    async fn open(test: &TestDb, door: Door, domain: &'static str, order: i64) -> Side {
        let schema = include_str!("../../../devshop/discount.graphql");
        let idle = |_: &str, _: &Value| json!({"operations": []});
        door.shop.install(Function::new("points-redemption", schema, &[], Arc::new(idle)).unwrap());
        let staff = if domain == SHOP { [42, 43] } else { [42, 44] };
        for user in staff {
            door.staff(user, Method::GET, "/api/me", &Value::Null).await.json();
        }
        let customer = door.shop.add_customer("Ada", "Byron", "ada@example.com").id;
        let shop = door.app.shops.find_by_domain(&domain.parse().unwrap()).await.unwrap().unwrap();
        let mut side = Side {
            door,
            domain,
            id: shop.id,
            customer,
            member: Uuid::nil(),
            order,
            hold: String::new(),
            session: Uuid::nil(),
            request: Uuid::nil(),
            task: Uuid::nil(),
            group: String::new(),
            run: Uuid::now_v7(),
            code: String::new(),
            referral: Uuid::nil(),
        };
        side.work().await;
        side.fill(test).await;
        let wish = Wish { operator: "Grace".into(), reason: "ticket 7".into(), minutes: 60, may_write: true };
        side.session = support::open(&side.door.app, &shop, wish).await.unwrap().0.session_id;
        side.work().await;
        let mut read = test.db.read(side.id).await.unwrap();
        let number = CustomerId(side.customer as i64);
        side.member = customers::member(&mut read, side.id, number).await.unwrap().unwrap().0;
        (side.request, side.task) = db!(
            read.one,
            "select r.request_id, t.task_id from privacy_requests r join tasks t on t.shop_id = r.shop_id
             where r.shop_id = $1 and r.state = 'done' and t.kind = 'privacy.settle'",
            side.id
        )
        .unwrap();
        drop(read);
        side.run_in_bulk(test).await;
        side
    }

    /// A bulk operation that is under way.
    async fn run_in_bulk(&self, test: &TestDb) {
        let mut tx = test.db.begin(self.id).await.unwrap();
        db!(
            tx.execute,
            "insert into bulk_runs (shop_id, run_id, purpose, state, attempt, sent_at, operation_id, position, lines, odd,
                 asked_at)
             values ($1, $2, 'reconcile', 'running', 1, $3, $4, 0, 0, 0, $3)",
            self.id,
            self.run,
            self.door.now(),
            format!("gid://shopify/BulkOperation/{OPERATION}").as_str()
        )
        .unwrap();
        tx.commit().await.unwrap();
    }

    /// Webhooks of every room, what staff set, what a customer picks.
    async fn fill(&mut self, test: &TestDb) {
        let product =
            self.door.shop.add_product(NewProduct { tags: vec!["tea".into()], ..NewProduct::default() });
        self.door.shop.set_collection(COLLECTION as u64, &[product.id]);
        let mut tx = test.db.begin(self.id).await.unwrap();
        programs::set(&mut tx, self.id, program(), self.door.now()).await.unwrap();
        tx.commit().await.unwrap();
        let (at, customer) = (self.door.now().to_string(), self.customer);
        let told = [
            ("orders/create", Order::new(self.order, customer as i64).payload()),
            ("orders/create", Order::new(self.order + 1, customer as i64).payload()),
            ("refunds/create", refund(9_001, self.order, &[(self.order * 10 + 1, 1, "25.00")])),
            ("products/update", json!({"id": PRODUCT, "title": self.domain, "updated_at": at})),
            (
                "bulk_operations/finish",
                json!({"admin_graphql_api_id": format!("gid://shopify/BulkOperation/{OPERATION}"),
                       "type": "query", "status": "completed", "completed_at": at}),
            ),
            (
                "app_subscriptions/update",
                json!({"app_subscription": {
                    "admin_graphql_api_id": format!("gid://shopify/AppSubscription/{PLAN}"), "name": "Basic",
                    "status": "ACTIVE", "plan_handle": "basic", "updated_at": at}}),
            ),
            (
                "customers/data_request",
                json!({"customer": {"id": customer}, "orders_requested": [self.order]}),
            ),
        ];
        for (number, (topic, body)) in told.iter().enumerate() {
            self.tell(&format!("filled {number}"), topic, body).await;
        }
        for (method, path, body) in [
            (Method::PUT, "/api/languages", json!({"languages": ["de"]})),
            (Method::POST, "/api/group", Value::Null),
            (Method::POST, "/api/group/invitations", Value::Null),
            (Method::POST, "/api/activation", Value::Null),
            (Method::PUT, "/api/rewards/points/stock", json!({"stock": 5})),
            (Method::POST, "/api/pos/queue", queue(self.order, customer)),
            (Method::POST, "/api/rfm/refresh", Value::Null),
        ] {
            self.door.staff(42, method, path, &body).await.json();
        }
        let path = format!("/api/members/{customer}/adjustments");
        let request = Request::post(path)
            .header("authorization", format!("Bearer {}", self.owner()))
            .header("content-type", "application/json")
            .header("idempotency-key", KEY)
            .body(Body::from(by_hand().to_string()))
            .unwrap();
        send(&self.door.app, request).await.json();
        let group = self.door.staff(42, Method::GET, "/api/group", &Value::Null).await.json();
        self.group = group["id"].as_str().unwrap().to_owned();
        let query = self.door.shop.signed_proxy_query(Some(customer), &[]);
        let request = |path: &str, body: Value| {
            let request = Request::post(format!("{path}?{query}")).header("content-type", "application/json");
            request.body(Body::from(body.to_string())).unwrap()
        };
        send(&self.door.app, request("/proxy/payouts", payout())).await.json();
        let request = request("/proxy/redemptions", wish());
        self.hold = send(&self.door.app, request).await.json()["id"].as_str().unwrap().to_owned();
        self.send_a_friend().await;
    }

    /// The customer sends somebody, at whom staff are to look.
    async fn send_a_friend(&mut self) {
        let query = self.door.shop.signed_proxy_query(Some(self.customer), &[]);
        let request = Request::get(format!("/proxy/referral?{query}")).body(Body::empty()).unwrap();
        self.code = send(&self.door.app, request).await.json()["code"].as_str().unwrap().to_owned();
        let friend = self.door.shop.add_customer("Bob", "Babbage", "bob@example.com").id;
        let query = self.door.shop.signed_proxy_query(Some(friend), &[]);
        let request = Request::post(format!("/proxy/referrals?{query}"))
            .header("content-type", "application/json")
            .body(Body::from(json!({"code": self.code}).to_string()))
            .unwrap();
        assert_eq!(send(&self.door.app, request).await.json()["state"], "review");
        let all = self.door.staff(42, Method::GET, "/api/referrals", &Value::Null).await.json();
        self.referral = all["referrals"][0]["id"].as_str().unwrap().parse().unwrap();
    }

    /// A session token of the shop's owner.
    pub fn owner(&self) -> String {
        self.door.shop.session_token(Surface::Admin(42))
    }

    /// A session token of the customer, in the checkout.
    pub fn shopper(&self) -> String {
        self.door.shop.session_token(Surface::Checkout(Some(self.customer)))
    }

    /// A webhook of this shop, worked off.
    pub async fn tell(&self, id: &str, topic: &str, body: &Value) {
        let (app, body) = (&self.door.app, body.to_string());
        let request = Request::post("/webhooks")
            .header("x-shopify-topic", topic)
            .header("x-shopify-hmac-sha256", app.signer.sign_webhook(body.as_bytes()))
            .header("x-shopify-shop-domain", self.domain)
            .header("x-shopify-webhook-id", id)
            .header("x-shopify-triggered-at", self.door.now().to_string())
            .body(Body::from(body))
            .unwrap();
        assert_eq!(send(app, request).await.status, StatusCode::OK, "{topic}");
        app.inbox.drain_until_idle().await.unwrap();
    }

    /// Everything that comes round, until nothing is left that is due.
    pub async fn work(&self) {
        let app = &self.door.app;
        for _ in 0..3 {
            app.inbox.drain_until_idle().await.unwrap();
            merchants::set_up_due(app).await.unwrap();
            merchants::refresh_dormant(app).await.unwrap();
            app.tasks.run_due(app).await.unwrap();
            redemptions::jobs::advance_due(&app.db, &app.clock).await.unwrap();
            redemptions::jobs::tag_flagged(app).await.unwrap();
            sync::publish_due(app).await.unwrap();
            app.events.deliver_due().await.unwrap();
            app.inbox.watch().await.unwrap();
        }
    }
}

/// A task of every kind for one shop, with what is the other's.
pub async fn push_every_kind(test: &TestDb, own: &Side, other: &Side) {
    let tasks: Vec<(Uuid, &str, String)> = chores::kinds()
        .iter()
        .map(|kind| {
            let payload = match kind.name() {
                "redemptions.pay" => json!({"payout": PAYOUT}),
                "privacy.settle" => json!({"request": other.request}),
                "activation.stand" => json!({"again": true}),
                "customers.keep_emails" => json!({"members": [other.member]}),
                "customers.keep_all_emails" => json!({"switched_at": other.door.now(), "after": Uuid::nil()}),
                "customers.erase_emails" => json!({"switched_at": other.door.now()}),
                "bulk.start" | "bulk.look" => json!({"run": other.run, "attempt": 1, "turn": 1}),
                "products.read_catalogue" => json!({"after": null, "pages": 0}),
                "products.read_shelf" => json!({"shelf": format!("collection:{COLLECTION}")}),
                "bulk.read" => json!({"run": other.run, "attempt": 1}),
                "rfm.label" => json!({"refresh": Uuid::nil(), "after": Uuid::nil()}),
                "rfm.mark" => json!({"since": other.door.now(), "after": Uuid::nil()}),
                "sync.reconcile_rest" => json!({"run": other.run}),
                "sync.reconcile"
                | "points.expire"
                | "customers.birthdays"
                | "referrals.lapse"
                | "redemptions.resume_payouts"
                | "orders.post_ripe"
                | "orders.catch_up"
                | "products.read_shelves"
                | "merchants.refresh_tokens"
                | "events.forget"
                | "inbox.clean_up"
                | "tasks.forget"
                | "privacy.forget"
                | "activation.look"
                | "rfm.refresh"
                | "rfm.compare"
                | "proof.nightly" => json!({}),
                kind => panic!("each kind of task has a case here: {kind}"),
            };
            (Uuid::now_v7(), kind.name(), payload.to_string())
        })
        .collect();
    let (shop, now) = (own.id, own.door.now());
    let mut tx = test.db.begin(shop).await.unwrap();
    db!(tx.each tasks,
        sqlite: "insert into tasks (shop_id, task_id, kind, key, payload, priority, run_at, due_at, state, created_at)
                 values ($1, $2, $3, 'as the other', $4, 0, $5, $5, 'ready', $5)",
        postgres: "insert into tasks (shop_id, task_id, kind, key, payload, priority, run_at, due_at, state, created_at)
                   select shop, task, kind, 'as the other', payload::jsonb, 0, at, at, 'ready', at
                   from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::timestamptz[])
                       v (shop, task, kind, payload, at)",
        |task| shop, task.0, task.1, task.2.as_str(), now)
    .unwrap();
    tx.commit().await.unwrap();
}

/// Every row of a shop in every table, as text. Read past every wall.
pub async fn rows(test: &TestDb, shop: ShopId) -> BTreeMap<&'static str, Vec<String>> {
    let mut superuser = match &test.db {
        Db::Sqlite { .. } => None,
        Db::Postgres(_) => Some(PgConnection::connect(&test.url).await.unwrap()),
    };
    let mut all = BTreeMap::new();
    for table in Table::all().into_iter().filter(|table| table.is_a_shops()) {
        let name = table.name;
        let rows: Vec<(String,)> = match (&test.db, &mut superuser) {
            (Db::Sqlite { writer, .. }, _) => {
                let columns: Vec<_> =
                    table.columns.iter().map(|(name, _)| format!("quote({name})")).collect();
                let sql = format!(
                    "select {} from {name} where shop_id = $1 order by 1",
                    columns.join(" || ' ' || ")
                );
                sqlx::query_as(AssertSqlSafe(sql)).bind(shop).fetch_all(writer).await.unwrap()
            }
            (_, Some(superuser)) => {
                let sql = format!("select t::text from {name} t where shop_id = $1 order by 1");
                sqlx::query_as(AssertSqlSafe(sql)).bind(shop).fetch_all(superuser).await.unwrap()
            }
            (_, None) => unreachable!(),
        };
        if !rows.is_empty() {
            all.insert(name, rows.into_iter().map(|(row,)| row).collect());
        }
    }
    all
}

/// What only the other shop has: its names and numbers, and every id in its rows.
pub async fn secrets(test: &TestDb, own: &Side, other: &Side) -> BTreeSet<String> {
    let named =
        [other.domain.to_owned(), "Tea & Co".to_owned(), other.customer.to_string(), other.order.to_string()];
    let own = ids(test, own.id).await;
    named.into_iter().chain(ids(test, other.id).await.difference(&own).cloned()).collect()
}

async fn ids(test: &TestDb, shop: ShopId) -> BTreeSet<String> {
    let mut read = test.db.read(shop).await.unwrap();
    let mut ids = BTreeSet::from([shop.to_string()]);
    for table in Table::all().into_iter().filter(|table| table.is_a_shops()) {
        for row in table.dump(&mut read, shop, ("shop_id", &shop), 10_000).await.unwrap() {
            let texts = row.as_object().unwrap().values().filter_map(Value::as_str);
            ids.extend(texts.filter(|text| text.parse::<Uuid>().is_ok()).map(str::to_owned));
        }
    }
    ids
}
