//! A shop at whose counter staff serve members: the local shop, the backend behind it, and a program to be changed.

use axum::body::Body;
use axum::http::{Method, Request};
use devshop::Surface;
use loyalnest::ids::{CustomerId, MemberId, ShopId};
use loyalnest::points;
use loyalnest::{customers, merchants, programs, proof};
use loyalty::Program;
use serde_json::Value;

use super::TestDb;
use super::app::Answered;
use super::door::{Door, SHOP, send};

/// The owner.
pub const OWNER: u64 = 42;
/// Another member of staff.
pub const CLERK: u64 = 43;

pub struct Counter {
    pub door: Door,
    pub id: ShopId,
}

impl Counter {
    pub async fn open(test: &TestDb) -> Counter {
        let door = Door::new(test).await;
        for user in [OWNER, CLERK] {
            door.staff(user, Method::GET, "/api/me", &Value::Null).await.json();
        }
        merchants::set_up_due(&door.app).await.unwrap();
        let id = door.app.shops.find_by_domain(&SHOP.parse().unwrap()).await.unwrap().unwrap().id;
        Counter { door, id }
    }

    /// Changes the program from now on.
    pub async fn set_program(&self, change: impl FnOnce(&mut Program)) {
        let mut tx = self.door.app.db.begin(self.id).await.unwrap();
        let mut program = programs::current(&mut tx, self.id).await.unwrap().program;
        change(&mut program);
        programs::set(&mut tx, self.id, program, self.door.now()).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// A customer of this number, who is a member.
    pub async fn member(&self, customer: i64) -> MemberId {
        let mut tx = self.door.app.db.begin(self.id).await.unwrap();
        let number = CustomerId(customer);
        let members = customers::enrol(&mut tx, self.id, &[number], self.door.now()).await.unwrap();
        tx.commit().await.unwrap();
        members[&number]
    }

    /// Available, pending, held.
    pub async fn points(&self, customer: i64) -> (i64, i64, i64) {
        let member = self.member(customer).await;
        let mut read = self.door.app.db.read(self.id).await.unwrap();
        let balance = points::balance(&mut read, self.id, member, self.door.now()).await.unwrap();
        (balance.available.get(), balance.pending.get(), balance.held.get())
    }

    /// What the owner sends, under a key.
    pub async fn post(&self, path: &str, key: &str, body: &Value) -> Answered {
        self.post_as(OWNER, path, key, body).await
    }

    pub async fn post_as(&self, user: u64, path: &str, key: &str, body: &Value) -> Answered {
        send(&self.door.app, self.request(user, path, key, body)).await
    }

    pub fn request(&self, user: u64, path: &str, key: &str, body: &Value) -> Request<Body> {
        let token = self.door.shop.session_token(Surface::Admin(user));
        Request::post(path)
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .header("idempotency-key", key)
            .body(Body::from(body.to_string()))
            .unwrap()
    }

    /// What a customer sends through the app proxy.
    pub async fn proxy(&self, customer: i64, method: Method, path: &str, body: &Value) -> Answered {
        let query = self.door.shop.signed_proxy_query(Some(customer.unsigned_abs()), &[]);
        let request = Request::builder()
            .method(method)
            .uri(format!("{path}?{query}"))
            .header("content-type", "application/json")
            .body(Body::from(body.to_string()))
            .unwrap();
        send(&self.door.app, request).await
    }

    pub async fn get(&self, path: &str) -> Value {
        self.door.staff(OWNER, Method::GET, path, &Value::Null).await.json()
    }

    /// The actions in the audit log, newest first.
    pub async fn log(&self) -> Vec<Value> {
        self.get("/api/audit").await["entries"].as_array().unwrap().clone()
    }

    /// Every invariant holds.
    pub async fn is_sound(&self) {
        let mut read = self.door.app.db.read(self.id).await.unwrap();
        let all = proof::violations(&mut read, self.id).await.unwrap();
        let broken: Vec<_> = all.into_iter().filter(|(_, count)| *count != 0).collect();
        assert!(broken.is_empty(), "{broken:?}");
    }
}
