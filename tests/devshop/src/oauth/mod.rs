//! How an app gets in: token exchange, for the shop and for its staff, refresh with rotation, the authorization code; and how it is thrown out.

mod grants;
mod routes;
mod session_token;
mod staff;

use serde_json::json;

use crate::clock::utc_text;
use crate::shop::DevShop;
use crate::sign;
use crate::webhooks::payloads;

pub(crate) use grants::Grants;
pub use grants::TokenCall;
pub(crate) use routes::{access_token, authorize};
pub use session_token::Surface;
pub(crate) use staff::Staff;
pub use staff::StaffUser;

impl DevShop {
    /// A session token as this surface gets one, signed with the app's secret and valid now.
    pub fn session_token(&self, surface: Surface) -> String {
        let settings = self.settings();
        let claims = surface.claims(&settings.domain, &settings.app.api_key, self.clock().now().as_second());
        session_token::sign(&claims, &settings.app.api_secret)
    }

    /// The merchant throws the app out: every token is revoked at once, and `app/uninstalled` is sent.
    pub fn uninstall_app(&self) {
        self.grants().uninstall();
        let payload = payloads::shop(&self.state().about, self.facts());
        self.tell("app/uninstalled", payload);
    }

    /// Access tokens end before their time. Whoever has a refresh token gets another.
    pub fn revoke_access_tokens(&self) {
        self.grants().revoke(true);
    }

    /// All tokens end before their time, and nobody is told. A merchant who opens the app brings others.
    pub fn revoke_tokens(&self) {
        self.grants().revoke(false);
    }

    /// The merchant installs the app again; it gets tokens when it asks for them.
    pub fn install_app(&self) {
        self.grants().install();
    }

    /// The merchant approves other scopes; `app/scopes_update` is sent.
    pub fn grant_scopes(&self, scopes: &str) {
        let previous = std::mem::replace(&mut self.grants().scopes, scopes.to_owned());
        let list = |scopes: &str| scopes.split(',').map(str::to_owned).collect::<Vec<_>>();
        let payload = json!({"id": crate::state::SHOP_ID, "previous": list(&previous), "current": list(scopes),
                             "updated_at": utc_text(self.clock().now())});
        self.tell("app/scopes_update", payload);
    }

    /// The scopes that the app is granted.
    pub fn scopes(&self) -> String {
        self.grants().scopes.clone()
    }

    /// The next calls for a token fail with this status, as when the platform is down.
    pub fn fail_tokens(&self, statuses: impl IntoIterator<Item = u16>) {
        self.grants().faults.extend(statuses);
    }

    /// Every call for a token, oldest first.
    pub fn token_calls(&self) -> Vec<TokenCall> {
        self.grants().calls.clone()
    }

    /// The query of a page that Shopify opens in the app, signed, as `key=value&…`.
    pub fn signed_oauth_query(&self, extra: &[(&str, &str)]) -> String {
        let mut pairs: Vec<(String, String)> =
            extra.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        pairs.push(("shop".into(), self.settings().domain.clone()));
        pairs.push(("timestamp".into(), self.clock().now().as_second().to_string()));
        let hmac = sign::oauth_query(&self.settings().app.api_secret, &pairs);
        pairs.push(("hmac".into(), hmac));
        form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
    }

    /// Whether a token opens the Admin API now.
    pub(crate) fn accepts(&self, token: &str) -> bool {
        self.grants().accepts(token, &self.settings().app.admin_token, self.clock().now())
    }
}
