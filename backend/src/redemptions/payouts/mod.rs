//! Payouts: rewards that need no cart, because Shopify pays them out as store credit or as a gift card.
//!
//! Shopify has no idempotency there. So the intent is written down first, with its points held; Shopify is asked once; and
//! where its answer is lost, what it made is looked for. Only what was found is spent, and only what is surely not there is
//! given back.
//!
//! ```text
//! asked ─► sent ─┬─► done                    points spent
//!   ▲       │    ├─► refused                 points back
//!   └───────┘    └─► unknown ─► done, or refused once it is surely not there
//!  not begun
//! ```

mod pay;
mod resume;
pub mod routes;
mod store;

use loyalty::reward::PayoutKind;
use loyalty::{Currency, Money, Points};
use uuid::Uuid;

use super::catalogue::{Refusal, Visit};
use super::stock::{self, Taken};
use super::{Error, lifecycle, store as holds};
use crate::db::{self, Read, Timestamp, Tx};
use crate::ids::{MemberId, ShopId};
use crate::points::{self, Book, SpendId};
use crate::tasks::{self, Order};
use crate::{customers, programs, sync};

pub use pay::Pay;
pub use resume::Resume;
pub(super) use store::{had, merge, violations};

crate::text_enum! {
    /// What is paid out.
    pub enum Kind {
        /// Store credit.
        StoreCredit = "store_credit",
        /// A gift card.
        GiftCard = "gift_card",
    }
}

crate::text_enum! {
    /// Where a payout stands.
    pub enum State {
        /// Its points are held; Shopify was not asked yet.
        Asked = "asked",
        /// Shopify is being asked, or was when the process died.
        Sent = "sent",
        /// Shopify's answer is lost: what it made is looked for.
        Unknown = "unknown",
        /// Shopify made it.
        Done = "done",
        /// Shopify made nothing; the points are free again.
        Refused = "refused",
    }
}

impl State {
    /// Whether nothing more comes of it.
    pub fn is_settled(self) -> bool {
        matches!(self, State::Done | State::Refused)
    }
}

/// Something that is to be paid out, and what became of it.
#[derive(Debug, Clone)]
pub struct Payout {
    /// Its id.
    pub id: Uuid,
    /// Whose points.
    pub member: MemberId,
    /// The reward.
    pub reward: String,
    /// What is paid out.
    pub kind: Kind,
    /// How much.
    pub amount: Money,
    /// What it costs.
    pub points: Points,
    /// Where it stands.
    pub state: State,
    /// When Shopify was asked.
    pub sent_at: Option<Timestamp>,
    /// Why Shopify made nothing: its code.
    pub reason: Option<String>,
    spend: SpendId,
    stocked: bool,
}

/// What a member asks for.
#[derive(Debug, Clone)]
pub struct Wish {
    /// Made up by whoever asks: the same again is the same payout.
    pub id: Uuid,
    /// The reward's id.
    pub reward: String,
    /// In which currency.
    pub currency: Currency,
}

/// Writes down that something is to be paid out, holds its points, and has a task see to it. The same wish again gives what
/// became of it.
///
/// # Errors
/// [`Error::Refused`], [`Error::UnknownReward`], [`Error::Pick`], [`Error::PayoutUnderWay`], [`Error::OtherPayout`], or too
/// few points; the transaction must be rolled back then.
pub async fn ask(
    tx: &mut Tx,
    shop: ShopId,
    member: MemberId,
    wish: Wish,
    now: Timestamp,
) -> Result<Payout, Error> {
    let program = programs::current(tx, shop).await?;
    let mut book = Book::load(tx, shop, &[member], &program, now).await?;
    let all = store::of_member(tx, shop, member, wish.id).await?;
    if let Some(known) = all.iter().find(|known| known.id == wish.id) {
        let is_same = known.reward == wish.reward && known.amount.currency() == wish.currency;
        return if is_same { Ok(known.clone()) } else { Err(Error::OtherPayout) };
    }
    // One at a time, so that what Shopify made can be told apart.
    if !all.is_empty() {
        return Err(Error::PayoutUnderWay);
    }
    let reward = program.program.reward(&wish.reward).ok_or(Error::UnknownReward)?;
    let (kind, amount) = reward.payout(wish.currency)?;
    if customers::is_shadow(tx, shop, member).await? {
        return Err(Refusal::Unclaimed.into());
    }
    if holds::is_under_review(tx, shop, member).await? {
        return Err(Refusal::UnderReview.into());
    }
    if let Some(refusal) = Visit::of(tx, shop, member, now).await?.refuses(tx, reward, None).await? {
        return Err(refusal.into());
    }
    // What is paid out cannot be taken back.
    let times = &program.program.holds;
    if let Some(again_at) = lifecycle::on_its_way_until(tx, shop, member, times, now).await? {
        return Err(Refusal::Replaced { again_at }.into());
    }
    let spend = SpendId(Uuid::now_v7());
    book.hold(member, spend, reward.points)?;
    book.save(tx).await?;
    let taken = stock::take(tx, shop, &wish.reward).await?;
    if taken == Taken::None {
        return Err(Refusal::SoldOut.into());
    }
    let payout = Payout {
        id: wish.id,
        member,
        reward: wish.reward,
        kind: match kind {
            PayoutKind::StoreCredit => Kind::StoreCredit,
            PayoutKind::GiftCard => Kind::GiftCard,
        },
        amount,
        points: reward.points,
        state: State::Asked,
        sent_at: None,
        reason: None,
        spend,
        stocked: taken == Taken::One,
    };
    if !store::insert(tx, shop, &payout, now).await? {
        // Another member's.
        return Err(Error::OtherPayout);
    }
    tasks::push(tx, shop, &Pay { payout: payout.id }, Order::new(payout.id.to_string()), now)
        .await
        .map_err(db::Error::other)?;
    sync::mark(tx, shop, &[member], now).await?;
    Ok(payout)
}

/// The member's payout of which more is to come.
///
/// # Errors
/// Any error of the database.
pub async fn under_way(read: &mut Read, shop: ShopId, member: MemberId) -> Result<Option<Payout>, Error> {
    Ok(store::of_member(read, shop, member, Uuid::nil()).await?.pop())
}

/// What came of it.
#[derive(Debug, Clone, Copy)]
enum Outcome<'a> {
    /// Shopify made this.
    Made(&'a str),
    /// It made nothing: a code.
    Nothing(&'a str),
}

/// Settles a payout, once: its points are spent, or free again. Says whether it was still to be settled.
async fn settle(
    tx: &mut Tx,
    shop: ShopId,
    id: Uuid,
    outcome: Outcome<'_>,
    now: Timestamp,
) -> Result<bool, Error> {
    let Some(payout) = store::find(tx, shop, id).await? else { return Ok(false) };
    let program = programs::current(tx, shop).await?;
    let mut book = Book::load(tx, shop, &[payout.member], &program, now).await?;
    if !store::settle(tx, shop, id, outcome, now).await? {
        return Ok(false);
    }
    book.load_spends(tx, &[payout.spend]).await?;
    match outcome {
        Outcome::Made(_) => book.capture(payout.member, payout.spend, payout.points)?,
        Outcome::Nothing(_) => book.release(payout.member, payout.spend, points::Source::Shopify)?,
    }
    book.save(tx).await?;
    if payout.stocked && matches!(outcome, Outcome::Nothing(_)) {
        stock::add(tx, shop, &payout.reward, 1).await?;
    }
    sync::mark(tx, shop, &[payout.member], now).await?;
    Ok(true)
}
