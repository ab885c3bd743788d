//! What shoppers ask by their widgets, and staff by the admin.

use anyhow::Context;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request};
use devshop::Surface;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::{DOWN, Outcome, Trouble, World};
use crate::model::redemptions::Offer;
use crate::process::Died;

/// What a pound off costs, and a tenth off up to 20 pounds: within reach of somebody who has bought something.
pub(super) const POUND_OFF: i64 = 20;
pub(super) const TENTH_OFF: i64 = 60;
/// The shop's owner.
pub(super) const OWNER: u64 = 42;

impl World {
    /// A customer picks a reward.
    pub(super) fn pick(&mut self, (who, device): (usize, usize), steps: i64, percent: bool) -> Outcome {
        let who = who % self.customers.len();
        let customer = self.customers[who];
        let offer = match percent {
            true => Offer { reward: "tenth-off".into(), points: TENTH_OFF, off: 1_000, percent, cap: 2_000 },
            false => {
                let (points, off) = (steps * POUND_OFF, steps * 100);
                Offer { reward: "points".into(), points, off, percent, cap: i64::MAX }
            }
        };
        let expected = self.model.may_pick(customer, &offer);
        let points = (!percent).then_some(offer.points);
        let body = json!({"reward": offer.reward, "points": points, "currency": "GBP"});
        let asked = self.storefront(Method::POST, "/proxy/redemptions", customer, Some(body))?;
        let said = match asked {
            Err(Died) => {
                // Nobody heard what came of it: either nothing, or what was asked for.
                if expected.is_ok() {
                    self.adopt_pick(customer, &offer)?;
                }
                self.pass(DOWN);
                "died in it".into()
            }
            Ok((200 | 202, answer)) => {
                if let Err(code) = expected {
                    return Err(Trouble::Disagreement(format!("the pick stands; by the model it is {code}")));
                }
                let id = answer["id"].as_str().context("a pick has a number")?;
                self.model.picked(customer, &offer, id);
                match answer["mark"].as_str() {
                    Some(mark) => {
                        self.marks.insert((who, device), mark.to_owned());
                        "live"
                    }
                    None => "not shown yet",
                }
                .into()
            }
            Ok((status, answer)) => {
                let code = answer["code"].as_str().unwrap_or_default();
                if expected != Err(code) {
                    let text = format!("the pick is {status} {code}; by the model it is {expected:?}");
                    return Err(Trouble::Disagreement(text));
                }
                code.to_owned()
            }
        };
        self.observe()?;
        Ok(said)
    }

    /// A customer takes back what they picked.
    pub(super) fn take_back(&mut self, who: usize) -> Outcome {
        let who = who % self.customers.len();
        let customer = self.customers[who];
        let member = self.model.find_member(customer);
        let Some(id) = member.and_then(|member| self.model.standing(member)).map(|hold| hold.id.clone())
        else {
            return Ok("nothing is picked".into());
        };
        self.marks.retain(|(whose, _), _| *whose != who);
        let path = format!("/proxy/redemptions/{id}");
        match self.storefront(Method::DELETE, &path, customer, None)? {
            Err(Died) => {
                self.pass(DOWN);
                let again = self.storefront(Method::DELETE, &path, customer, None)?;
                again.map_err(|Died| Trouble::Violation("it died without a cause".into()))?;
            }
            Ok((200, _)) => {}
            Ok((status, answer)) => {
                return Err(Trouble::Disagreement(format!(
                    "taking back a pick is {status} {}",
                    answer["code"]
                )));
            }
        }
        self.model.cancelled(&id);
        self.observe()?;
        Ok(String::new())
    }

    /// A widget shows what the member has; the pick that stands lives on.
    pub(super) fn visit(&mut self, who: usize) -> Outcome {
        let customer = self.customers[who % self.customers.len()];
        let Ok((status, account)) = self.storefront(Method::GET, "/proxy/account", customer, None)? else {
            self.adopt_renewal(customer)?;
            return Ok(self.pass(DOWN) + "died in it");
        };
        let number = |name: &str| account[name].as_i64();
        let shown = (number("points"), number("pending"), number("held"));
        let (points, pending, held) = self.model.balance(customer);
        if (status, shown) != (200, (Some(points), Some(pending), Some(held))) {
            let text =
                format!("a widget shows {shown:?} ({status}); by the model {:?}", (points, pending, held));
            return Err(Trouble::Disagreement(text));
        }
        self.model.visited(customer);
        Ok(format!("{points} points"))
    }

    /// Staff adjust points; asked again under the same name, it is the same.
    pub(super) fn adjust(&mut self, who: usize, points: i64, twice: bool) -> Outcome {
        let customer = self.customers[who % self.customers.len()];
        let key = self.name("adjustment");
        let body = json!({"points": points, "reason": "goodwill"});
        let mut answers = Vec::new();
        for _ in 0..if twice { 2 } else { 1 } {
            match self.staff(customer, &key, &body)? {
                Ok(answer) => answers.push(answer),
                Err(Died) => {
                    self.pass(DOWN);
                    let again = self.staff(customer, &key, &body)?;
                    answers.push(again.map_err(|Died| Trouble::Violation("it died without a cause".into()))?);
                }
            }
        }
        let (status, answer) = &answers[0];
        let code = answer["code"].as_str().unwrap_or_default();
        let expected = self.model.adjust(customer, points);
        let (available, _, _) = self.model.balance(customer);
        let agrees = match expected {
            Ok(()) => *status == 200 && answer["available"] == available,
            Err(expected) => code == expected,
        };
        if !agrees || answers.iter().any(|other| other != &answers[0]) {
            let text =
                format!("adjustments are {answers:?}; by the model {expected:?} with {available} points");
            return Err(Trouble::Disagreement(text));
        }
        Ok(code.to_owned())
    }

    fn storefront(
        &mut self,
        method: Method,
        path: &str,
        customer: u64,
        body: Option<Value>,
    ) -> Result<Result<(u16, Value), Died>, Trouble> {
        let query = self.shop.signed_proxy_query(Some(customer), &[]);
        let request = Request::builder().method(method).uri(format!("{path}?{query}"));
        self.ask(request, body.as_ref())
    }

    fn staff(
        &mut self,
        customer: u64,
        key: &str,
        body: &Value,
    ) -> Result<Result<(u16, Value), Died>, Trouble> {
        let token = self.shop.session_token(Surface::Admin(OWNER));
        let request = Request::post(format!("/api/members/{customer}/adjustments"))
            .header("authorization", format!("Bearer {token}"))
            .header("idempotency-key", key);
        self.ask(request, Some(body))
    }

    pub(super) fn ask(
        &mut self,
        request: axum::http::request::Builder,
        body: Option<&Value>,
    ) -> Result<Result<(u16, Value), Died>, Trouble> {
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
