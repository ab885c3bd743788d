//! Asking Shopify, once, and looking for what it made where its answer was lost.

use async_trait::async_trait;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Kind, Outcome, Payout, State, settle, store};
use crate::customers;
use crate::db::{Timestamp, Tx};
use crate::ids::{CustomerId, ShopId};
use crate::shopify::admin::{Admin, AdminError, UserError};
use crate::tasks::{self, Order, Run, Task, TaskError};

/// How often what Shopify made is looked for.
const LOOK_EVERY: SignedDuration = SignedDuration::from_mins(5);
/// After which time what cannot be seen is surely not there.
const SEEN_WITHIN: SignedDuration = SignedDuration::from_mins(20);
/// How far Shopify's clock may be behind.
const SKEW: SignedDuration = SignedDuration::from_mins(2);

/// Has Shopify pay out what was asked for, or sees what became of it.
#[derive(Debug, Serialize, Deserialize)]
pub struct Pay {
    /// The payout.
    pub payout: Uuid,
}

#[async_trait]
impl Task for Pay {
    const KIND: &'static str = "redemptions.pay";
    // A shopper waits.
    const PRIORITY: i64 = 1;

    async fn run(self, run: &Run) -> Result<(), TaskError> {
        let Some(shop) = run.shop() else { return Ok(()) };
        let mut read = run.app.db.read(shop).await?;
        let Some(payout) = store::find(&mut read, shop, self.payout).await.map_err(failed)? else {
            return Ok(());
        };
        if payout.state.is_settled() {
            return Ok(());
        }
        let customer = customers::customers(&mut read, shop, &[payout.member]).await?.remove(&payout.member);
        drop(read);
        let Some(customer) = customer else {
            // Nobody is there to be paid, nor to be looked for: of what was never sent, nothing was made.
            return match payout.state {
                State::Asked => end(run, shop, &payout, Outcome::Nothing("customer_gone")).await,
                _ => Err(TaskError::Dead("the customer is gone, and with them what Shopify made".into())),
            };
        };
        let found = run.app.shops.find(shop).await.map_err(failed)?;
        let of_shop = found.ok_or_else(|| TaskError::Failed("the shop has not the app installed".into()))?;
        let admin = run.app.admin_of(&of_shop).await.map_err(failed)?;
        match payout.state {
            State::Asked => send(run, shop, &admin, customer, &payout).await,
            _ => look(run, shop, &admin, customer, &payout).await,
        }
    }
}

/// Asks Shopify. That it is asked is noted first, so that nobody asks a second time.
async fn send(
    run: &Run,
    shop: ShopId,
    admin: &Admin,
    customer: CustomerId,
    payout: &Payout,
) -> Result<(), TaskError> {
    let now = run.now();
    let mut tx = run.begin().await?;
    if !store::advance(&mut tx, shop, payout.id, (State::Asked, State::Sent), Some(now)).await? {
        return Ok(());
    }
    tx.commit().await?;
    match call(admin, customer, payout).await {
        Ok(Ok(made)) => end(run, shop, payout, Outcome::Made(&made)).await,
        Ok(Err(error)) => {
            let code = error.code.unwrap_or_else(|| "refused".to_owned());
            end(run, shop, payout, Outcome::Nothing(&code)).await
        }
        Err(error) if error.is_untouched() => {
            let mut tx = run.begin().await?;
            store::advance(&mut tx, shop, payout.id, (State::Sent, State::Asked), None).await?;
            tx.commit().await?;
            Err(failed(error))
        }
        Err(error) => {
            tracing::warn!(%shop, payout = %payout.id, %error, "what became of a payout is not known; it is looked for");
            let mut tx = run.begin().await?;
            store::advance(&mut tx, shop, payout.id, (State::Sent, State::Unknown), Some(now)).await?;
            look_again(run, tx, shop, payout).await
        }
    }
}

async fn call(
    admin: &Admin,
    customer: CustomerId,
    payout: &Payout,
) -> Result<Result<String, UserError>, AdminError> {
    match payout.kind {
        Kind::StoreCredit => admin.credit_store_credit(customer, payout.amount).await,
        Kind::GiftCard => admin.create_gift_card(customer, payout.amount, &note(payout)).await,
    }
}

/// Looks for what Shopify made.
async fn look(
    run: &Run,
    shop: ShopId,
    admin: &Admin,
    customer: CustomerId,
    payout: &Payout,
) -> Result<(), TaskError> {
    let sent_at = payout.sent_at.unwrap_or(run.now());
    // The moment is taken before the look: what comes later is not seen.
    let is_late = run.now() - sent_at >= SEEN_WITHIN;
    let made = match payout.kind {
        Kind::StoreCredit => find_credit(run, shop, admin, customer, payout, sent_at).await?,
        Kind::GiftCard => {
            let cards = admin.gift_cards(customer).await.map_err(failed)?;
            let wanted = note(payout);
            cards.into_iter().find(|card| card.note.as_deref() == Some(&wanted)).map(|card| card.id)
        }
    };
    match made {
        Some(made) => end(run, shop, payout, Outcome::Made(&made)).await,
        None if is_late => end(run, shop, payout, Outcome::Nothing("not_made")).await,
        None => look_again(run, run.begin().await?, shop, payout).await,
    }
}

/// A credit bears no note. The member has one payout at a time, so it is the first of this amount that came since Shopify was
/// asked and belongs to no other payout.
async fn find_credit(
    run: &Run,
    shop: ShopId,
    admin: &Admin,
    customer: CustomerId,
    payout: &Payout,
    sent_at: Timestamp,
) -> Result<Option<String>, TaskError> {
    let credits = admin.store_credits(customer).await.map_err(failed)?;
    let known = store::made(&mut run.app.db.read(shop).await?, shop, payout.member).await?;
    let currency = payout.amount.currency();
    let mut candidates: Vec<(Timestamp, String)> = Vec::new();
    for credit in credits {
        let is_amount = currency.parse_minor(&credit.amount) == Ok(payout.amount.minor());
        if !is_amount || credit.currency != currency.code() || known.contains(&credit.id) {
            continue;
        }
        let at = credit.created_at.parse::<Timestamp>().map_err(failed)?;
        if at + SKEW >= sent_at {
            candidates.push((at, credit.id));
        }
    }
    Ok(candidates.into_iter().min().map(|(_, id)| id))
}

async fn look_again(run: &Run, mut tx: Tx, shop: ShopId, payout: &Payout) -> Result<(), TaskError> {
    let now = run.now();
    let order = Order::new(format!("{}@{}", payout.id, now.as_second())).at(now + LOOK_EVERY);
    tasks::push(&mut tx, shop, &Pay { payout: payout.id }, order, now).await.map_err(failed)?;
    run.finish(tx).await
}

async fn end(run: &Run, shop: ShopId, payout: &Payout, outcome: Outcome<'_>) -> Result<(), TaskError> {
    let mut tx = run.begin().await?;
    if !settle(&mut tx, shop, payout.id, outcome, run.now()).await.map_err(failed)? {
        return Ok(());
    }
    run.finish(tx).await
}

/// What names the payout on a gift card.
fn note(payout: &Payout) -> String {
    format!("LoyalNest {}", payout.id)
}

fn failed(error: impl std::error::Error) -> TaskError {
    TaskError::Failed(error.to_string())
}
