//! The catalogue: which rewards a member can have just now, and why not the others. A pick is held to the same.

use loyalty::gate::Closed;
use loyalty::reward::Reward;
use loyalty::rfm::Group;
use loyalty::{HoldId, Limit, LocalTime, Points};
use uuid::Uuid;

use super::{Error, lifecycle, payouts, stock, store};
use crate::db;
use crate::db::{Read, Timestamp};
use crate::ids::{MemberId, ShopId};
use crate::points::Calendar;
use crate::{campaigns, customers, merchants, points, programs, rfm};

/// Why a reward cannot be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Its gate is closed.
    #[error(transparent)]
    Closed(#[from] Closed),
    /// The member has had it as often as it may be had.
    #[error("the reward was had as often as it may be had")]
    LimitReached {
        /// When the next time begins; never, where there is none.
        again_at: Option<Timestamp>,
    },
    /// None is left.
    #[error("the reward is sold out")]
    SoldOut,
    /// The member has too few points.
    #[error("there are not enough points for this reward")]
    Insufficient,
    /// The member's customer has no account at the shop yet.
    #[error("points can be spent once there is an account at the shop")]
    Unclaimed,
    /// What the member picked before may still be used by an order that is on its way.
    #[error("an order with the reward that was picked before may still be on its way")]
    Replaced {
        /// When it would have come.
        again_at: Timestamp,
    },
    /// An order of this member waits for the merchant's review.
    #[error("redemptions of this member wait for the merchant's review")]
    UnderReview,
}

impl Refusal {
    /// Its name for programs; it does not change.
    pub fn code(&self) -> &'static str {
        match self {
            Refusal::Closed(Closed::Until(_)) | Refusal::Replaced { .. } => "not_yet",
            Refusal::Closed(Closed::Over) => "over",
            Refusal::Closed(Closed::Tier) => "other_tier",
            Refusal::Closed(Closed::Segment) => "other_segment",
            Refusal::LimitReached { .. } => "limit_reached",
            Refusal::SoldOut => "sold_out",
            Refusal::Insufficient => "insufficient_points",
            Refusal::Unclaimed => "account_unclaimed",
            Refusal::UnderReview => "under_review",
        }
    }

    /// From when on it can be had, where that is known: an instant (UTC), or a minute on the shop's clock.
    pub fn again_at(&self) -> Option<String> {
        match self {
            Refusal::Closed(Closed::Until(from)) => Some(from.to_string()),
            Refusal::LimitReached { again_at } => again_at.map(|at| at.to_string()),
            Refusal::Replaced { again_at } => Some(again_at.to_string()),
            _ => None,
        }
    }
}

/// A reward as a member finds it.
#[derive(Debug, Clone)]
pub struct Offer {
    /// The reward.
    pub reward: Reward,
    /// How many are left, where that has an end.
    pub left: Option<i64>,
    /// Why the member cannot have it just now.
    pub refusal: Option<Refusal>,
}

/// Every reward of the program, as a member finds it. Who is none has no points.
///
/// # Errors
/// Any error of the database.
pub async fn offers(
    read: &mut Read,
    shop: ShopId,
    member: Option<MemberId>,
    now: Timestamp,
) -> Result<Vec<Offer>, Error> {
    let program = programs::current(read, shop).await?.program;
    let Some(member) = member else {
        let unaffordable = |reward| Offer { reward, left: None, refusal: Some(Refusal::Insufficient) };
        return Ok(program.rewards.into_iter().map(unaffordable).collect());
    };
    let visit = Visit::of(read, shop, member, now).await?;
    let balance = points::balance(read, shop, member, now).await?;
    let standing = lifecycle::standing(read, shop, member).await?;
    // What is held is free again for another pick.
    let points = balance.available.plus(standing.map_or(Points::ZERO, |hold| hold.terms.points));
    let points = points.map_err(points::Error::from)?;
    let is_shadow = customers::is_shadow(read, shop, member).await?;
    let under_review = store::is_under_review(read, shop, member).await?;
    let levels = stock::levels(read, shop).await?;
    let mut offers = Vec::new();
    for reward in program.rewards {
        let left = levels.get(&reward.id).copied();
        let refusal = match visit.refuses(read, &reward, None).await? {
            Some(refusal) => Some(refusal),
            None if left == Some(0) => Some(Refusal::SoldOut),
            None if points < reward.points => Some(Refusal::Insufficient),
            None if is_shadow => Some(Refusal::Unclaimed),
            None if under_review => Some(Refusal::UnderReview),
            None => None,
        };
        offers.push(Offer { reward, left, refusal });
    }
    Ok(offers)
}

/// A member at one moment.
pub(super) struct Visit {
    shop: ShopId,
    member: MemberId,
    tier: Option<String>,
    group: Group,
    calendar: Calendar,
    minute: LocalTime,
}

impl Visit {
    pub(super) async fn of(
        read: &mut Read,
        shop: ShopId,
        member: MemberId,
        now: Timestamp,
    ) -> Result<Visit, Error> {
        let zone = merchants::zone(read, shop).await?;
        // In years of five digits, which clocks do not show, what has a beginning does not begin.
        let minute = programs::minute(&zone, now).unwrap_or_default();
        let tier = campaigns::tier_of(read, shop, member).await?;
        let segments = rfm::segments(read, shop, &[member]).await?;
        Ok(Visit {
            shop,
            member,
            tier,
            group: Group::of(segments.get(&member).copied()),
            calendar: Calendar::new(now, zone, loyalty::Expiry::default()),
            minute,
        })
    }

    /// Why the reward's gate keeps the member out, if it does; a hold that is about to be replaced does not count.
    pub(super) async fn refuses(
        &self,
        read: &mut Read,
        reward: &Reward,
        replaced: Option<HoldId>,
    ) -> Result<Option<Refusal>, db::Error> {
        if let Err(closed) = reward.gate.admits(self.tier.as_deref(), self.group, self.minute) {
            return Ok(Some(closed.into()));
        }
        let Some(Limit { most, per }) = reward.gate.limit else { return Ok(None) };
        let today = self.calendar.day(self.calendar.now());
        let begins = per.begins_on(today).map_or(Timestamp::UNIX_EPOCH, |day| self.calendar.start(day));
        if self.had(read, &reward.id, begins, replaced).await? < i64::from(most) {
            return Ok(None);
        }
        Ok(Some(Refusal::LimitReached { again_at: per.over_on(today).map(|day| self.calendar.start(day)) }))
    }

    /// How often the member has had the reward since then.
    async fn had(
        &self,
        read: &mut Read,
        reward: &str,
        since: Timestamp,
        but: Option<HoldId>,
    ) -> Result<i64, db::Error> {
        let (had,): (i64,) = db!(
            read.one,
            "select count(*) from redemptions_holds
             where shop_id = $1 and member_id = $2 and reward_id = $3 and opened_at >= $4
                 and (state <> 'released' or order_id is not null) and hold_id <> $5",
            self.shop,
            self.member,
            reward,
            since,
            but.map_or(Uuid::nil(), |hold| Uuid::from_u128(hold.0))
        )?;
        Ok(had + payouts::had(read, self.shop, self.member, reward, since).await?)
    }
}
