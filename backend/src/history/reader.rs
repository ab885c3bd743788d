//! Reads the files: of each line, whether it is taken, passed by or refused.

use async_trait::async_trait;
use loyalty::Currency;
use serde::Deserialize;

use super::store::{self, Refusal};
use super::take::{Taken, take};
use super::{Fault, Past, Subject, past};
use crate::bulk::{self, Line, Reader};
use crate::clock::Clock;
use crate::customers::{self, Mirrored};
use crate::db::{Timestamp, Tx};
use crate::ids::{CustomerId, OrderId, ShopId};
use crate::tasks::TaskError;
use crate::{merchants, programs, rfm};

/// How many lines that could not be taken are told one by one.
const TOLD: i64 = 200;
/// Without this scope Shopify shows the orders of the last 60 days.
const ALL_ORDERS: &str = "read_all_orders";

/// Reads the files of one kind.
#[derive(Debug, Clone)]
pub struct HistoryReader {
    subject: Subject,
    clock: Clock,
}

impl HistoryReader {
    /// A reader with this clock.
    pub fn new(subject: Subject, clock: Clock) -> Self {
        HistoryReader { subject, clock }
    }
}

#[async_trait]
impl Reader for HistoryReader {
    fn purpose(&self) -> &'static str {
        self.subject.purpose()
    }

    fn query(&self) -> &'static str {
        match self.subject {
            Subject::Customers => include_str!("../../../graphql/customers_in_bulk.graphql"),
            Subject::Orders => include_str!("../../../graphql/orders_in_bulk.graphql"),
        }
    }

    async fn begins(&self, tx: &mut Tx, shop: ShopId, run: &bulk::Run) -> Result<(), TaskError> {
        let all = merchants::has_scope(tx, shop, ALL_ORDERS).await?;
        Ok(store::begin(tx, shop, run.run_id, all).await?)
    }

    async fn lines(
        &self,
        tx: &mut Tx,
        shop: ShopId,
        run: &bulk::Run,
        lines: &[Line],
    ) -> Result<(), TaskError> {
        let now = self.clock.now();
        let Sorted { customers, orders, passed_by, refused } = match self.subject {
            Subject::Customers => Sorted::customers(lines),
            Subject::Orders => Sorted::orders(lines, currency(tx, shop).await?, now),
        };
        let mut counts = match self.subject {
            Subject::Customers => {
                let new_members = customers::mirror(tx, shop, &customers, now).await.map_err(failed)?;
                Taken { taken: customers.len() as i64, new_members, ..Taken::default() }
            }
            Subject::Orders => take(tx, shop, &orders, None, now).await?,
        };
        counts.passed_by += passed_by;
        let before = store::count(tx, shop, run.run_id, &counts, refused.len() as i64).await?;
        let room = usize::try_from(TOLD - before).unwrap_or(0).min(refused.len());
        Ok(store::refuse(tx, shop, run.run_id, before, &refused[..room]).await?)
    }

    async fn ends(&self, tx: &mut Tx, shop: ShopId, run: &bulk::Run) -> Result<(), TaskError> {
        if self.subject == Subject::Orders && run.lines > 0 {
            // Everyone is measured by the others: many of them are others now.
            rfm::refresh_soon(tx, shop, format!("history {}", run.run_id), self.clock.now()).await?;
        }
        Ok(())
    }
}

async fn currency(tx: &mut Tx, shop: ShopId) -> Result<Currency, TaskError> {
    Ok(programs::current(tx, shop).await.map_err(failed)?.program.currency)
}

fn failed(error: impl std::error::Error) -> TaskError {
    TaskError::Failed(error.to_string())
}

/// Lines by what becomes of them. Those of other types, and those below others, are none.
#[derive(Default)]
struct Sorted {
    customers: Vec<Mirrored>,
    orders: Vec<Past>,
    passed_by: i64,
    refused: Vec<Refusal>,
}

/// A customer of `graphql/customers_in_bulk.graphql`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CustomerJson<'a> {
    #[serde(borrow)]
    state: &'a str,
    updated_at: Timestamp,
}

impl Sorted {
    fn customers(lines: &[Line]) -> Sorted {
        let mut sorted = Sorted::default();
        for line in of_kind(lines, "Customer") {
            let customer = CustomerId(line.id.number);
            match CustomerJson::deserialize(&line.object) {
                Ok(CustomerJson { state, updated_at }) => {
                    let state = state.to_ascii_lowercase();
                    sorted.customers.push(Mirrored { customer, state, told_at: updated_at });
                }
                Err(_) => sorted.refused.push(Refusal {
                    order_id: None,
                    customer_id: Some(customer),
                    code: Fault::Unreadable,
                }),
            }
        }
        sorted
    }

    fn orders(lines: &[Line], currency: Currency, now: Timestamp) -> Sorted {
        let mut sorted = Sorted::default();
        for line in of_kind(lines, "Order") {
            match past::read(line.id.number, &line.object, currency, now) {
                Ok(Some(order)) => sorted.orders.push(order),
                Ok(None) => sorted.passed_by += 1,
                Err(code) => {
                    let order_id = Some(OrderId(line.id.number));
                    sorted.refused.push(Refusal { order_id, customer_id: None, code });
                }
            }
        }
        sorted
    }
}

fn of_kind<'a>(lines: &'a [Line], kind: &'a str) -> impl Iterator<Item = &'a Line> {
    lines.iter().filter(move |line| line.id.kind == kind && line.parent.is_none())
}
