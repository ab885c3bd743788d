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
            Kind::AccountsDrifted
                | Kind::BooksBroken
                | Kind::RedemptionUnbacked
                | Kind::ShopBehind
                | Kind::ShopifyBudgetLow
                | Kind::GdprRequestCreated
        )
    }

    async fn handle(&self, _tx: &mut Tx, events: &[Envelope]) -> Result<(), SubscriberError> {
        for Envelope { id, shop, event, .. } in events {
            match event {
                Event::RedemptionUnbacked(told) => tracing::warn!(
                    %shop, event = %id, order = %told.order, unbacked_minor = told.unbacked_minor,
                    "an order carried a discount that points did not simply cover"
                ),
                Event::AccountsDrifted(told) => tracing::warn!(
                    %shop, event = %id, run = %told.run, members = told.members, drifted = told.drifted,
                    orphans = told.orphans, "published accounts were not what the ledger says"
                ),
                Event::BooksBroken(told) => tracing::error!(
                    %shop, event = %id, violations = told.violations, invariants = ?told.invariants,
                    "the books of a shop do not hold; `loyalnest audit` says where"
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

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use uuid::Uuid;

    use super::*;
    use crate::db::{Db, Options, Timestamp};
    use crate::events::GdprRequestCreated;
    use crate::ids::ShopId;

    /// Where the log goes.
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_privacy_request_that_is_not_acted_upon_is_a_warning() {
        let log = Log::default();
        let writer = log.clone();
        let subscriber =
            tracing_subscriber::fmt().with_writer(move || writer.clone()).with_ansi(false).finish();
        let _guard = tracing::subscriber::set_default(subscriber);
        let db = Db::connect("sqlite::memory:", &Options::default()).await.unwrap();
        let mut tx = db.begin_outside().await.unwrap();
        let told = |refused: Option<&str>| Envelope {
            id: Uuid::from_u128(1),
            position: 1,
            shop: ShopId(Uuid::from_u128(2)),
            key: String::new(),
            occurred_at: Timestamp::UNIX_EPOCH,
            event: Event::GdprRequestCreated(GdprRequestCreated {
                request: Uuid::from_u128(3),
                kind: "shop/redact".into(),
                refused: refused.map(str::to_owned),
                due_at: Timestamp::UNIX_EPOCH,
            }),
        };
        assert!(Alerts.wants(Kind::GdprRequestCreated));
        Alerts.handle(&mut tx, &[told(None), told(Some("it came back"))]).await.unwrap();
        let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        let warnings: Vec<_> = log.lines().filter(|line| line.contains("WARN")).collect();
        assert_eq!(warnings.len(), 1, "{log}");
        assert!(warnings[0].contains("it came back") && warnings[0].contains("shop/redact"), "{log}");
    }
}
