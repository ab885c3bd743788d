//! The signature on what goes to the app by way of the storefront.

use super::DevShop;
use crate::sign;

impl DevShop {
    /// The query an app proxy request of this customer carries, signed, as `key=value&…`.
    pub fn signed_proxy_query(&self, customer: Option<u64>, extra: &[(&str, &str)]) -> String {
        let pairs = extra.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        self.sign_proxy(pairs, customer)
    }

    /// Adds what the platform adds to a proxied query, and signs it all.
    pub(crate) fn sign_proxy(&self, mut pairs: Vec<(String, String)>, customer: Option<u64>) -> String {
        let app = &self.facts().settings.app;
        let reserved = ["shop", "logged_in_customer_id", "path_prefix", "timestamp", "signature"];
        pairs.retain(|(key, _)| !reserved.contains(&key.as_str()));
        let customer = customer.map(|id| id.to_string()).unwrap_or_default();
        for (key, value) in [
            ("shop", self.facts().settings.domain.clone()),
            ("logged_in_customer_id", customer),
            ("path_prefix", format!("/apps/{}", app.proxy_subpath)),
            ("timestamp", self.clock().now().as_second().to_string()),
        ] {
            pairs.push((key.into(), value));
        }
        let signature = sign::proxy_query(&app.api_secret, &pairs);
        pairs.push(("signature".into(), signature));
        form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
    }
}
