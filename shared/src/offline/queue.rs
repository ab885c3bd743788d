//! What a till keeps until the app has said what became of it.

use alloc::vec::Vec;

use super::{AT_ONCE, Act, Code, LAST_MOMENT, MOST_QUEUED, OLD_AFTER, State, is_sequence};
use crate::{
    LIMIT, Points,
    json::{FormatError, Json, check_version, required},
};

/// What a till did and nobody has settled yet, in the order in which it did it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    /// The number of the next operation.
    next: i64,
    /// The number that the app waits for, as it said last. What is before and still here waits for something there.
    awaited: i64,
    /// When the last operation was done.
    latest: i64,
    operations: Vec<Queued>,
}

/// An operation that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queued {
    /// What is told.
    pub operation: Operation,
    /// The points that it will probably bring: an estimate that is not told to anybody but who stands at the till.
    pub estimate: Points,
}

/// An operation as it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Its number on the till, from 1.
    pub sequence: i64,
    /// When it was done; never before the one before it.
    pub at: i64,
    /// What it was.
    pub act: Act,
}

/// Why something is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Nothing is redeemed offline.
    Offline,
    /// There are too many already. Orders earn without it: the app hears of them from Shopify.
    Full,
    /// An order or a customer without a number: Shopify has given none yet.
    NoNumber,
}

impl Refused {
    /// Its name for programs; it does not change.
    pub fn code(self) -> &'static str {
        match self {
            Refused::Offline => Code::Offline.as_str(),
            Refused::Full => "queue_full",
            Refused::NoNumber => "no_number",
        }
    }
}

/// What the app said of one operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settled {
    /// Its number.
    pub sequence: i64,
    /// What became of it.
    pub state: State,
    /// Why; none where this code does not know the word yet.
    pub code: Option<Code>,
}

/// What an answer of the app came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledged {
    /// What was taken out, with what became of it. The balances of its customers are to be asked for anew.
    pub settled: Vec<(Queued, Settled)>,
    /// Whether the till must call itself by another name, under which everything is numbered anew: the app knows of
    /// operations that this queue does not, or waits for more than it could have kept.
    pub is_renamed: bool,
}

/// A balance that a till remembers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// The points to spend.
    pub points: Points,
    /// When the app said so.
    pub at: i64,
}

/// What may be shown of a balance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The points that the app last told of; none where it never did.
    pub points: Option<Points>,
    /// The points that probably come beside.
    pub expected: Points,
    /// How old that is; none where nothing is known, or the clock went back.
    pub age: Option<i64>,
    /// Whether it is too old to go by, or nobody knows how old.
    pub is_old: bool,
}

impl Default for Queue {
    fn default() -> Queue {
        Queue { next: 1, awaited: 1, latest: 0, operations: Vec::new() }
    }
}

impl Queue {
    /// The version of the format in which it is stored.
    pub const VERSION: i64 = 1;

    /// The number of the next operation.
    pub fn next(&self) -> i64 {
        self.next
    }

    /// The number that the app waits for, as it said last.
    pub fn awaited(&self) -> i64 {
        self.awaited
    }

    /// When the last operation was done.
    pub fn latest(&self) -> i64 {
        self.latest
    }

    /// What is kept, in order.
    pub fn operations(&self) -> &[Queued] {
        &self.operations
    }

    /// Keeps what was done now, and says its number. What is kept already is not kept twice.
    ///
    /// # Errors
    /// What no till does offline, what names nobody, and what there is no room for.
    pub fn add(&mut self, act: Act, estimate: Points, now: i64) -> Result<i64, Refused> {
        match act {
            Act::Earn { order, customer } if order > 0 && customer > 0 => {}
            Act::Enrol { customer } if customer > 0 => {}
            Act::Earn { .. } | Act::Enrol { .. } => return Err(Refused::NoNumber),
            Act::Redeem { .. } | Act::Lost => return Err(Refused::Offline),
        }
        if let Some(kept) = self.operations.iter().find(|kept| kept.operation.act == act) {
            return Ok(kept.operation.sequence);
        }
        if self.operations.len() >= MOST_QUEUED || self.next >= LIMIT {
            return Err(Refused::Full);
        }
        self.latest = self.latest.max(now.clamp(0, LAST_MOMENT));
        let operation = Operation { sequence: self.next, at: self.latest, act };
        self.operations.push(Queued { operation, estimate: estimate.max(Points::ZERO) });
        self.next += 1;
        Ok(self.next - 1)
    }

    /// What is told next: first what the app waits for, in order, with what was lost of it; then what waits for
    /// something there, as far as there is room.
    pub fn batch(&self) -> Vec<Operation> {
        let (known, new) = self.operations.split_at(self.taken());
        let mut new = new.iter().map(|kept| &kept.operation).peekable();
        let mut batch: Vec<Operation> = Vec::new();
        for sequence in (self.awaited..self.next).take(AT_ONCE) {
            batch.push(match new.next_if(|kept| kept.sequence == sequence) {
                Some(kept) => kept.clone(),
                None => {
                    let at = new.peek().map_or(self.latest, |kept| kept.at);
                    Operation { sequence, at, act: Act::Lost }
                }
            });
        }
        let room = AT_ONCE - batch.len();
        batch.extend(known.iter().take(room).map(|kept| kept.operation.clone()));
        batch
    }

    /// How many of those that are kept come before the one that the app waits for.
    fn taken(&self) -> usize {
        self.operations.partition_point(|kept| kept.operation.sequence < self.awaited)
    }

    /// Takes over what the app said: which number it waits for, and what became of what it was told. What was done or
    /// refused goes; what waits, or came too early, stays; what had another one's number is told again under a new one.
    pub fn acknowledge(&mut self, awaited: i64, told: &[Settled]) -> Acknowledged {
        let (mut settled, mut again) = (Vec::new(), Vec::new());
        self.operations.retain(|kept| {
            let said = told.iter().find(|said| said.sequence == kept.operation.sequence);
            match said {
                None
                | Some(Settled { state: State::Waiting, .. } | Settled { code: Some(Code::Missing), .. }) => {
                    true
                }
                Some(Settled { code: Some(Code::SequenceReused), .. }) => {
                    again.push(kept.clone());
                    false
                }
                Some(said) => {
                    settled.push((kept.clone(), *said));
                    false
                }
            }
        });
        for mut kept in again {
            (kept.operation.sequence, kept.operation.at) = (self.next, self.latest);
            self.operations.push(kept);
            self.next = self.next.saturating_add(1);
        }
        let could_be_kept = self.next.saturating_sub(MOST_QUEUED as i64)..=self.next;
        let is_renamed = !is_sequence(awaited) || !could_be_kept.contains(&awaited) || self.next >= LIMIT;
        if is_renamed {
            self.number_anew();
        } else {
            self.awaited = awaited;
        }
        Acknowledged { settled, is_renamed }
    }

    /// Numbers everything from 1 on, for a device of another name. What was told before is told again: it brings
    /// nothing twice, because an order's points and a membership are there once.
    fn number_anew(&mut self) {
        for (sequence, kept) in (1..).zip(&mut self.operations) {
            kept.operation.sequence = sequence;
        }
        (self.next, self.awaited) = (self.operations.len() as i64 + 1, 1);
    }

    /// What may be shown of a customer's balance.
    pub fn shown(&self, customer: i64, known: Option<Known>, now: i64) -> Shown {
        let own = self.operations.iter().filter(|kept| kept.operation.act.customer() == Some(customer));
        let expected = own.fold(Points::ZERO, |sum, kept| sum.plus(kept.estimate).unwrap_or(Points::MOST));
        let age = known.and_then(|known| now.checked_sub(known.at)).filter(|age| *age >= 0);
        Shown {
            points: known.map(|known| known.points),
            expected,
            age,
            is_old: age.is_none_or(|age| age > OLD_AFTER),
        }
    }

    /// Reads what was stored.
    ///
    /// # Errors
    /// An unknown version; a member that is missing or not what it should be, numbers or times out of order among them.
    pub fn read<J: Json>(json: &J) -> Result<Queue, FormatError> {
        check_version(json, Queue::VERSION)?;
        let list = json.field("operations").ok_or(FormatError::Field("operations"))?;
        let operations = list.elements().map(|kept| Queued::read(&kept)).collect::<Result<Vec<_>, _>>()?;
        let number = |json: &J| json.integer().filter(|number| is_sequence(*number));
        let queue = Queue {
            next: required(json, "next", number)?,
            awaited: required(json, "awaited", number)?,
            latest: required(json, "latest", moment)?,
            operations,
        };
        if queue.is_in_order() { Ok(queue) } else { Err(FormatError::Field("operations")) }
    }

    fn is_in_order(&self) -> bool {
        let mut last = (0, 0);
        let rise =
            self.operations.iter().all(|Queued { operation: Operation { sequence, at, .. }, .. }| {
                let rises = *sequence > last.0 && *at >= last.1;
                last = (*sequence, *at);
                rises
            });
        let fits = self.operations.len() <= MOST_QUEUED && self.awaited <= self.next;
        rise && fits && last.0 < self.next && last.1 <= self.latest
    }
}

/// A time that can be told.
fn moment<J: Json>(json: &J) -> Option<i64> {
    json.integer().filter(|at| (0..=LAST_MOMENT).contains(at))
}

impl Queued {
    fn read<J: Json>(json: &J) -> Result<Queued, FormatError> {
        let number = |name| required(json, name, |it: &J| it.integer().filter(|it| is_sequence(*it)));
        let kind = required(json, "kind", Json::text)?;
        let act = match kind.as_str() {
            "earn" => Act::Earn { order: number("order")?, customer: number("customer")? },
            "enrol" => Act::Enrol { customer: number("customer")? },
            _ => return Err(FormatError::Field("kind")),
        };
        let at = required(json, "at", moment)?;
        let estimate = required(json, "estimate", |points| {
            Points::new(points.integer()?).ok().filter(|points| *points >= Points::ZERO)
        })?;
        Ok(Queued { operation: Operation { sequence: number("sequence")?, at, act }, estimate })
    }
}

#[cfg(test)]
mod tests;
