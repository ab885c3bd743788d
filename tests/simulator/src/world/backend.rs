//! Asking the backend for something, in which it may die.

use anyhow::Result;
use axum::body::{Body, to_bytes};
use axum::http::Method;
use axum::http::request::Builder;
use loyalnest::app::App;
use loyalnest::programs;
use serde_json::Value;
use tower::ServiceExt;

use super::{DOWN, Trouble, World, program};
use crate::process::Died;

/// What a request came to: its status and its answer; or nobody heard of it.
pub type Answer = Result<(u16, Value), Died>;

impl World {
    /// The backend does something. Where it dies in it, it is started again; time does not pass.
    pub fn backend<T>(&mut self, work: impl AsyncFnOnce(App) -> Result<T>) -> Result<Result<T, Died>> {
        let trip = self.trip.take();
        let app = self.process.app.clone();
        let done = self.process.run(trip, work(app))?;
        self.tell_the_time();
        if done.is_err() {
            self.restart()?;
        }
        Ok(done)
    }

    /// The same; where it dies in it, it does it again when it was down for a while, as whatever it has not finished.
    pub fn backend_again<T>(&mut self, work: impl AsyncFn(App) -> Result<T>) -> Result<(T, &'static str)> {
        if let Ok(done) = self.backend(&work)? {
            return Ok((done, ""));
        }
        self.pass(DOWN);
        let app = self.process.app.clone();
        Ok((self.process.finish(work(app))?, ", died in it, did it again"))
    }

    /// Kills the backend and starts it again.
    pub fn restart(&mut self) -> Result<()> {
        self.process.restart()
    }

    /// The program of the shop says what its model's rules say.
    pub fn set_rules(&mut self) -> Result<&'static str, Trouble> {
        let shop = self.here();
        program::set(&mut shop.program, &shop.model.rules, shop.variants[0])?;
        let (id, program) = (shop.id, shop.program.clone());
        let ((), died) = self.backend_again(async |app| {
            let mut tx = app.db.begin(id).await?;
            programs::set(&mut tx, id, program.clone(), app.clock.now()).await?;
            Ok(tx.commit().await?)
        })?;
        Ok(died)
    }

    /// A customer's widget asks, through Shopify.
    pub fn storefront(
        &mut self,
        method: Method,
        path: &str,
        customer: u64,
        body: Option<&Value>,
    ) -> Result<Answer, Trouble> {
        self.here().signed_in.insert(customer);
        let query = self.here().local.signed_proxy_query(Some(customer), &[]);
        let request = Builder::new().method(method).uri(format!("{path}?{query}"));
        self.ask(request, body)
    }

    /// Somebody asks the backend.
    pub fn ask(&mut self, request: Builder, body: Option<&Value>) -> Result<Answer, Trouble> {
        let body = body.map_or(Body::empty(), |body| Body::from(body.to_string()));
        let request =
            request.header("content-type", "application/json").body(body).map_err(anyhow::Error::from)?;
        let router = self.process.router.clone();
        let answered = self.backend(async |_| {
            let answer = router.oneshot(request).await?;
            let status = answer.status().as_u16();
            let body = to_bytes(answer.into_body(), usize::MAX).await?;
            Ok((status, serde_json::from_slice(&body).unwrap_or_default()))
        })?;
        Ok(answered)
    }
}
