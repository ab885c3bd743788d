//! What happened: the domain events and their names.

use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::payload::{
    AccountsDrifted, BooksBroken, CustomerCreated, CustomerUpdated, GdprRequestCreated, ImportCompleted,
    ImportReverted, MerchantCreated, PointsExpiring, PointsMoved, ProductUpdated, RedemptionUnbacked,
    ReferralCompleted, ReferralCreated, ReferralReversed, RfmUpdated, ShopBehind, ShopifyBudgetLow,
    TaskCompleted, TaskCreated, VipTierAssigned,
};
use crate::db::Timestamp;
use crate::ids::ShopId;

crate::text_enum! {
    /// The name of an event.
    #[derive(Hash)]
    pub enum Kind {
        /// A member has more points to spend.
        PointsEarned = "points.earned",
        /// An order used points that were held for it.
        PointsRedeemed = "points.redeemed",
        /// Staff gave a member points, or took some.
        PointsAdjusted = "points.adjusted",
        /// Points of a member were not spent in time.
        PointsExpired = "points.expired",
        /// Points of a member expire soon.
        PointsExpiring = "points.expiring",
        /// An order carried a discount that points did not, or not simply, cover.
        RedemptionUnbacked = "redemption.unbacked",
        /// A customer became a member.
        CustomerCreated = "customer.created",
        /// Something became of a member's customer.
        CustomerUpdated = "customer.updated",
        /// A member belongs to another tier than before.
        VipTierAssigned = "vip_tier.assigned",
        /// A member is in another segment than before.
        RfmUpdated = "rfm.updated",
        /// A friend says, or an order does, by whom they were sent.
        ReferralCreated = "referral.created",
        /// A friend's first order stands: both have their points.
        ReferralCompleted = "referral.completed",
        /// A referral that was completed gives nothing any more.
        ReferralReversed = "referral.reversed",
        /// A file of members was imported.
        ImportCompleted = "import.completed",
        /// What an import brought was taken back.
        ImportReverted = "import.reverted",
        /// A product was changed or deleted.
        ProductUpdated = "product.updated",
        /// Somebody asked about the data that is held of them, or of the shop.
        GdprRequestCreated = "gdpr_request.created",
        /// Published accounts were not what the ledger says.
        AccountsDrifted = "accounts.drifted",
        /// An invariant of a shop's books does not hold.
        BooksBroken = "books.broken",
        /// A shop installed the app.
        MerchantCreated = "merchant.created",
        /// Webhooks of a shop wait too long.
        ShopBehind = "shop.behind",
        /// Little is left of what a shop lets the app ask of it.
        ShopifyBudgetLow = "shopify.budget_low",
        /// A task of a shop was pushed.
        TaskCreated = "task.created",
        /// A task of a shop was done or given up.
        TaskCompleted = "task.completed",
    }
}

/// Something that happened, with all that is needed to act on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Event {
    /// `points.earned`.
    PointsEarned(PointsMoved),
    /// `points.redeemed`.
    PointsRedeemed(PointsMoved),
    /// `points.adjusted`.
    PointsAdjusted(PointsMoved),
    /// `points.expired`.
    PointsExpired(PointsMoved),
    /// `points.expiring`.
    PointsExpiring(PointsExpiring),
    /// `redemption.unbacked`.
    RedemptionUnbacked(RedemptionUnbacked),
    /// `customer.created`.
    CustomerCreated(CustomerCreated),
    /// `customer.updated`.
    CustomerUpdated(CustomerUpdated),
    /// `vip_tier.assigned`.
    VipTierAssigned(VipTierAssigned),
    /// `rfm.updated`.
    RfmUpdated(RfmUpdated),
    /// `referral.created`.
    ReferralCreated(ReferralCreated),
    /// `referral.completed`.
    ReferralCompleted(ReferralCompleted),
    /// `referral.reversed`.
    ReferralReversed(ReferralReversed),
    /// `import.completed`.
    ImportCompleted(ImportCompleted),
    /// `import.reverted`.
    ImportReverted(ImportReverted),
    /// `product.updated`.
    ProductUpdated(ProductUpdated),
    /// `gdpr_request.created`.
    GdprRequestCreated(GdprRequestCreated),
    /// `accounts.drifted`.
    AccountsDrifted(AccountsDrifted),
    /// `books.broken`.
    BooksBroken(BooksBroken),
    /// `merchant.created`.
    MerchantCreated(MerchantCreated),
    /// `shop.behind`.
    ShopBehind(ShopBehind),
    /// `shopify.budget_low`.
    ShopifyBudgetLow(ShopifyBudgetLow),
    /// `task.created`.
    TaskCreated(TaskCreated),
    /// `task.completed`.
    TaskCompleted(TaskCompleted),
}

impl Event {
    /// The version of the payloads' shape. A change that old readers cannot read raises it.
    pub const VERSION: i64 = 1;

    /// Its name.
    pub fn kind(&self) -> Kind {
        match self {
            Event::PointsEarned(_) => Kind::PointsEarned,
            Event::PointsRedeemed(_) => Kind::PointsRedeemed,
            Event::PointsAdjusted(_) => Kind::PointsAdjusted,
            Event::PointsExpired(_) => Kind::PointsExpired,
            Event::PointsExpiring(_) => Kind::PointsExpiring,
            Event::RedemptionUnbacked(_) => Kind::RedemptionUnbacked,
            Event::CustomerCreated(_) => Kind::CustomerCreated,
            Event::CustomerUpdated(_) => Kind::CustomerUpdated,
            Event::VipTierAssigned(_) => Kind::VipTierAssigned,
            Event::RfmUpdated(_) => Kind::RfmUpdated,
            Event::ReferralCreated(_) => Kind::ReferralCreated,
            Event::ReferralCompleted(_) => Kind::ReferralCompleted,
            Event::ReferralReversed(_) => Kind::ReferralReversed,
            Event::ImportCompleted(_) => Kind::ImportCompleted,
            Event::ImportReverted(_) => Kind::ImportReverted,
            Event::ProductUpdated(_) => Kind::ProductUpdated,
            Event::GdprRequestCreated(_) => Kind::GdprRequestCreated,
            Event::AccountsDrifted(_) => Kind::AccountsDrifted,
            Event::BooksBroken(_) => Kind::BooksBroken,
            Event::MerchantCreated(_) => Kind::MerchantCreated,
            Event::ShopBehind(_) => Kind::ShopBehind,
            Event::ShopifyBudgetLow(_) => Kind::ShopifyBudgetLow,
            Event::TaskCreated(_) => Kind::TaskCreated,
            Event::TaskCompleted(_) => Kind::TaskCompleted,
        }
    }

    /// Whom it keeps in order with, within its shop.
    pub fn key(&self) -> String {
        let member = match self {
            Event::PointsEarned(moved)
            | Event::PointsRedeemed(moved)
            | Event::PointsAdjusted(moved)
            | Event::PointsExpired(moved) => moved.member,
            Event::PointsExpiring(expiring) => expiring.member,
            Event::CustomerCreated(created) => created.member,
            Event::CustomerUpdated(updated) => updated.member,
            Event::VipTierAssigned(assigned) => assigned.member,
            Event::RfmUpdated(updated) => updated.member,
            Event::ReferralCreated(created) => created.friend,
            Event::ReferralCompleted(completed) => completed.friend,
            Event::ReferralReversed(reversed) => reversed.friend,
            Event::ProductUpdated(updated) => return format!("product:{}", updated.product),
            Event::RedemptionUnbacked(RedemptionUnbacked { member: Some(member), .. }) => *member,
            Event::RedemptionUnbacked(unbacked) => return format!("order:{}", unbacked.order),
            Event::ImportCompleted(ImportCompleted { batch, .. })
            | Event::ImportReverted(ImportReverted { batch, .. }) => return format!("import:{batch}"),
            Event::AccountsDrifted(_)
            | Event::BooksBroken(_)
            | Event::MerchantCreated(_)
            | Event::ShopBehind(_)
            | Event::ShopifyBudgetLow(_)
            | Event::GdprRequestCreated(_) => return "shop".to_owned(),
            Event::TaskCreated(TaskCreated { task, .. })
            | Event::TaskCompleted(TaskCompleted { task, .. }) => {
                return format!("task:{task}");
            }
        };
        format!("member:{member}")
    }

    /// The event that a payload is.
    pub(super) fn read(kind: Kind, payload: Value) -> Result<Event, serde_json::Error> {
        use serde_json::from_value;
        Ok(match kind {
            Kind::PointsEarned => Event::PointsEarned(from_value(payload)?),
            Kind::PointsRedeemed => Event::PointsRedeemed(from_value(payload)?),
            Kind::PointsAdjusted => Event::PointsAdjusted(from_value(payload)?),
            Kind::PointsExpired => Event::PointsExpired(from_value(payload)?),
            Kind::PointsExpiring => Event::PointsExpiring(from_value(payload)?),
            Kind::RedemptionUnbacked => Event::RedemptionUnbacked(from_value(payload)?),
            Kind::CustomerCreated => Event::CustomerCreated(from_value(payload)?),
            Kind::CustomerUpdated => Event::CustomerUpdated(from_value(payload)?),
            Kind::VipTierAssigned => Event::VipTierAssigned(from_value(payload)?),
            Kind::RfmUpdated => Event::RfmUpdated(from_value(payload)?),
            Kind::ReferralCreated => Event::ReferralCreated(from_value(payload)?),
            Kind::ReferralCompleted => Event::ReferralCompleted(from_value(payload)?),
            Kind::ReferralReversed => Event::ReferralReversed(from_value(payload)?),
            Kind::ImportCompleted => Event::ImportCompleted(from_value(payload)?),
            Kind::ImportReverted => Event::ImportReverted(from_value(payload)?),
            Kind::ProductUpdated => Event::ProductUpdated(from_value(payload)?),
            Kind::GdprRequestCreated => Event::GdprRequestCreated(from_value(payload)?),
            Kind::AccountsDrifted => Event::AccountsDrifted(from_value(payload)?),
            Kind::BooksBroken => Event::BooksBroken(from_value(payload)?),
            Kind::MerchantCreated => Event::MerchantCreated(from_value(payload)?),
            Kind::ShopBehind => Event::ShopBehind(from_value(payload)?),
            Kind::ShopifyBudgetLow => Event::ShopifyBudgetLow(from_value(payload)?),
            Kind::TaskCreated => Event::TaskCreated(from_value(payload)?),
            Kind::TaskCompleted => Event::TaskCompleted(from_value(payload)?),
        })
    }
}

/// An event on its way to a subscriber.
#[derive(Debug, Clone)]
pub struct Envelope {
    /// The same in every delivery: what an idempotent subscriber remembers.
    pub id: Uuid,
    /// Where it stands among all.
    pub position: i64,
    /// Whose it is.
    pub shop: ShopId,
    /// Whom it keeps in order with.
    pub key: String,
    /// When it happened (UTC).
    pub occurred_at: Timestamp,
    /// What happened.
    pub event: Event,
}

#[cfg(test)]
mod tests {
    use super::super::payload::{CustomerChange, TaskOutcome};
    use super::*;
    use crate::ids::{CustomerId, MemberId, OrderId};

    #[test]
    fn a_payload_reads_back_as_the_event_it_was() {
        let (member, entry) = (MemberId(Uuid::from_u128(1)), Uuid::from_u128(2));
        let moved = PointsMoved { member, entry, seq: 1, points: 5, source_id: "order:1#1".into() };
        let unbacked = RedemptionUnbacked {
            order: OrderId(9_007_199_254_740_993), // 2^53 + 1
            member: None,
            currency: "GBP".into(),
            used_minor: 500,
            unbacked_minor: 500,
        };
        for (event, name, key) in [
            (Event::PointsEarned(moved.clone()), "points.earned", format!("member:{member}")),
            (Event::PointsRedeemed(moved.clone()), "points.redeemed", format!("member:{member}")),
            (
                Event::PointsAdjusted(PointsMoved { points: -5, ..moved.clone() }),
                "points.adjusted",
                format!("member:{member}"),
            ),
            (Event::PointsExpired(moved), "points.expired", format!("member:{member}")),
            (
                Event::PointsExpiring(PointsExpiring {
                    member,
                    points: 5,
                    at: Timestamp::UNIX_EPOCH,
                    days: 30,
                }),
                "points.expiring",
                format!("member:{member}"),
            ),
            (Event::RedemptionUnbacked(unbacked), "redemption.unbacked", "order:9007199254740993".to_owned()),
            (
                Event::CustomerCreated(CustomerCreated { member, customer: CustomerId(7) }),
                "customer.created",
                format!("member:{member}"),
            ),
            (
                Event::CustomerUpdated(CustomerUpdated {
                    member,
                    change: CustomerChange::Merged { from: member },
                }),
                "customer.updated",
                format!("member:{member}"),
            ),
            (
                Event::CustomerUpdated(CustomerUpdated { member, change: CustomerChange::Deleted }),
                "customer.updated",
                format!("member:{member}"),
            ),
            (
                Event::VipTierAssigned(VipTierAssigned { member, tier: Some("gold".into()), before: None }),
                "vip_tier.assigned",
                format!("member:{member}"),
            ),
            (
                Event::RfmUpdated(RfmUpdated {
                    member,
                    segment: Some("seg_543".into()),
                    group: "active".into(),
                    before: None,
                }),
                "rfm.updated",
                format!("member:{member}"),
            ),
            (
                Event::ReferralCreated(ReferralCreated {
                    referral: entry,
                    advocate: member,
                    friend: member,
                    review: false,
                }),
                "referral.created",
                format!("member:{member}"),
            ),
            (
                Event::ReferralReversed(ReferralReversed {
                    referral: entry,
                    advocate: member,
                    friend: member,
                }),
                "referral.reversed",
                format!("member:{member}"),
            ),
            (
                Event::ReferralCompleted(ReferralCompleted {
                    referral: entry,
                    advocate: member,
                    friend: member,
                    order: Some(OrderId(9_007_199_254_740_993)),
                    advocate_points: 200,
                    friend_points: 100,
                }),
                "referral.completed",
                format!("member:{member}"),
            ),
            (
                Event::ImportCompleted(ImportCompleted {
                    batch: entry,
                    imported: 9,
                    refused: 1,
                    points: 500,
                }),
                "import.completed",
                format!("import:{entry}"),
            ),
            (
                Event::ImportReverted(ImportReverted { batch: entry, taken_back: 400, left_alone: 100 }),
                "import.reverted",
                format!("import:{entry}"),
            ),
            (
                Event::ProductUpdated(ProductUpdated { product: 9_007_199_254_740_993, deleted: true }),
                "product.updated",
                "product:9007199254740993".to_owned(),
            ),
            (
                Event::GdprRequestCreated(GdprRequestCreated {
                    request: entry,
                    kind: "shop/redact".into(),
                    refused: Some("reinstalled".into()),
                    due_at: Timestamp::UNIX_EPOCH,
                }),
                "gdpr_request.created",
                "shop".to_owned(),
            ),
            (
                Event::AccountsDrifted(AccountsDrifted { run: entry, members: 9, drifted: 2, orphans: 1 }),
                "accounts.drifted",
                "shop".to_owned(),
            ),
            (
                Event::BooksBroken(BooksBroken {
                    violations: 2,
                    invariants: vec!["postings_sum_to_zero".into()],
                }),
                "books.broken",
                "shop".to_owned(),
            ),
            (
                Event::MerchantCreated(MerchantCreated { domain: "tea.myshopify.com".into() }),
                "merchant.created",
                "shop".to_owned(),
            ),
            (
                Event::ShopBehind(ShopBehind { waiting: 3, oldest_at: Timestamp::UNIX_EPOCH }),
                "shop.behind",
                "shop".to_owned(),
            ),
            (
                Event::ShopifyBudgetLow(ShopifyBudgetLow { available: 399, maximum: 2000 }),
                "shopify.budget_low",
                "shop".to_owned(),
            ),
            (
                Event::TaskCreated(TaskCreated { task: entry, kind: "a.b".into() }),
                "task.created",
                format!("task:{entry}"),
            ),
            (
                Event::TaskCompleted(TaskCompleted {
                    task: entry,
                    kind: "a.b".into(),
                    outcome: TaskOutcome::Dead,
                    attempts: 3,
                }),
                "task.completed",
                format!("task:{entry}"),
            ),
        ] {
            let payload = serde_json::to_string(&event).unwrap();
            let read = Event::read(event.kind(), serde_json::from_str(&payload).unwrap()).unwrap();
            assert_eq!((read.kind().as_str(), read.key()), (name, key), "{payload}");
            assert_eq!(read, event);
        }
        assert!(Event::read(Kind::PointsEarned, serde_json::json!({})).is_err());
    }
}
