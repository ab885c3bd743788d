//! What the inbox does with webhooks about customers.

use async_trait::async_trait;
use serde::Deserialize;

use super::{Error, birthdays, emails, merge, shadows, sign_ups, store, tags};
use crate::clock::Clock;
use crate::db::{Timestamp, Tx};
use crate::events::{self, CustomerChange, CustomerUpdated, Event};
use crate::ids::{CustomerId, MemberId, ShopId};
use crate::inbox::{Handler, HandlerError, Message, Outcome};
use crate::{programs, redemptions, referrals, rfm, sync};

/// The longest state that is kept: Shopify's words are shorter.
const LONGEST_STATE: usize = 32;

/// Topics that tell of tags alone.
const TAGS_ADDED: &str = "customer.tags_added";
const TAGS_REMOVED: &str = "customer.tags_removed";

/// Acts on the topics that tell of customers, except privacy requests.
#[derive(Debug, Clone)]
pub struct CustomerHandler {
    clock: Clock,
}

/// A customer, as `customers/create` and `update` tell. They carry much more, which is not read.
#[derive(Deserialize)]
struct CustomerJson {
    id: i64,
    state: Option<String>,
    updated_at: Timestamp,
}

/// Whom a message is about.
#[derive(Deserialize)]
struct IdJson {
    id: i64,
}

#[derive(Deserialize)]
struct MergeJson {
    admin_graphql_api_customer_kept_id: String,
    admin_graphql_api_customer_deleted_id: String,
    status: String,
}

impl CustomerHandler {
    /// A handler with this clock.
    pub fn new(clock: Clock) -> Self {
        CustomerHandler { clock }
    }

    /// Acts on a message, and adds those who have signed up by it.
    async fn act(
        &self,
        tx: &mut Tx,
        message: &Message,
        signed_up: &mut Vec<MemberId>,
    ) -> Result<Outcome, Error> {
        let now = self.clock.now();
        let acted = match message.topic.as_str() {
            "customers/create" => match serde_json::from_slice(&message.payload) {
                Ok(customer) => {
                    signed_up.extend(created(tx, message.shop, &customer, now).await?);
                    Ok(Some(()))
                }
                Err(_) => Ok(None),
            },
            "customers/update" => match serde_json::from_slice(&message.payload) {
                Ok(customer) => {
                    let CustomerJson { id, state, updated_at } = customer;
                    let id = CustomerId(id);
                    signed_up.extend(updated(tx, message.shop, id, state.as_deref(), updated_at, now).await?);
                    Ok(Some(()))
                }
                Err(_) => Ok(None),
            },
            "customers/delete" => match serde_json::from_slice::<IdJson>(&message.payload) {
                Ok(customer) => deleted(tx, message.shop, CustomerId(customer.id), now).await.map(Some),
                Err(_) => Ok(None),
            },
            topic @ (TAGS_ADDED | TAGS_REMOVED) => match serde_json::from_slice(&message.payload) {
                Ok(told) => Ok(tags::told(tx, message.shop, &told, topic == TAGS_ADDED, now).await?),
                Err(_) => Ok(None),
            },
            _ => match serde_json::from_slice(&message.payload) {
                Ok(told) => merged(tx, message.shop, &told, now).await,
                Err(_) => Ok(None),
            },
        };
        Ok(match acted? {
            Some(()) => Outcome::Done,
            None => Outcome::Dead("not the payload of this topic".to_owned()),
        })
    }
}

#[async_trait]
impl Handler for CustomerHandler {
    fn knows(&self, topic: &str) -> bool {
        matches!(topic, "customers/create" | "customers/update" | "customers/delete" | "customers/merge")
            || matches!(topic, TAGS_ADDED | TAGS_REMOVED)
    }

    async fn handle(&self, tx: &mut Tx, batch: &[Message]) -> Result<Vec<Outcome>, HandlerError> {
        let mut outcomes = Vec::with_capacity(batch.len());
        let (mut changed, mut signed_up) = (Vec::new(), Vec::new());
        for message in batch {
            outcomes.push(self.act(tx, message, &mut signed_up).await?);
            let may_bring_an_address =
                matches!(message.topic.as_str(), "customers/create" | "customers/update");
            if let (true, Ok(IdJson { id })) =
                (may_bring_an_address, serde_json::from_slice(&message.payload))
            {
                changed.push(CustomerId(id));
            }
        }
        if let (Some(Message { shop, .. }), false) = (batch.first(), changed.is_empty()) {
            emails::follow(tx, *shop, &changed, self.clock.now()).await?;
        }
        if let (Some(Message { shop, .. }), false) = (batch.first(), signed_up.is_empty()) {
            sign_ups::give(tx, *shop, &signed_up, self.clock.now()).await?;
        }
        Ok(outcomes)
    }
}

impl From<Error> for HandlerError {
    fn from(error: Error) -> HandlerError {
        match error {
            Error::Program(error) => error.into(),
            Error::Referrals(error) => error.into(),
            Error::Points(error) => error.into(),
            Error::Redemptions(error) => error.into(),
            Error::Db(error) => error.into(),
        }
    }
}

/// A new customer is a member, and finds an account with nothing in it; says who it is if they have signed up by that.
async fn created(
    tx: &mut Tx,
    shop: ShopId,
    customer: &CustomerJson,
    now: Timestamp,
) -> Result<Option<MemberId>, Error> {
    let id = CustomerId(customer.id);
    let member = store::enrol(tx, shop, &[id], now).await?.remove(&id);
    let signed_up = updated(tx, shop, id, customer.state.as_deref(), customer.updated_at, now).await?;
    match member {
        // They were made with an account, or have one by now: what was told of that came first.
        Some(member) if signed_up.is_none() && store::has_account(tx, shop, member).await? => {
            Ok(sign_ups::note(tx, shop, member, now).await?.then_some(member))
        }
        _ => Ok(signed_up),
    }
}

/// PostgreSQL keeps no NUL, and no state of Shopify's has one.
pub(super) fn is_state(text: &str) -> bool {
    text.len() <= LONGEST_STATE && !text.contains('\0')
}

/// Of what changed, only the state of the account is ours: whether it is a guest's. Who is no member does not become one
/// by being changed. Says who has signed up by it.
pub(super) async fn updated(
    tx: &mut Tx,
    shop: ShopId,
    id: CustomerId,
    state: Option<&str>,
    told_at: Timestamp,
    now: Timestamp,
) -> Result<Option<MemberId>, Error> {
    let Some(state) = state.filter(|state| is_state(state)) else { return Ok(None) };
    let known = store::set_state(tx, shop, id, state, told_at).await?;
    let changed = known.filter(|(_, before)| before.as_deref().is_some_and(|before| before != state));
    if let Some((member, _)) = changed {
        let change = CustomerChange::State { state: state.to_owned() };
        let event = Event::CustomerUpdated(CustomerUpdated { member, change });
        events::publish(tx, shop, event, now).await?;
    }
    if state != "enabled" {
        return Ok(None);
    }
    let Some(member) = store::member(tx, shop, id).await? else { return Ok(None) };
    let claimed = shadows::claim(tx, shop, member, now).await?;
    let had_none = claimed || changed.is_some();
    Ok((had_none && sign_ups::note(tx, shop, member, now).await?).then_some(member))
}

/// Whom the shop deleted keeps their place in the ledger; what they had picked is let go, and nothing is written to
/// Shopify for them any more.
async fn deleted(tx: &mut Tx, shop: ShopId, customer: CustomerId, now: Timestamp) -> Result<(), Error> {
    let Some(member) = store::set_deleted(tx, shop, customer, now).await? else { return Ok(()) };
    emails::forget(tx, shop, &[member]).await?;
    birthdays::forget(tx, shop, &[member]).await?;
    tags::forget(tx, shop, &[member]).await?;
    let program = programs::current(tx, shop).await?;
    redemptions::let_go(tx, shop, member, &program, now).await?;
    rfm::leave(tx, shop, member).await?;
    referrals::leave(tx, shop, member, now).await?;
    sync::forget(tx, shop, member).await?;
    let event = Event::CustomerUpdated(CustomerUpdated { member, change: CustomerChange::Deleted });
    Ok(events::publish(tx, shop, event, now).await?)
}

/// Two customers became one, if that was completed. None if the payload names nobody.
async fn merged(tx: &mut Tx, shop: ShopId, told: &MergeJson, now: Timestamp) -> Result<Option<()>, Error> {
    let kept = number(&told.admin_graphql_api_customer_kept_id);
    let deleted = number(&told.admin_graphql_api_customer_deleted_id);
    let (Some(kept), Some(deleted)) = (kept, deleted) else { return Ok(None) };
    if told.status == "completed" && merge(tx, shop, kept, deleted, now).await? {
        tracing::info!(%shop, "two customers became one");
    }
    Ok(Some(()))
}

fn number(gid: &str) -> Option<CustomerId> {
    gid.strip_prefix("gid://shopify/Customer/")?.parse().ok().map(CustomerId)
}
