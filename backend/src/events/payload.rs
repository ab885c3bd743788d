//! What each event tells: ids and numbers, never personal data. Times are UTC.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::db::Timestamp;
use crate::ids::{CustomerId, MemberId, OrderId};

/// Points that an entry of the ledger moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PointsMoved {
    /// Whose points.
    pub member: MemberId,
    /// The entry.
    pub entry: Uuid,
    /// The number of the account's change.
    pub seq: i64,
    /// How many; positive, unless they were taken by hand.
    pub points: i64,
    /// What for, such as `order:1001#1` or `hold:…`.
    pub source_id: String,
}

/// Points that expire together, soon. Told once for each warning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PointsExpiring {
    /// Whose points.
    pub member: MemberId,
    /// How many; positive.
    pub points: i64,
    /// From when on they are gone (UTC).
    pub at: Timestamp,
    /// Which warning it is: so many days ahead, or fewer.
    pub days: i64,
}

/// A discount that the merchant is to review. Money in minor units of the order's currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedemptionUnbacked {
    /// The order.
    pub order: OrderId,
    /// Who placed it; none for a guest.
    pub member: Option<MemberId>,
    /// What the order was paid in, ISO 4217.
    pub currency: String,
    /// What the discount took off.
    pub used_minor: i64,
    /// What of it no points paid for.
    pub unbacked_minor: i64,
}

/// A new member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerCreated {
    /// The member.
    pub member: MemberId,
    /// Shopify's number of the customer.
    pub customer: CustomerId,
}

/// What became of a member's customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerUpdated {
    /// The member.
    pub member: MemberId,
    /// What became of them.
    pub change: CustomerChange,
}

/// What can become of a customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CustomerChange {
    /// Their account at the shop is in another state, in Shopify's word.
    State {
        /// Such as `enabled` or `disabled`.
        state: String,
    },
    /// Another member was merged into this one.
    Merged {
        /// Who is no more.
        from: MemberId,
    },
    /// They have an account now: what their orders earned before is theirs to spend.
    Claimed,
    /// The shop deleted them.
    Deleted,
    /// What led to a person was erased.
    Redacted,
}

/// A member who belongs to another tier than before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VipTierAssigned {
    /// Who.
    pub member: MemberId,
    /// The tier's id in the program; none for none.
    pub tier: Option<String>,
    /// The one before.
    pub before: Option<String>,
}

/// A member who is in another segment than before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RfmUpdated {
    /// Who.
    pub member: MemberId,
    /// The segment, such as `seg_543`; none for those who have no order of which something is left.
    pub segment: Option<String>,
    /// Its group, such as `active`; `prospects` for those.
    pub group: String,
    /// The segment before; none as well for those who were in none yet.
    pub before: Option<String>,
}

/// A friend whom an advocate sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferralCreated {
    /// The referral.
    pub referral: Uuid,
    /// Who sent.
    pub advocate: MemberId,
    /// Who was sent.
    pub friend: MemberId,
    /// Whether staff are to look at it before it counts.
    pub review: bool,
}

/// A referral that gives nothing any more: the friend's order was taken back, or staff refused it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferralReversed {
    /// The referral.
    pub referral: Uuid,
    /// Who sent.
    pub advocate: MemberId,
    /// Who was sent.
    pub friend: MemberId,
}

/// A friend whose first order stands, so that both have their points.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferralCompleted {
    /// The referral.
    pub referral: Uuid,
    /// Who sent.
    pub advocate: MemberId,
    /// Who was sent.
    pub friend: MemberId,
    /// The order.
    pub order: Option<OrderId>,
    /// What the advocate has for it.
    pub advocate_points: i64,
    /// What the friend has for it.
    pub friend_points: i64,
}

/// A file of members that was imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportCompleted {
    /// The batch.
    pub batch: Uuid,
    /// Rows that were imported.
    pub imported: i64,
    /// Rows that were refused.
    pub refused: i64,
    /// Points that members have from it.
    pub points: i64,
}

/// An import that was taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportReverted {
    /// The batch.
    pub batch: Uuid,
    /// Points that were taken back.
    pub taken_back: i64,
    /// Points that were not: members had spent them.
    pub left_alone: i64,
}

/// A product that was changed or deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductUpdated {
    /// Shopify's number of the product.
    pub product: i64,
    /// Whether it is gone.
    pub deleted: bool,
}

/// A privacy request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GdprRequestCreated {
    /// The request.
    pub request: Uuid,
    /// `customers/data_request`, `customers/redact` or `shop/redact`.
    pub kind: String,
    /// Why it is not acted upon, if so: a person should look.
    pub refused: Option<String>,
    /// When it must be settled (UTC).
    pub due_at: Timestamp,
}

/// Published accounts that were not what the ledger says; those of members are put right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountsDrifted {
    /// The reconcile that found them.
    pub run: Uuid,
    /// How many members' accounts were looked at.
    pub members: i64,
    /// How many were wrong, the orphans among them.
    pub drifted: i64,
    /// How many are published of customers who never were members.
    pub orphans: i64,
}

/// The books of a shop do not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BooksBroken {
    /// In how many places.
    pub violations: i64,
    /// The invariants that do not hold there.
    pub invariants: Vec<String>,
}

/// A new shop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MerchantCreated {
    /// Its permanent domain.
    pub domain: String,
}

/// A shop whose webhooks are not worked off in time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShopBehind {
    /// How many wait.
    pub waiting: i64,
    /// When the oldest of them came (UTC).
    pub oldest_at: Timestamp,
}

/// A shop whose bucket at the Admin API is more than 80 % used. It is told of once, until it was half full again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShopifyBudgetLow {
    /// How much is left, in cost points.
    pub available: i64,
    /// How much fits.
    pub maximum: i64,
}

/// A new task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskCreated {
    /// The task.
    pub task: Uuid,
    /// What is to be done.
    pub kind: String,
}

/// A task that came to its end. One that was given up and gets another chance comes to an end again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskCompleted {
    /// The task.
    pub task: Uuid,
    /// What was to be done.
    pub kind: String,
    /// Which end.
    pub outcome: TaskOutcome,
    /// How often it was tried.
    pub attempts: i64,
}

/// How a task ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TaskOutcome {
    /// It was done.
    Done,
    /// It was given up; a person should look.
    Dead,
}
