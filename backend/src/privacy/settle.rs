//! Settling privacy requests: what is found is kept for the merchant, what leads to a person is erased, and of a shop that
//! is gone everything.

use async_trait::async_trait;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::export::{self, DOCUMENT};
use super::store::{self, Request};
use super::{RequestKind, RequestState};
use crate::db::{Table, Tx};
use crate::events::{self, CustomerChange, CustomerUpdated, Event};
use crate::ids::{CustomerId, ShopId};
use crate::tasks::{self, Order, Run, Task, TaskError};
use crate::{
    customers, history, imports, inbox, merchants, orders, points, programs, redemptions, referrals, rfm,
    sync,
};

/// Why nothing of a shop is erased.
pub(super) const REINSTALLED: &str = "the shop has the app installed again";
/// How long the merchant has to hand an export on.
const EXPORT_KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How long a settled request is remembered.
const REQUEST_KEPT: SignedDuration = SignedDuration::from_hours(90 * 24);
/// When webhooks of a customer who is to be erased are looked for again.
const AGAIN: SignedDuration = SignedDuration::from_mins(10);
/// Requests that are due within this time and not settled are told of.
const SOON: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Rows that are erased in one transaction.
const AT_ONCE: i64 = 2_000;
/// Tables in which a shop that is gone leaves its traces for a time: the request, which leads to nobody, and the task that
/// settles it. Both are forgotten later.
const LEFT: [&str; 2] = ["privacy_requests", "tasks"];

/// Settles a privacy request.
#[derive(Debug, Serialize, Deserialize)]
pub struct Settle {
    /// The request.
    pub request: Uuid,
}

#[async_trait]
impl Task for Settle {
    const KIND: &'static str = "privacy.settle";
    const DEADLINE: SignedDuration = SignedDuration::from_hours(2);

    async fn run(self, run: &Run) -> Result<(), TaskError> {
        let Some(shop) = run.shop() else { return Ok(()) };
        let request = store::request(&mut run.app.db.read(shop).await?, shop, self.request).await?;
        let Some(request) = request.filter(|request| request.state == RequestState::Received) else {
            return Ok(());
        };
        match (request.kind, request.customer_id) {
            (RequestKind::RedactShop, _) => redact_shop(run, shop, &request).await,
            (RequestKind::Data, Some(customer)) => export_customer(run, shop, &request, customer).await,
            (RequestKind::Redact, Some(customer)) => redact_customer(run, shop, &request, customer).await,
            (RequestKind::Data | RequestKind::Redact, None) => {
                Err(TaskError::Dead("the request names no customer".into()))
            }
        }
    }
}

async fn export_customer(
    run: &Run,
    shop: ShopId,
    request: &Request,
    customer: CustomerId,
) -> Result<(), TaskError> {
    let now = run.now();
    let mut read = run.app.db.read(shop).await?;
    let (document, found) = export::collect(&mut read, &run.app.cipher, shop, customer, now).await?;
    drop(read);
    let sealed = run.app.cipher.seal(DOCUMENT, shop.0, document.to_string().as_bytes());
    let sealed = sealed.map_err(|error| TaskError::Failed(error.to_string()))?;
    let mut tx = run.begin().await?;
    store::keep_export(&mut tx, shop, request.request_id, &sealed, (now, now + EXPORT_KEPT)).await?;
    let outcome = if found { "exported" } else { "nothing is held" };
    store::settle(&mut tx, shop, request.request_id, (RequestState::Done, outcome), now).await?;
    run.finish(tx).await
}

async fn redact_customer(
    run: &Run,
    shop: ShopId,
    request: &Request,
    customer: CustomerId,
) -> Result<(), TaskError> {
    let now = run.now();
    let mut tx = run.begin().await?;
    let known = customers::numbers(&mut tx, shop, customer).await?;
    let mut numbers: Vec<CustomerId> = known.iter().map(|known| known.customer_id).collect();
    if !numbers.contains(&customer) {
        numbers.push(customer);
    }
    for number in &numbers {
        if inbox::is_waited_for(&mut tx, shop, *number).await? {
            return look_again(run, tx, shop, request).await;
        }
    }
    // In the order in which everyone locks: orders, customers, accounts, holds, sync.
    let mut found = 0;
    for number in &numbers {
        found += orders::redact(&mut tx, shop, *number).await?;
    }
    for number in &numbers {
        customers::redact(&mut tx, shop, *number, now).await?;
        found += imports::redact(&mut tx, shop, *number).await?;
        found += history::redact(&mut tx, shop, *number).await?;
    }
    for known in &known {
        points::redact(&mut tx, shop, known.member_id).await?;
        events::redact(&mut tx, shop, known.member_id).await?;
    }
    if let Some(own) = known.iter().find(|known| known.customer_id == customer && known.merged_into.is_none())
    {
        let program = programs::current(&mut tx, shop).await.map_err(failed)?;
        redemptions::let_go(&mut tx, shop, own.member_id, &program, now).await.map_err(failed)?;
        rfm::leave(&mut tx, shop, own.member_id).await?;
        referrals::leave(&mut tx, shop, own.member_id, now).await.map_err(failed)?;
        sync::forget(&mut tx, shop, own.member_id).await?;
        let (member, change) = (own.member_id, CustomerChange::Redacted);
        events::publish(&mut tx, shop, Event::CustomerUpdated(CustomerUpdated { member, change }), now)
            .await?;
    }
    for number in &numbers {
        found += inbox::redact(&mut tx, shop, *number, &request.orders.0).await?;
        store::forget_person(&mut tx, shop, *number).await?;
    }
    let outcome = if !known.is_empty() || found > 0 { "erased" } else { "nothing was held" };
    store::settle(&mut tx, shop, request.request_id, (RequestState::Done, outcome), now).await?;
    run.finish(tx).await
}

/// What the customer did before is booked first. That is no failure: the same is looked at again later, while there is
/// time.
async fn look_again(run: &Run, mut tx: Tx, shop: ShopId, request: &Request) -> Result<(), TaskError> {
    let now = run.now();
    if request.due_at <= now {
        return Err(TaskError::Dead("webhooks of the customer are not worked off".into()));
    }
    let again = Order::new(format!("{}@{}", request.request_id, now.as_second())).at(now + AGAIN);
    let task = Settle { request: request.request_id };
    tasks::push(&mut tx, shop, &task, again, now).await.map_err(failed)?;
    run.finish(tx).await
}

async fn redact_shop(run: &Run, shop: ShopId, request: &Request) -> Result<(), TaskError> {
    let settle = async |state, outcome| {
        let mut tx = run.begin().await?;
        store::settle(&mut tx, shop, request.request_id, (state, outcome), run.now()).await?;
        run.finish(tx).await
    };
    // The shop itself goes first: whoever installs the app from now on is another shop to us, and loses nothing.
    let mut tx = run.begin().await?;
    if !merchants::erase(&mut tx, shop).await? {
        drop(tx);
        tracing::warn!(%shop, request = %request.request_id, "a shop came back before it was erased");
        return settle(RequestState::Refused, REINSTALLED).await;
    }
    tx.commit().await?;
    // What came in and is still to be worked off would be booked on what is erased already: that goes first, and whatever
    // a worker had in hand is erased by the second look.
    let (inbox, rest): (Vec<_>, Vec<_>) = Table::all()
        .into_iter()
        .filter(|table| table.is_a_shops() && !LEFT.contains(&table.name))
        .partition(|table| table.name.starts_with("inbox_"));
    let mut erased = 0;
    for table in [&inbox[..], &rest[..], &inbox[..], &rest[..]].concat() {
        erased += erase(run, shop, table).await?;
    }
    let mut tx = run.begin().await?;
    store::forget_people(&mut tx, shop).await?;
    tx.commit().await?;
    tracing::info!(%shop, erased, "a shop was erased");
    settle(RequestState::Done, "erased").await
}

async fn erase(run: &Run, shop: ShopId, table: &Table) -> Result<u64, TaskError> {
    let mut erased = 0;
    loop {
        let mut tx: Tx = run.begin().await?;
        let some = table.erase(&mut tx, shop, AT_ONCE).await?;
        tx.commit().await?;
        erased += some;
        if some < AT_ONCE.unsigned_abs() {
            return Ok(erased);
        }
    }
}

fn failed(error: impl std::error::Error) -> TaskError {
    TaskError::Failed(error.to_string())
}

/// Forgets exports and requests whose time is over, and tells of requests that are due soon.
#[derive(Debug, Serialize, Deserialize)]
pub struct Forget {}

#[async_trait]
impl Task for Forget {
    const KIND: &'static str = "privacy.forget";

    async fn run(self, run: &Run) -> Result<(), TaskError> {
        let now = run.now();
        let mut read = run.app.db.read_across().await?;
        for (shop, request) in store::open(&mut read, now + SOON).await? {
            tracing::warn!(%shop, %request, "a privacy request is due soon and not settled; a person should look");
        }
        let shops = store::with_settled(&mut read).await?;
        drop(read);
        let mut tx = run.begin().await?;
        for shop in shops {
            tx.enter(shop).await?;
            store::forget(&mut tx, shop, now, now - REQUEST_KEPT).await?;
        }
        run.finish(tx).await
    }
}
