//! Store credit and gift cards, past the Admin API: to look at, and as staff give them.

use super::DevShop;
use crate::money::Currency;
use crate::payouts::{GiftCard, StoreCredit};

impl DevShop {
    /// All store credit that ever came to anybody, oldest first.
    pub fn store_credits(&self) -> Vec<StoreCredit> {
        self.state().store_credits.clone()
    }

    /// All gift cards, oldest first.
    pub fn gift_cards(&self) -> Vec<GiftCard> {
        self.state().gift_cards.clone()
    }

    /// Adds store credit, in minor units.
    pub fn credit(&self, customer: u64, currency: Currency, minor: i64) -> StoreCredit {
        let created_at = self.clock().now();
        let mut state = self.state();
        let credit = StoreCredit { id: state.ids.id(), customer, currency, minor, created_at };
        state.store_credits.push(credit.clone());
        credit
    }

    /// Makes a gift card, of minor units.
    pub fn issue_card(
        &self,
        customer: u64,
        currency: Currency,
        minor: i64,
        note: Option<String>,
    ) -> GiftCard {
        let mut state = self.state();
        let card = GiftCard { id: state.ids.id(), customer, currency, minor, note };
        state.gift_cards.push(card.clone());
        card
    }
}
