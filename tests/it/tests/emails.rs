//! E-mail addresses of members: kept only where the merchant wants it, sealed, found by a blind index, and erased.

use axum::http::Method;
use devshop::StaffUser;
use jiff::SignedDuration;
use loyalnest::app::App;
use loyalnest::customers::emails;
use loyalnest::db::{CipherError, Resealed};
use loyalnest::merchants::set_up_due;
use loyalnest::privacy;
use serde_json::{Value, json};

use crate::privacy::places;
use crate::publications::Batch;
use crate::support::app::Answered;
use crate::support::{TestDb, on_both_engines};

const OWNER: u64 = 42;
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

impl Batch {
    async fn staff(&self, method: Method, path: &str, body: &Value) -> Answered {
        self.door.staff(OWNER, method, path, body).await
    }

    async fn switch(&self, on: bool) -> Value {
        self.door.advance(SignedDuration::from_secs(1));
        let body = json!({"keep_emails": on});
        self.staff(Method::PUT, "/api/privacy/settings", &body).await.json()
    }

    /// Switches the keeping on, and fetches.
    async fn keeps(&self) {
        self.switch(true).await;
        self.work().await;
    }

    /// Runs what is due until nothing is.
    async fn work(&self) {
        let app = &self.door.app;
        while app.tasks.run_due(app).await.unwrap() > 0 {}
        let dead = app.tasks.dead(None, 10).await.unwrap();
        assert!(dead.is_empty(), "{dead:?}");
    }

    async fn look_up(&self, email: &str) -> Answered {
        let url = reqwest::Url::parse_with_params("http://x/api/members", [("email", email)]).unwrap();
        self.staff(Method::GET, url.as_str().trim_start_matches("http://x"), &Value::Null).await
    }

    /// The customers with this address.
    async fn found(&self, email: &str) -> Vec<u64> {
        let found = self.look_up(email).await.json();
        let number = |member: &Value| devshop::parse_gid(member["customer"].as_str().unwrap()).unwrap().1;
        let mut found: Vec<u64> = found.as_array().unwrap().iter().map(number).collect();
        found.sort_unstable();
        found
    }

    fn set_email(&self, customer: u64, email: &str) {
        self.door.shop.update_customer(customer, |customer| customer.email = email.to_owned()).unwrap();
    }

    async fn told(&self, id: &str, topic: &str, customer: u64) {
        // As the app file has it cut down: no address.
        let body = json!({"id": customer, "state": "enabled", "updated_at": self.door.now(),
                          "customer": {"id": customer}, "orders_to_redact": [], "orders_requested": []});
        assert_eq!(self.door.webhook(id, topic, self.door.now(), &body).await, 200);
    }

    fn asked(&self) -> Vec<usize> {
        let calls = self.door.shop.admin_calls();
        let asked = calls.iter().filter(|call| call.operation == "CustomerEmails");
        asked.map(|call| call.variables["ids"].as_array().unwrap().len()).collect()
    }
}

async fn kept(test: &TestDb) -> i64 {
    let mut read = test.db.read_across().await.unwrap();
    let (count,): (i64,) = loyalnest::db!(read.one, "select count(*) from customers_emails").unwrap();
    count
}

#[test]
fn without_the_switch_no_address_is_asked_for_kept_or_looked_for() {
    on_both_engines(async |test| {
        let batch = Batch::of(test, 3).await;
        batch.told("u", "customers/update", batch.customers[0]).await;
        batch.work().await;
        assert_eq!((kept(test).await, batch.asked()), (0, vec![]));
        let settings = batch.staff(Method::GET, "/api/privacy/settings", &Value::Null).await.json();
        assert_eq!((&settings["keep_emails"], &settings["level"]), (&json!(false), &json!(1)));
        assert!(settings["meaning"].as_str().unwrap().contains("no e-mail address"), "{settings}");
        assert_eq!(batch.look_up("0@example.com").await.problem(), (409, "emails_not_kept".to_owned()));
    });
}

#[test]
fn switched_on_all_members_are_found_by_their_addresses_and_nobody_reads_them_in_the_database() {
    on_both_engines(async |test| {
        let batch = Batch::of(test, 130).await;
        let settings = batch.switch(true).await;
        assert_eq!((&settings["level"], &settings["problem"]), (&json!(2), &Value::Null));
        assert!(settings["meaning"].as_str().unwrap().contains("encrypted"), "{settings}");
        batch.work().await;
        assert_eq!((kept(test).await, batch.asked()), (130, vec![100, 30]));
        for written in ["7@example.com", " 7@EXAMPLE.com\t", "7@ｅｘａｍｐｌｅ.com"] {
            assert_eq!(batch.found(written).await, [batch.customers[7]], "{written}");
        }
        assert_eq!(batch.found("eve@example.com").await, [0; 0]);
        assert_eq!(places(test, "example.com").await.len(), 0, "sealed");

        let audit = batch.staff(Method::GET, "/api/audit", &Value::Null).await.body;
        let member = batch.members[7].to_string();
        assert!(audit.contains("members.looked_up") && audit.contains(&member), "{audit}");
        assert!(audit.contains("privacy.settings_changed") && !audit.contains("example.com"), "{audit}");
        // Nothing changes when it is switched on again.
        batch.keeps().await;
        assert_eq!(batch.asked().len(), 2);
    });
}

#[test]
fn what_is_no_address_is_refused_and_not_said_again() {
    on_both_engines(async |test| {
        let batch = Batch::of(test, 1).await;
        batch.keeps().await;
        let long = format!("{}@example.com", "a".repeat(320));
        for email in
            ["", "ada", "a\0@example.com", "a b@example.com", "@example.com", "ada@exam ple.com", &long]
        {
            let answered = batch.look_up(email).await;
            assert_eq!(answered.problem(), (400, "bad_email".to_owned()), "{email:?}");
            assert!(!answered.body.contains("example"), "{answered:?}");
        }
        for query in ["", "?mail=x@example.com", "?email=x@example.com&email=y@example.com"] {
            let answered = batch.staff(Method::GET, &format!("/api/members{query}"), &Value::Null).await;
            assert_eq!(answered.problem(), (400, "bad_parameter".to_owned()), "{query}");
            assert!(!answered.body.contains("x@example"), "{answered:?}");
        }
        for body in [json!({}), json!({"keep_emails": "yes"}), json!({"keep_emails": true, "more": 1})] {
            let answered = batch.staff(Method::PUT, "/api/privacy/settings", &body).await;
            assert!(answered.status.is_client_error(), "{answered:?}");
        }
    });
}

#[test]
fn an_address_follows_its_customer() {
    on_both_engines(async |test| {
        let batch = Batch::of(test, 4).await;
        let [ada, eve, bob, cy] = batch.customers[..] else { unreachable!() };
        batch.set_email(bob, "");
        batch.set_email(cy, "not an address");
        batch.keeps().await;
        assert_eq!(kept(test).await, 2, "whoever has none has none");

        // Two customers with one address, in two forms; and one whose address is taken away.
        batch.set_email(eve, "0@Example.com");
        batch.told("eve", "customers/update", eve).await;
        batch.work().await;
        assert_eq!(batch.found("0@example.com").await, [ada, eve]);
        assert_eq!(batch.found("1@example.com").await, [0; 0]);
        batch.set_email(eve, "");
        batch.told("eve again", "customers/update", eve).await;
        batch.work().await;
        assert_eq!((batch.found("0@example.com").await, kept(test).await), (vec![ada], 1));

        let new = batch.door.shop.add_customer("Dee", "D", "dee@bücher.example").id;
        batch.told("new", "customers/create", new).await;
        batch.work().await;
        assert_eq!(batch.found("dee@xn--bcher-kva.example").await, [new]);
    });
}

#[test]
fn whoever_is_deleted_merged_or_erased_leaves_no_address_and_an_export_shows_it() {
    on_both_engines(async |test| {
        let batch = Batch::of(test, 4).await;
        let [ada, eve, bob, cy] = batch.customers[..] else { unreachable!() };
        assert_eq!(set_up_due(&batch.door.app).await.unwrap(), 1);
        batch.keeps().await;
        batch.told("gone", "customers/delete", ada).await;
        let merge = json!({"admin_graphql_api_customer_kept_id": format!("gid://shopify/Customer/{bob}"), "status": "completed",
                           "admin_graphql_api_customer_deleted_id": format!("gid://shopify/Customer/{eve}")});
        assert_eq!(batch.door.webhook("merge", "customers/merge", batch.door.now(), &merge).await, 200);
        for (email, left) in [("0", vec![]), ("1", vec![]), ("2", vec![bob]), ("3", vec![cy])] {
            assert_eq!(batch.found(&format!("{email}@example.com")).await, left, "{email}");
        }

        batch.told("ask", "customers/data_request", cy).await;
        batch.work().await;
        let mut read = test.db.read(batch.shop.id).await.unwrap();
        let request = privacy::requests(&mut read, batch.shop.id, 1).await.unwrap().remove(0).request_id;
        drop(read);
        let document = privacy::document(&batch.door.app, batch.shop.id, request).await.unwrap().unwrap();
        let document: Value = serde_json::from_slice(&document).unwrap();
        assert_eq!(document["email"], "3@example.com");
        assert_eq!(document["held_here"]["customers_emails"]["rows"].as_array().unwrap().len(), 1);

        batch.told("erase", "customers/redact", cy).await;
        batch.work().await;
        assert_eq!((batch.found("3@example.com").await, kept(test).await), (vec![], 1));
        // Whoever was asked for before they were erased is not kept after.
        batch.told("late", "customers/update", cy).await;
        batch.work().await;
        assert_eq!(kept(test).await, 1);
    });
}

#[test]
fn where_shopify_shows_no_addresses_that_is_said_and_is_no_failure() {
    on_both_engines(async |test| {
        let batch = Batch::of(test, 130).await;
        batch.door.shop.hide_from_admin("Customer.defaultEmailAddress", true);
        batch.keeps().await;
        assert_eq!((kept(test).await, batch.asked().len()), (0, 1), "the others are not asked for");
        let settings = async || batch.staff(Method::GET, "/api/privacy/settings", &Value::Null).await.json();
        let problem = settings().await["problem"].clone();
        assert!(problem.as_str().unwrap().contains("not approved"), "{problem}");

        batch.door.shop.hide_from_admin("Customer.defaultEmailAddress", false);
        batch.switch(false).await;
        batch.keeps().await;
        assert_eq!((settings().await["problem"].clone(), kept(test).await), (Value::Null, 130));
        // What is known stays known while it is not shown.
        batch.door.shop.hide_from_admin("Customer.defaultEmailAddress", true);
        batch.told("u", "customers/update", batch.customers[0]).await;
        batch.work().await;
        assert_eq!(kept(test).await, 130);
        assert!(settings().await["problem"].is_string());
    });
}

#[test]
fn switched_off_everything_is_erased_and_what_was_under_way_writes_nothing() {
    on_both_engines(async |test| {
        let batch = Batch::of(test, 3).await;
        batch.keeps().await;
        batch.told("u", "customers/update", batch.customers[0]).await;
        batch.switch(false).await;
        assert_eq!(
            batch.look_up("0@example.com").await.problem(),
            (409, "emails_not_kept".to_owned()),
            "at once"
        );
        batch.work().await;
        assert_eq!((kept(test).await, batch.asked().len()), (0, 1), "and the update asks for nothing");

        // To and fro before any task ran: the last switch counts, and is followed once.
        for on in [true, false, true] {
            batch.switch(on).await;
        }
        batch.work().await;
        assert_eq!((kept(test).await, batch.asked().len()), (3, 2));
        for on in [false, true, false] {
            batch.switch(on).await;
        }
        batch.work().await;
        assert_eq!((kept(test).await, batch.asked().len()), (0, 2));
    });
}

#[test]
fn a_shop_that_cannot_be_asked_is_asked_again() {
    on_both_engines(async |test| {
        let batch = Batch::of(test, 130).await;
        batch.switch(true).await;
        let down = devshop::AdminFault::before(devshop::AdminFaultKind::Status(403));
        batch.door.shop.fail_operation("CustomerEmails", down);
        batch.work().await;
        assert_eq!(kept(test).await, 0);
        batch.door.advance(MINUTE);
        batch.work().await;
        assert_eq!(kept(test).await, 130);
    });
}

#[test]
fn addresses_are_sealed_anew_when_the_key_changes_and_one_that_is_lost_is_said() {
    on_both_engines(async |test| {
        let batch = Batch::of(test, 3).await;
        batch.keeps().await;
        let (old, new) = ("5a".repeat(32), "6b".repeat(32));
        let both =
            [("LOYALNEST_ENCRYPTION_KEY", new.as_str()), ("LOYALNEST_ENCRYPTION_KEYS_OLD", old.as_str())];
        let both = batch.door.process_with(test, &both).await;
        let only_new = batch.door.process_with(test, &[("LOYALNEST_ENCRYPTION_KEY", &new)]).await;
        let found = async |app: &App| {
            let mut read = app.db.read(batch.shop.id).await.unwrap();
            emails::find(&mut read, &app.cipher, batch.shop.id, "1@example.com").await.unwrap().unwrap().len()
        };
        assert_eq!((found(&both).await, found(&only_new).await), (1, 0));

        let reseal = async |app: &App| emails::reseal(&app.db, &app.cipher).await.unwrap();
        assert_eq!(reseal(&only_new).await, Resealed { done: 0, lost: 3 });
        let mut read = test.db.read(batch.shop.id).await.unwrap();
        let lost =
            emails::of_member(&mut read, &only_new.cipher, batch.shop.id, batch.members[1]).await.unwrap();
        assert_eq!(lost, Some(Err(CipherError)));
        drop(read);
        assert_eq!(reseal(&both).await, Resealed { done: 3, lost: 0 });
        assert_eq!(reseal(&both).await, Resealed::default());
        assert_eq!((found(&both).await, found(&only_new).await), (1, 1));
        assert_eq!(found(&batch.door.app).await, 0, "the old key alone finds nothing any more");
        // Whatever key sealed them, they can be erased.
        batch.switch(false).await;
        batch.work().await;
        assert_eq!(kept(test).await, 0);
    });
}

#[test]
fn only_who_may_manage_the_shop_switches_and_only_who_may_edit_looks_for_people() {
    on_both_engines(async |test| {
        let batch = Batch::of(test, 1).await;
        batch.keeps().await;
        let viewer = StaffUser::some().iter().map(|user| user.id).find(|id| *id != OWNER).unwrap();
        let role = json!({"role": "viewer"});
        let path = format!("/api/staff/{viewer}/role");
        assert!(
            batch
                .door
                .me(&batch.door.shop.session_token(devshop::Surface::Admin(viewer)))
                .await
                .status
                .is_success()
        );
        assert!(batch.staff(Method::PUT, &path, &role).await.status.is_success());
        let ask = async |method, path: &str, body: &Value| batch.door.staff(viewer, method, path, body).await;
        let put = ask(Method::PUT, "/api/privacy/settings", &json!({"keep_emails": false})).await;
        assert_eq!(put.problem().0, 403);
        let look = ask(Method::GET, "/api/members?email=0@example.com", &Value::Null).await;
        assert_eq!(look.problem().0, 403);
        assert!(ask(Method::GET, "/api/privacy/settings", &Value::Null).await.status.is_success());
    });
}
