//! What the inbox does with webhooks about the app in a shop.

use async_trait::async_trait;
use loyalty::Currency;
use serde::Deserialize;

use super::{Plan, Shops, groups, plans, set_primary_locale, staff, store};
use crate::audit::{Actor, By};
use crate::db::{Timestamp, Tx};
use crate::inbox::{Handler, HandlerError, Message, Outcome};
use crate::support;

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
        matches!(topic, "app/uninstalled" | "app/scopes_update" | "app_subscriptions/update" | "shop/update")
    }

    async fn handle(&self, tx: &mut Tx, batch: &[Message]) -> Result<Vec<Outcome>, HandlerError> {
        let mut outcomes = Vec::with_capacity(batch.len());
        for message in batch {
            outcomes.push(match message.topic.as_str() {
                "app/uninstalled" => self.uninstalled(tx, message).await?,
                "app/scopes_update" => self.scopes_updated(tx, message).await?,
                "shop/update" => self.updated(tx, message).await?,
                _ => subscribed(tx, message).await?,
            });
        }
        Ok(outcomes)
    }
}

impl MerchantHandler {
    /// The tokens are void already. A repeated or late message, from before the shop installed the app again, is none.
    async fn uninstalled(&self, tx: &mut Tx, message: &Message) -> Result<Outcome, HandlerError> {
        if store::uninstall(tx, message.shop, message.triggered_at).await? {
            let by = By::from(Actor::System);
            staff::store::end_all(tx, message.shop).await?;
            support::close(tx, message.shop, None, &by, message.received_at).await?;
            groups::leave(tx, message.shop, &by, message.received_at).await?;
            tracing::info!(shop = %message.shop, "a shop uninstalled the app");
            self.shops.forget(message.shop);
        }
        Ok(Outcome::Done)
    }

    /// What the shop says of itself is kept, unless something newer is known or it makes no sense.
    async fn updated(&self, tx: &mut Tx, message: &Message) -> Result<Outcome, HandlerError> {
        #[derive(Deserialize)]
        struct ShopJson {
            name: String,
            currency: String,
            iana_timezone: String,
            primary_locale: Option<String>,
        }
        let Ok(told) = serde_json::from_slice::<ShopJson>(&message.payload) else {
            return Ok(Outcome::Dead("no shop with a name, a currency and a time zone".to_owned()));
        };
        let Ok(currency) = Currency::parse(&told.currency) else {
            return Ok(Outcome::Dead("the shop's currency is unknown".to_owned()));
        };
        if jiff::tz::TimeZone::get(&told.iana_timezone).is_err() {
            return Ok(Outcome::Dead("the shop's time zone is unknown".to_owned()));
        }
        let details = store::Told {
            name: &told.name.replace('\0', ""),
            currency: currency.code(),
            time_zone: &told.iana_timezone,
        };
        if store::set_told(tx, message.shop, &details, message.triggered_at).await? {
            if let Some(locale) = &told.primary_locale {
                set_primary_locale(tx, message.shop, locale, message.triggered_at).await?;
            }
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
        // PostgreSQL keeps no NUL.
        let scopes = scopes.current.join(",").replace('\0', "");
        store::set_scopes(tx, message.shop, &scopes, message.received_at).await?;
        Ok(Outcome::Done)
    }
}

/// Which plan of this app the shop pays for, as Shopify last told.
async fn subscribed(tx: &mut Tx, message: &Message) -> Result<Outcome, HandlerError> {
    #[derive(Deserialize)]
    struct SubscriptionJson {
        app_subscription: Subscription,
    }
    #[derive(Deserialize)]
    struct Subscription {
        admin_graphql_api_id: String,
        name: String,
        status: String,
        plan_handle: Option<String>,
        updated_at: Timestamp,
    }
    let Ok(told) = serde_json::from_slice::<SubscriptionJson>(&message.payload) else {
        return Ok(Outcome::Dead("no subscription".to_owned()));
    };
    let told = told.app_subscription;
    let clean = |text: String| text.replace('\0', "");
    let plan = Plan {
        subscription_id: clean(told.admin_graphql_api_id),
        name: clean(told.name),
        plan_handle: told.plan_handle.map(clean),
        status: clean(told.status),
        updated_at: told.updated_at,
    };
    plans::keep(tx, message.shop, &plan).await?;
    Ok(Outcome::Done)
}
