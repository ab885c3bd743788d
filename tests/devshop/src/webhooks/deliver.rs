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

pub(crate) struct Courier {
    client: reqwest::Client,
    sender: Sender,
}

impl Courier {
    pub fn new(settings: &WebhookSettings, sender: Sender) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(1).min(settings.timeout))
            .timeout(settings.timeout)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()?;
        Ok(Self { client, sender })
    }

    pub async fn deliver(&self, delivery: &Delivery, url: &str) -> Outcome {
        let event = &delivery.event;
        let request = self
            .client
            .post(url)
            .header("content-type", "application/json")
            .header("user-agent", "Shopify-Captain-Hook")
            .header("x-shopify-api-version", &self.sender.api_version)
            .header("x-shopify-event-id", &event.event_id)
            .header("x-shopify-hmac-sha256", sign::webhook(&self.sender.secret, &delivery.body))
            .header("x-shopify-name", event.topic.replace('/', "-"))
            .header("x-shopify-shop-domain", &self.sender.shop_domain)
            .header("x-shopify-topic", &event.topic)
            // To the nanosecond, unlike the times in payloads.
            .header("x-shopify-triggered-at", event.triggered_at.to_string())
            .header("x-shopify-webhook-id", &event.webhook_id)
            .body(delivery.body.to_vec());
        match request.send().await {
            Ok(response) => Outcome::Status(response.status().as_u16()),
            Err(error) => Outcome::Failed(error.to_string()),
        }
    }
}
