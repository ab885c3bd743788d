//! One webhook over HTTP, with the headers Shopify sends.

use std::time::Duration;

use super::{Delivery, Outcome};
use crate::settings::WebhookSettings;
use crate::sign;

/// Who sends.
pub(crate) struct Sender {
    pub shop_domain: String,
    pub api_version: String,
    pub secret: String,
}

/// Who brings it.
#[derive(Clone)]
pub(crate) struct Courier(reqwest::Client);

impl Sender {
    pub fn headers(&self, delivery: &Delivery) -> Vec<(&'static str, String)> {
        let event = &delivery.event;
        vec![
            ("content-type", "application/json".to_owned()),
            ("user-agent", "Shopify-Captain-Hook".to_owned()),
            ("x-shopify-api-version", self.api_version.clone()),
            ("x-shopify-event-id", event.event_id.clone()),
            ("x-shopify-hmac-sha256", sign::webhook(&self.secret, &delivery.body)),
            ("x-shopify-name", event.topic.replace('/', "-")),
            ("x-shopify-shop-domain", self.shop_domain.clone()),
            ("x-shopify-topic", event.topic.clone()),
            // To the nanosecond, unlike the times in payloads.
            ("x-shopify-triggered-at", event.triggered_at.to_string()),
            ("x-shopify-webhook-id", event.webhook_id.clone()),
        ]
    }
}

impl Courier {
    pub fn new(settings: &WebhookSettings) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(1).min(settings.timeout))
            .timeout(settings.timeout)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()?;
        Ok(Self(client))
    }

    pub async fn deliver(
        &self,
        delivery: &Delivery,
        headers: Vec<(&'static str, String)>,
        url: &str,
    ) -> Outcome {
        let request = self.0.post(url).body(delivery.body.to_vec());
        let request = headers.into_iter().fold(request, |request, (name, value)| request.header(name, value));
        match request.send().await {
            Ok(response) => Outcome::Status(response.status().as_u16()),
            Err(error) => Outcome::Failed(error.to_string()),
        }
    }
}
