//! What an operator should hear of.

use async_trait::async_trait;

use super::{Envelope, Event, Kind, Subscriber, SubscriberError};
use crate::db::Tx;

/// Puts events into the log that a person should look at.
#[derive(Debug, Clone, Copy)]
pub struct Alerts;

#[async_trait]
impl Subscriber for Alerts {
    fn name(&self) -> &'static str {
        "alerts"
    }

    fn wants(&self, kind: Kind) -> bool {
        matches!(
            kind,
            Kind::RedemptionUnbacked | Kind::ShopBehind | Kind::ShopifyBudgetLow | Kind::GdprRequestCreated
        )
    }

    async fn handle(&self, _tx: &mut Tx, events: &[Envelope]) -> Result<(), SubscriberError> {
        for Envelope { id, shop, event, .. } in events {
            match event {
                Event::RedemptionUnbacked(told) => tracing::warn!(
                    %shop, event = %id, order = %told.order, unbacked_minor = told.unbacked_minor,
                    "an order carried a discount that points did not simply cover"
                ),
                Event::ShopBehind(told) => tracing::warn!(
                    %shop, event = %id, waiting = told.waiting, oldest_at = %told.oldest_at,
                    "the webhooks of a shop wait too long"
                ),
                Event::ShopifyBudgetLow(told) => tracing::warn!(
                    %shop, event = %id, available = told.available, maximum = told.maximum,
                    "little is left of a shop's budget at the Admin API; shoppers may have to wait"
                ),
                Event::GdprRequestCreated(told) => match &told.refused {
                    Some(reason) => tracing::warn!(
                        %shop, event = %id, request = %told.request, kind = told.kind, reason,
                        "a privacy request is not acted upon; a person should look"
                    ),
                    None => tracing::info!(
                        %shop, event = %id, request = %told.request, kind = told.kind, due_at = %told.due_at,
                        "a privacy request came"
                    ),
                },
                _ => {}
            }
        }
        Ok(())
    }
}
