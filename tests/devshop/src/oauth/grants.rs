//! The tokens the shop gave the app, and what became of them.

use std::collections::{BTreeMap, VecDeque};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::ids::Ids;

/// How long an expiring access token lives.
const ACCESS: SignedDuration = SignedDuration::from_hours(1);
/// How long its refresh token lives: 90 days.
const REFRESH: SignedDuration = SignedDuration::from_hours(90 * 24);
/// How long a code may be redeemed.
const CODE: SignedDuration = SignedDuration::from_mins(1);

/// One call for a token, as it was answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TokenCall {
    /// `token_exchange`, `refresh_token` or `authorization_code`; `online` for a token of staff.
    pub grant: &'static str,
    /// The HTTP status.
    pub status: u16,
}

/// A pair of tokens, as the app gets it.
pub(crate) struct Pair {
    pub access_token: String,
    pub refresh_token: String,
    pub expires_in: i64,
    pub refresh_token_expires_in: i64,
}

struct Refresh {
    expires_at: Timestamp,
    /// The pair that was made from this one: when its refresh token is first used, this one ends.
    predecessor: Option<String>,
}

pub(crate) struct Grants {
    pub(super) ids: Ids,
    installed: bool,
    pub scopes: String,
    pub(super) access: BTreeMap<String, Timestamp>,
    refresh: BTreeMap<String, Refresh>,
    codes: BTreeMap<String, Timestamp>,
    /// Whether the token the shop was opened with still counts.
    opened: bool,
    pub faults: VecDeque<u16>,
    pub calls: Vec<TokenCall>,
}

impl Grants {
    pub fn new(ids: Ids, scopes: &str) -> Self {
        Self {
            ids,
            installed: true,
            scopes: scopes.to_owned(),
            access: BTreeMap::new(),
            refresh: BTreeMap::new(),
            codes: BTreeMap::new(),
            opened: true,
            faults: VecDeque::new(),
            calls: Vec::new(),
        }
    }

    pub fn is_installed(&self) -> bool {
        self.installed
    }

    pub fn install(&mut self) {
        self.installed = true;
    }

    pub fn uninstall(&mut self) {
        self.installed = false;
        self.opened = false;
        self.access.clear();
        self.refresh.clear();
        self.codes.clear();
    }

    /// Access tokens end before their time; those that refresh them stay, if they are spared.
    pub fn revoke(&mut self, spare_refresh: bool) {
        self.opened = false;
        self.access.clear();
        if !spare_refresh {
            self.refresh.clear();
        }
    }

    pub fn accepts(&self, token: &str, opened_with: &str, now: Timestamp) -> bool {
        (self.opened && token == opened_with) || self.access.get(token).is_some_and(|until| now < *until)
    }

    /// A new pair; its refresh token replaces `predecessor`, once it is used.
    pub fn pair(&mut self, predecessor: Option<String>, now: Timestamp) -> Pair {
        let access_token = format!("shpat_{}", self.ids.token());
        let refresh_token = format!("shprt_{}", self.ids.token());
        self.access.insert(access_token.clone(), now + ACCESS);
        self.refresh.insert(refresh_token.clone(), Refresh { expires_at: now + REFRESH, predecessor });
        let (expires_in, refresh_token_expires_in) = (ACCESS.as_secs(), REFRESH.as_secs());
        Pair { access_token, refresh_token, expires_in, refresh_token_expires_in }
    }

    /// A new pair for a refresh token, which keeps working until the new one is used.
    pub fn rotate(&mut self, refresh_token: &str, now: Timestamp) -> Option<Pair> {
        let used = self.refresh.get_mut(refresh_token).filter(|refresh| now < refresh.expires_at)?;
        if let Some(predecessor) = used.predecessor.take() {
            self.refresh.remove(&predecessor);
        }
        Some(self.pair(Some(refresh_token.to_owned()), now))
    }

    /// A code that can be redeemed once.
    pub fn code(&mut self, now: Timestamp) -> String {
        let code = self.ids.token();
        self.codes.insert(code.clone(), now + CODE);
        code
    }

    pub fn redeem(&mut self, code: &str, now: Timestamp) -> Option<Pair> {
        self.codes.remove(code).filter(|until| now < *until)?;
        Some(self.pair(None, now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refresh_token_works_until_its_successor_is_used() {
        let now: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
        let mut grants = Grants::new(Ids::new(1, false), "write_orders");
        let first = grants.pair(None, now);
        let lost = grants.rotate(&first.refresh_token, now).unwrap();
        let second = grants.rotate(&first.refresh_token, now).expect("the answer may have been lost");
        assert_ne!(lost.refresh_token, second.refresh_token);
        let third = grants.rotate(&second.refresh_token, now).unwrap();
        assert!(grants.rotate(&first.refresh_token, now).is_none());
        assert!(grants.accepts(&third.access_token, "x", now));
        assert!(!grants.accepts(&third.access_token, "x", now + ACCESS));
        assert!(grants.rotate(&third.refresh_token, now + REFRESH).is_none());
    }

    #[test]
    fn an_uninstall_revokes_everything() {
        let now: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
        let mut grants = Grants::new(Ids::new(1, false), "write_orders");
        let (pair, code) = (grants.pair(None, now), grants.code(now));
        assert!(grants.accepts("opened", "opened", now));
        grants.uninstall();
        assert!(
            !grants.accepts("opened", "opened", now) && !grants.accepts(&pair.access_token, "opened", now)
        );
        assert!(grants.rotate(&pair.refresh_token, now).is_none() && grants.redeem(&code, now).is_none());
    }
}
