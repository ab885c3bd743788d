//! Effects that no order has: points that staff give or take, and those that an action gives. Each has a name. Whoever asks
//! again under it is told what came of it the first time, and nothing else can be had under it.

use jiff::SignedDuration;
use loyalty::program::ReturnPolicy;
use loyalty::{Limit, Points};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sqlx::types::Json;
use uuid::Uuid;

use super::account::{Lot, LotId};
use super::book::{Book, less};
use super::entry::{Kind, Ledger, Source};
use super::read::balance;
use super::{Calendar, Error};
use crate::db;
use crate::db::{Read, Timestamp, Tx};
use crate::ids::{MemberId, ShopId};
use crate::programs::Versioned;
use crate::sync;

crate::holds! {
    points_effects [shop_id, kind, source, source_id] of Member("member_id"), kept "with their entries" {
        shop_id: Id, kind: Plain, source: Plain, source_id: Plain, entry_id: Id, member_id: Id, cause: Plain,
        request: Plain, result: Json, booked_at: Time,
    }
}

/// The name of an effect, and all that is asked for under it.
#[derive(Debug, Clone)]
pub struct Asked {
    kind: Kind,
    source: Source,
    source_id: String,
    /// A digest.
    request: String,
}

impl Asked {
    /// Points as a bonus.
    ///
    /// # Errors
    /// When the request cannot be written as JSON.
    pub fn bonus(source: Source, source_id: String, request: &impl Serialize) -> Result<Asked, Error> {
        Asked::new(Kind::Bonus, source, source_id, request)
    }

    /// Points by hand.
    ///
    /// # Errors
    /// When the request cannot be written as JSON.
    pub fn adjustment(source_id: String, request: &impl Serialize) -> Result<Asked, Error> {
        Asked::new(Kind::Adjust, Source::Manual, source_id, request)
    }

    fn new(kind: Kind, source: Source, source_id: String, request: &impl Serialize) -> Result<Asked, Error> {
        let request = serde_json::to_vec(request).map_err(db::Error::other)?;
        Ok(Asked { kind, source, source_id, request: hex::encode(Sha256::digest(request)) })
    }
}

/// What is to be booked.
#[derive(Debug, Clone)]
pub struct Effect {
    /// Its name.
    pub asked: Asked,
    /// Whose points.
    pub member: MemberId,
    /// What it is for: `action:review`.
    pub cause: String,
    /// How many are given; taken, where they are less than zero.
    pub points: Points,
    /// How often the member may have this.
    pub limit: Option<Limit>,
    /// How long the member waits until the next time.
    pub cool_down: SignedDuration,
}

/// What was booked, as whoever asked is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The entry.
    pub entry: Uuid,
    /// What was given, or taken, if it is less than zero.
    pub points: Points,
    /// The points to spend, after it.
    pub available: Points,
    /// The number of the account's change.
    pub seq: i64,
    /// When it was booked (UTC).
    pub booked_at: Timestamp,
}

/// Why an effect is not booked.
#[derive(Debug, thiserror::Error)]
pub enum EffectError {
    /// Something else was asked for under this name before.
    #[error("something else was asked for with this key before")]
    KeyReused,
    /// The member has had this as often as it may be had.
    #[error("the member has had this as often as it may be had")]
    LimitReached {
        /// When the next time begins; never, where there is none.
        again_at: Option<Timestamp>,
    },
    /// The member had this a moment ago.
    #[error("the member had this a short time ago")]
    TooSoon {
        /// From when on it may be had again.
        again_at: Timestamp,
    },
    /// The member has fewer points, and may not owe any.
    #[error("the member has {available} points, and may not owe any")]
    BelowFloor {
        /// What the member has to spend.
        available: Points,
    },
    /// The points.
    #[error(transparent)]
    Points(#[from] Error),
    /// The database.
    #[error(transparent)]
    Db(#[from] db::Error),
}

/// What came of it when the same was asked for before.
///
/// # Errors
/// [`EffectError::KeyReused`] when something else was, or any error of the database.
pub async fn known(tx: &mut Read, shop: ShopId, asked: &Asked) -> Result<Option<Receipt>, EffectError> {
    let found: Option<(String, Json<Receipt>)> = db!(
        tx.optional,
        "select request, result from points_effects
         where shop_id = $1 and kind = $2 and source = $3 and source_id = $4",
        shop,
        asked.kind,
        asked.source,
        asked.source_id.as_str()
    )?;
    match found {
        Some((request, Json(receipt))) if request == asked.request => Ok(Some(receipt)),
        Some(_) => Err(EffectError::KeyReused),
        None => Ok(None),
    }
}

/// Books an effect, once: what came of it, and whether that is new. The transaction is spoilt by an error.
///
/// # Errors
/// [`EffectError`].
pub async fn apply(
    tx: &mut Tx,
    shop: ShopId,
    effect: Effect,
    program: &Versioned,
    now: Timestamp,
) -> Result<(Receipt, bool), EffectError> {
    let member = effect.member;
    let mut book = match effect.points.is_positive() {
        true => Book::open(tx, shop, &[member], program, now).await?,
        false => Book::load(tx, shop, &[member], program, now).await?,
    };
    // Whoever asked for the same at the same time has committed by now: the account is locked.
    if let Some(receipt) = known(tx, shop, &effect.asked).await? {
        return Ok((receipt, false));
    }
    check(tx, shop, &effect, &book.calendar).await?;
    // Without what has expired, although that may not be booked yet.
    let before = balance(tx, shop, member, now).await?.available;
    let receipt = book.give_or_take(&effect, program.program.returns, before)?;
    let asked = effect.asked;
    let inserted = db!(
        tx.execute,
        "insert into points_effects (shop_id, kind, source, source_id, entry_id, member_id, cause, request, result,
             booked_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         on conflict (shop_id, kind, source, source_id) do nothing",
        shop,
        asked.kind,
        asked.source,
        asked.source_id.as_str(),
        receipt.entry,
        member,
        effect.cause.as_str(),
        asked.request.as_str(),
        Json(&receipt),
        now
    )?;
    if inserted == 0 {
        // The same name for another member, at the same time.
        return Err(EffectError::KeyReused);
    }
    book.save(tx).await?;
    sync::mark(tx, shop, &[member], now).await?;
    Ok((receipt, true))
}

/// Whether the member may have it now. What is booked at a later time than it is, because a clock went backwards, counts.
async fn check(tx: &mut Read, shop: ShopId, effect: &Effect, calendar: &Calendar) -> Result<(), EffectError> {
    let Effect { member, cause, limit, cool_down, .. } = effect;
    let (now, today) = (calendar.now(), calendar.day(calendar.now()));
    let last: Option<(Timestamp,)> = db!(
        tx.optional,
        "select booked_at from points_effects where shop_id = $1 and member_id = $2 and cause = $3
         order by booked_at desc limit 1",
        shop,
        *member,
        cause.as_str()
    )?;
    let Some((last,)) = last else { return Ok(()) };
    let again_at = last + *cool_down;
    if again_at > now && !cool_down.is_zero() {
        return Err(EffectError::TooSoon { again_at });
    }
    let Some(Limit { most, per }) = limit else { return Ok(()) };
    let begins = per.begins_on(today).map_or(Timestamp::UNIX_EPOCH, |day| calendar.start(day));
    let (had,): (i64,) = db!(
        tx.one,
        "select count(*) from points_effects
         where shop_id = $1 and member_id = $2 and cause = $3 and booked_at >= $4",
        shop,
        *member,
        cause.as_str(),
        begins
    )?;
    if had < i64::from(*most) {
        return Ok(());
    }
    Err(EffectError::LimitReached { again_at: per.over_on(today).map(|day| calendar.start(day)) })
}

impl Book {
    fn give_or_take(
        &mut self,
        effect: &Effect,
        policy: ReturnPolicy,
        before: Points,
    ) -> Result<Receipt, EffectError> {
        let Effect { member, points, asked, .. } = effect;
        let (member, points, now) = (*member, *points, self.now());
        let lot = Lot::earned(LotId(Uuid::now_v7()), points, now, &self.calendar);
        let account = self.account_mut(member)?;
        let lots = if points.is_positive() {
            vec![(lot.id, account.add_lot(lot)?.get(), 0)]
        } else {
            let taken = policy.takes(-points, account.available);
            if taken != -points {
                return Err(EffectError::BelowFloor { available: account.available });
            }
            less(&account.take(taken, &[])?)
        };
        let available = before.plus(points).map_err(Error::from)?;
        let ledger = if asked.kind == Kind::Adjust { Ledger::Adjusted } else { Ledger::Issued };
        let moves = vec![(Ledger::Available, points.get()), (ledger, -points.get())];
        self.write(member, asked.kind, asked.source, asked.source_id.clone(), moves, lots)?;
        if asked.kind == Kind::Bonus {
            self.was_active(member)?;
        }
        let entry = self.entries.last().ok_or(Error::Corrupt("an effect moves nothing"))?;
        Ok(Receipt { entry: entry.id, points, available, seq: entry.seq, booked_at: now })
    }
}

/// What one member was given is another's: it counts for both as one.
pub(super) async fn merge(
    tx: &mut Tx,
    shop: ShopId,
    from: MemberId,
    into: MemberId,
) -> Result<(), db::Error> {
    db!(
        tx.execute,
        "update points_effects set member_id = $3 where shop_id = $1 and member_id = $2",
        shop,
        from,
        into
    )?;
    Ok(())
}
