//! What about the shop never changes while it is open.

use jiff::tz::TimeZone;

use crate::money::{Currency, MoneySet, Rate};
use crate::settings::Settings;

/// The settings, and what was read out of them.
pub(crate) struct Facts {
    pub settings: Settings,
    pub zone: TimeZone,
    /// The app's metafields that Liquid may read: kind of owner and key.
    pub storefront_reads: Vec<(&'static str, String)>,
}

impl Facts {
    /// How many units of a currency one unit of the shop's buys; 1 for a currency the shop does not take, which no cart
    /// can have.
    pub fn rate(&self, currency: Currency) -> Rate {
        self.settings.rates.get(&currency).copied().unwrap_or(Rate::ONE)
    }

    /// Whether a customer may pay in this currency.
    pub fn takes(&self, currency: Currency) -> bool {
        currency == self.settings.currency || self.settings.rates.contains_key(&currency)
    }

    /// `{"shop_money": …, "presentment_money": …}` of a webhook.
    pub fn money_set(&self, set: MoneySet, presentment: Currency) -> serde_json::Value {
        let money = |minor: i64, currency: Currency| serde_json::json!({"amount": currency.text(minor), "currency_code": currency});
        serde_json::json!({
            "shop_money": money(set.shop, self.settings.currency),
            "presentment_money": money(set.presentment, presentment),
        })
    }
}
