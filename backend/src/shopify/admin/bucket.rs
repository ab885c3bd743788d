//! A shop's bucket of cost points: what is believed to be in it, and what calls under way will take out of it.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What a call is worth to those who wait for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Priority {
    /// A shopper waits.
    Redemption,
    /// Nobody waits: it leaves three tenths of the bucket to those who do, and comes back rather than wait for long.
    Background,
}

/// The part of a bucket that background work leaves alone.
const RESERVE: f64 = 0.3;
/// A bucket that holds less than this part is low: more than 80 % of it are used.
const LOW: f64 = 0.2;
/// A bucket that holds this part is plentiful, and no longer low.
const PLENTY: f64 = 0.5;
/// Longer than any call takes: who did not say by then what became of a reservation never will.
const FORGOTTEN: SignedDuration = SignedDuration::from_secs(60);
/// How far clocks may be apart.
const SKEW: SignedDuration = SignedDuration::from_secs(5);
/// The shortest and the longest wait that is asked for at once.
const WAITS: (f64, f64) = (0.05, 60.0);

/// What an answer says of the shop's bucket (`throttleStatus`), in cost points.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ThrottleStatus {
    /// How much fits.
    pub maximum_available: f64,
    /// How much there is.
    pub currently_available: f64,
    /// How much comes back each second.
    pub restore_rate: f64,
}

/// A call that wants to be made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wanted {
    /// Names its reservation.
    pub id: Uuid,
    /// What it will probably ask for, in cost points.
    pub cost: f64,
    /// Who waits for it.
    pub priority: Priority,
}

/// A call that is over.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Done {
    /// Its reservation.
    pub id: Uuid,
    /// What it cost, as far as is known, in cost points.
    pub spent: f64,
    /// What Shopify said of the bucket.
    pub told: Option<ThrottleStatus>,
}

/// A shop's bucket as it is believed to be. Whoever answers last corrects it: Shopify's word in each answer is the truth,
/// whoever else draws from the bucket.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bucket {
    /// How much there was, reservations not taken off.
    available: f64,
    maximum: f64,
    /// Points a second.
    restore_rate: f64,
    /// When that was (UTC).
    as_of: Timestamp,
    reserved: Vec<Reserved>,
    /// How many calls' answers were heard, to tell which came out of turn.
    #[serde(default)]
    heard: u64,
    /// Whether somebody was told that it is low.
    low: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Reserved {
    id: Uuid,
    cost: f64,
    until: Timestamp,
    /// How many answers had been heard before it was made.
    #[serde(default)]
    heard: u64,
}

impl Bucket {
    /// A bucket of which Shopify said this.
    pub fn new(told: ThrottleStatus, now: Timestamp) -> Self {
        Bucket {
            available: told.currently_available,
            maximum: told.maximum_available,
            restore_rate: told.restore_rate,
            as_of: now,
            reserved: Vec::new(),
            heard: 0,
            low: false,
        }
    }

    /// Takes on what someone else knows of the bucket, reservations left out. Each of both was told how much there was,
    /// and does not know who drew on it since: the lower is nearer to the truth.
    pub fn learn(&mut self, other: &Bucket, now: Timestamp) {
        let mut other = Bucket { reserved: Vec::new(), ..other.clone() };
        other.restore(now);
        self.restore(now);
        if other.available < self.available {
            let reserved = std::mem::take(&mut self.reserved);
            *self = Bucket { reserved, heard: self.heard, low: self.low, ..other };
        }
    }

    /// Sets a call's cost aside.
    ///
    /// # Errors
    /// How long to wait until there is enough for it, if nobody else comes.
    pub fn reserve(&mut self, wanted: &Wanted, now: Timestamp) -> Result<(), Duration> {
        self.restore(now);
        let keep = match wanted.priority {
            Priority::Redemption => 0.0,
            Priority::Background => self.maximum * RESERVE,
        };
        // What can never be there cannot be waited for: Shopify says what is too much.
        let need = (wanted.cost + keep).min(self.maximum);
        let missing = need - self.free();
        if missing <= 0.0 {
            let (id, cost) = (wanted.id, wanted.cost);
            self.reserved.push(Reserved { id, cost, until: now + FORGOTTEN, heard: self.heard });
            return Ok(());
        }
        Err(seconds(missing / self.restore_rate))
    }

    /// Lets a reservation go and notes what was spent. True if the bucket is low from now on, and was not before.
    pub fn settle(&mut self, done: &Done, now: Timestamp) -> bool {
        self.restore(now);
        if self.available >= self.maximum * PLENTY {
            self.low = false;
        }
        let at = self.reserved.iter().position(|reserved| reserved.id == done.id);
        let reserved = at.map(|at| self.reserved.swap_remove(at));
        let spent = self.available - done.spent;
        self.available = match done.told {
            None => spent,
            // Another answer was heard since this call was made, and nobody knows which of both calls Shopify counted
            // first. The lower is nearer to the truth; the next call that is alone sets it right.
            Some(told) if reserved.is_some_and(|reserved| reserved.heard < self.heard) => {
                told.currently_available.min(spent)
            }
            Some(told) => told.currently_available,
        };
        if let Some(told) = done.told {
            self.maximum = told.maximum_available;
            self.restore_rate = told.restore_rate;
            self.heard += 1;
        }
        let newly = !self.low && self.available < self.maximum * LOW;
        self.low |= newly;
        newly
    }

    /// Whether so much is left that nobody need be asked.
    pub fn is_plentiful(&self, now: Timestamp) -> bool {
        let mut then = self.clone();
        then.restore(now);
        then.free() >= then.maximum * PLENTY
    }

    /// What is there and what fits, in whole cost points, reservations not taken off.
    pub fn level(&self) -> (i64, i64) {
        (self.available as i64, self.maximum as i64)
    }

    fn free(&self) -> f64 {
        self.available - self.reserved.iter().map(|reserved| reserved.cost).sum::<f64>()
    }

    /// Brings it to this time: what came back is added, what was reserved and forgotten counts as spent.
    fn restore(&mut self, now: Timestamp) {
        // Clocks of several machines differ a little: time neither runs backwards here nor counts twice. One that was
        // far ahead must not stop it.
        if self.as_of > now + SKEW {
            self.as_of = now;
        }
        let passed = now.duration_since(self.as_of).as_secs_f64().max(0.0);
        self.as_of = self.as_of.max(now);
        self.reserved.retain(|reserved| {
            let forgotten = reserved.until < now;
            if forgotten {
                self.available -= reserved.cost;
            }
            !forgotten
        });
        self.available = (self.available + passed * self.restore_rate).min(self.maximum);
    }
}

/// A wait of about this many seconds.
pub(super) fn seconds(wait: f64) -> Duration {
    let (shortest, longest) = WAITS;
    // Nothing comes back: the next answer may say better.
    let wait = if wait.is_finite() { wait.clamp(shortest, longest) } else { 1.0 };
    Duration::from_secs_f64(wait)
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::UNIX_EPOCH;

    fn told(available: f64) -> ThrottleStatus {
        ThrottleStatus { maximum_available: 1000.0, currently_available: available, restore_rate: 50.0 }
    }

    fn wanted(id: u128, cost: f64, priority: Priority) -> Wanted {
        Wanted { id: Uuid::from_u128(id), cost, priority }
    }

    fn done(id: u128, spent: f64, told: Option<ThrottleStatus>) -> Done {
        Done { id: Uuid::from_u128(id), spent, told }
    }

    fn after(seconds: i64) -> Timestamp {
        START + SignedDuration::from_secs(seconds)
    }

    #[test]
    fn background_work_leaves_a_reserve_to_who_waits() {
        let mut bucket = Bucket::new(told(320.0), START);
        assert_eq!(bucket.reserve(&wanted(1, 20.0, Priority::Background), START), Ok(()));
        let wait = bucket.reserve(&wanted(2, 20.0, Priority::Background), START);
        assert_eq!(wait, Err(Duration::from_millis(400)), "20 points at 50 a second");
        for id in 3..33 {
            assert_eq!(bucket.reserve(&wanted(id, 10.0, Priority::Redemption), START), Ok(()));
        }
        let wait = bucket.reserve(&wanted(33, 10.0, Priority::Redemption), START);
        assert_eq!(wait, Err(Duration::from_millis(200)));
        assert!(bucket.reserve(&wanted(34, 10.0, Priority::Redemption), after(1)).is_ok());
    }

    #[test]
    fn what_was_reserved_and_not_used_is_given_back() {
        let mut bucket = Bucket::new(told(100.0), START);
        assert!(bucket.reserve(&wanted(1, 80.0, Priority::Redemption), START).is_ok());
        assert!(bucket.reserve(&wanted(2, 80.0, Priority::Redemption), START).is_err());
        bucket.settle(&done(1, 10.0, None), START);
        assert!(bucket.reserve(&wanted(2, 80.0, Priority::Redemption), START).is_ok());
        // Shopify's word is the truth, less what is under way.
        bucket.settle(&done(3, 0.0, Some(told(120.0))), START);
        assert!(bucket.reserve(&wanted(4, 41.0, Priority::Redemption), START).is_err());
        assert!(bucket.reserve(&wanted(4, 40.0, Priority::Redemption), START).is_ok());
    }

    #[test]
    fn an_answer_out_of_turn_gives_back_nothing_that_was_spent_since() {
        let mut bucket = Bucket::new(told(100.0), START);
        for id in 1..=3 {
            assert!(bucket.reserve(&wanted(id, 10.0, Priority::Redemption), START).is_ok());
        }
        // Shopify counted the second last; the third's answer was on its way for long.
        bucket.settle(&done(1, 10.0, Some(told(90.0))), START);
        bucket.settle(&done(2, 10.0, Some(told(70.0))), START);
        bucket.settle(&done(3, 10.0, Some(told(80.0))), START);
        assert_eq!(bucket.level().0, 60, "of 70 the third may have to be taken off");
        assert!(bucket.reserve(&wanted(4, 10.0, Priority::Redemption), START).is_ok());
        bucket.settle(&done(4, 10.0, Some(told(60.0))), START);
        assert_eq!(bucket.level().0, 60, "it was alone, and its answer is the truth");
    }

    #[test]
    fn a_reservation_of_someone_who_died_is_forgotten_and_counts_as_spent() {
        let mut bucket = Bucket::new(ThrottleStatus { restore_rate: 1.0, ..told(100.0) }, START);
        assert!(bucket.reserve(&wanted(1, 100.0, Priority::Redemption), START).is_ok());
        assert!(bucket.reserve(&wanted(2, 61.0, Priority::Redemption), after(60)).is_err());
        assert!(bucket.reserve(&wanted(2, 61.0, Priority::Redemption), after(61)).is_ok());
    }

    #[test]
    fn the_lower_of_two_beliefs_is_nearer_to_the_truth() {
        let mut shared = Bucket::new(told(300.0), START);
        assert!(shared.reserve(&wanted(1, 100.0, Priority::Redemption), START).is_ok());
        shared.learn(&Bucket::new(told(150.0), after(10)), after(10));
        assert!(
            shared.reserve(&wanted(2, 51.0, Priority::Redemption), after(10)).is_err(),
            "100 are set aside"
        );
        shared.learn(&Bucket::new(told(900.0), after(10)), after(10));
        assert!(shared.reserve(&wanted(2, 51.0, Priority::Redemption), after(10)).is_err());
        assert!(shared.reserve(&wanted(2, 50.0, Priority::Redemption), after(10)).is_ok());
    }

    #[test]
    fn what_never_fits_is_not_waited_for_for_ever() {
        let mut bucket = Bucket::new(told(1000.0), START);
        assert!(bucket.reserve(&wanted(1, 5000.0, Priority::Background), START).is_ok());
        let mut dry = Bucket::new(ThrottleStatus { restore_rate: 0.0, ..told(0.0) }, START);
        assert_eq!(
            dry.reserve(&wanted(1, 10.0, Priority::Redemption), START),
            Err(Duration::from_secs(1)),
            "no rate"
        );
        let mut slow = Bucket::new(ThrottleStatus { restore_rate: 0.001, ..told(0.0) }, START);
        let wait = slow.reserve(&wanted(1, 10.0, Priority::Redemption), START);
        assert_eq!(wait, Err(Duration::from_secs(60)));
    }

    #[test]
    fn clocks_that_differ_neither_add_points_nor_stop_the_time() {
        let mut bucket = Bucket::new(told(0.0), after(2));
        for _ in 0..10 {
            assert!(bucket.reserve(&wanted(1, 20.0, Priority::Redemption), START).is_err());
            assert!(bucket.reserve(&wanted(1, 20.0, Priority::Redemption), after(2)).is_err());
        }
        let mut ahead = Bucket::new(told(10.0), after(3_600));
        assert!(ahead.reserve(&wanted(1, 20.0, Priority::Redemption), START).is_err());
        assert!(ahead.reserve(&wanted(1, 20.0, Priority::Redemption), after(1)).is_ok());
    }

    #[test]
    fn a_low_bucket_is_told_of_once_until_it_was_half_full_again() {
        let mut bucket = Bucket::new(told(300.0), START);
        assert!(!bucket.settle(&done(1, 10.0, Some(told(200.0))), START), "exactly 80 % are used");
        assert!(bucket.settle(&done(1, 10.0, Some(told(199.0))), START));
        assert!(!bucket.settle(&done(1, 10.0, Some(told(50.0))), START));
        assert!(!bucket.settle(&done(1, 10.0, Some(told(490.0))), after(1)), "not half full");
        assert!(!bucket.settle(&done(1, 10.0, Some(told(100.0))), START));
        // 450 points, 9 seconds: half full meanwhile, and low again.
        assert!(bucket.settle(&done(1, 10.0, Some(told(100.0))), after(9)));
        let stored: Bucket = serde_json::from_str(&serde_json::to_string(&bucket).unwrap()).unwrap();
        assert_eq!(stored, bucket);
    }
}
