//! The shop's staff, and the online tokens that the app gets for them: a token of one member of staff, for a day.

use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{Grants, TokenCall};
use crate::shop::DevShop;

/// How long an online token lives; Shopify says one second less than a day.
const ONLINE: SignedDuration = SignedDuration::from_secs(86_399);

/// Someone who works in the shop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaffUser {
    /// Their number.
    pub id: u64,
    /// Whether the shop is theirs.
    pub account_owner: bool,
    /// Whether they work for a partner of the shop.
    pub collaborator: bool,
    /// The language they read.
    pub locale: String,
}

impl StaffUser {
    /// A member of staff like any other.
    pub fn new(id: u64) -> Self {
        Self { id, account_owner: false, collaborator: false, locale: "en".into() }
    }

    /// 42 owns the shop; 43 and 44 work in it, 45 for a partner.
    pub fn some() -> Vec<StaffUser> {
        let of = |id| StaffUser { account_owner: id == 42, collaborator: id == 45, ..StaffUser::new(id) };
        let mut all = [42, 43, 44, 45].map(of);
        all[1].locale = "de".into();
        all[2].locale = "fr-CA".into();
        all.into()
    }

    fn shown(&self) -> Value {
        json!({"id": self.id, "first_name": format!("First{}", self.id), "last_name": format!("Last{}", self.id),
               "email": format!("staff{}@shop.example", self.id), "email_verified": true,
               "account_owner": self.account_owner, "locale": self.locale, "collaborator": self.collaborator})
    }
}

/// Who works here, and how the next calls for their tokens are answered.
#[derive(Default)]
pub(crate) struct Staff {
    users: BTreeMap<u64, StaffUser>,
    faults: VecDeque<u16>,
    delay: Duration,
    calls: Vec<TokenCall>,
}

impl Staff {
    pub fn new(users: &[StaffUser]) -> Self {
        let users = users.iter().map(|user| (user.id, user.clone())).collect();
        Self { users, ..Self::default() }
    }
}

/// The answer to a call for an online token by whoever these claims name.
pub(super) async fn online(
    shop: &DevShop,
    claims: Option<&Value>,
    now: Timestamp,
) -> Result<Value, (u16, &'static str)> {
    let delay = shop.staff().delay;
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    let fault = shop.staff().faults.pop_front();
    let answer = match fault {
        Some(status) => Err((status, "temporarily_unavailable")),
        None => grant(shop, claims, now),
    };
    let status = answer.as_ref().map_or_else(|(status, _)| *status, |_| 200);
    shop.staff().calls.push(TokenCall { grant: "online", status });
    answer
}

fn grant(shop: &DevShop, claims: Option<&Value>, now: Timestamp) -> Result<Value, (u16, &'static str)> {
    let named = claims.and_then(|claims| claims["sub"].as_str()?.parse::<u64>().ok());
    let user = named.and_then(|id| shop.staff().users.get(&id).cloned());
    let user = user.ok_or((400, "invalid_subject_token"))?;
    let mut grants = shop.grants();
    let access_token = grants.online(now + ONLINE);
    Ok(json!({"access_token": access_token, "scope": grants.scopes, "expires_in": ONLINE.as_secs(),
              "associated_user_scope": grants.scopes, "associated_user": user.shown()}))
}

impl Grants {
    fn online(&mut self, until: Timestamp) -> String {
        let access_token = format!("shpua_{}", self.ids.token());
        self.access.insert(access_token.clone(), until);
        access_token
    }
}

impl DevShop {
    /// Someone begins to work here, or is from now on what this says. There is one owner: a new one replaces the old.
    pub fn employ(&self, user: StaffUser) {
        let mut staff = self.staff();
        if user.account_owner {
            staff.users.values_mut().for_each(|other| other.account_owner = false);
        }
        staff.users.insert(user.id, user);
    }

    /// Someone works here no more: no online token is granted for them.
    pub fn dismiss(&self, user: u64) {
        self.staff().users.remove(&user);
    }

    /// The next calls for an online token fail with this status, as when the platform is down.
    pub fn fail_online_tokens(&self, statuses: impl IntoIterator<Item = u16>) {
        self.staff().faults.extend(statuses);
    }

    /// Calls for an online token take this long from now on.
    pub fn slow_online_tokens(&self, delay: Duration) {
        self.staff().delay = delay;
    }

    /// Every call for an online token, oldest first.
    pub fn online_calls(&self) -> Vec<TokenCall> {
        self.staff().calls.clone()
    }
}
