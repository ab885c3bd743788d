//! What the inbox does with webhooks about the app in a shop.

use async_trait::async_trait;
use serde::Deserialize;

use super::{Shops, store};
use crate::db::Tx;
use crate::inbox::{Handler, HandlerError, Message, Outcome};

/// Acts on the topics that tell of the app in a shop.
#[derive(Clone)]
pub struct MerchantHandler {
    shops: Shops,
}

impl MerchantHandler {
    /// A handler for these shops.
    pub fn new(shops: Shops) -> Self {
        MerchantHandler { shops }
    }
}

#[async_trait]
impl Handler for MerchantHandler {
    fn knows(&self, topic: &str) -> bool {
        matches!(topic, "app/uninstalled" | "app/scopes_update")
    }

    async fn handle(&self, tx: &mut Tx, batch: &[Message]) -> Result<Vec<Outcome>, HandlerError> {
        let mut outcomes = Vec::with_capacity(batch.len());
        for message in batch {
            outcomes.push(match message.topic.as_str() {
                "app/uninstalled" => self.uninstalled(tx, message).await?,
                _ => self.scopes_updated(tx, message).await?,
            });
        }
        Ok(outcomes)
    }
}

impl MerchantHandler {
    /// The tokens are void already. A repeated or late message, from before the shop installed the app again, is none.
    async fn uninstalled(&self, tx: &mut Tx, message: &Message) -> Result<Outcome, HandlerError> {
        if store::uninstall(tx, message.shop, message.triggered_at).await? {
            tracing::info!(shop = %message.shop, "a shop uninstalled the app");
            self.shops.forget(message.shop);
        }
        Ok(Outcome::Done)
    }

    async fn scopes_updated(&self, tx: &mut Tx, message: &Message) -> Result<Outcome, HandlerError> {
        #[derive(Deserialize)]
        struct Scopes {
            current: Vec<String>,
        }
        let Ok(scopes) = serde_json::from_slice::<Scopes>(&message.payload) else {
            return Ok(Outcome::Dead("no list of scopes".to_owned()));
        };
        store::set_scopes(tx, message.shop, &scopes.current.join(","), message.received_at).await?;
        Ok(Outcome::Done)
    }
}
