//! The clock. Time is a value the program passes on, never `now()` in SQL, so that a test or a replay can set it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::SignedDuration;

use crate::db::Timestamp;

/// Tells the time. Cheap to clone; clones of a set clock share their time.
#[derive(Debug, Clone)]
pub struct Clock(Option<Arc<AtomicI64>>);

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Clock(None)
    }

    /// A clock that stands still until it is moved.
    pub fn fixed(at: Timestamp) -> Self {
        Clock(Some(Arc::new(AtomicI64::new(at.as_microsecond()))))
    }

    /// The time, in UTC, to the microsecond.
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            None => Timestamp::from(jiff::Timestamp::now()),
            Some(time) => {
                Timestamp::from_microsecond(time.load(Ordering::SeqCst)).unwrap_or(Timestamp::UNIX_EPOCH)
            }
        }
    }

    /// Sets a fixed clock; the machine's clock is left alone.
    pub fn set(&self, at: Timestamp) {
        if let Some(time) = &self.0 {
            time.store(at.as_microsecond(), Ordering::SeqCst);
        }
    }

    /// Moves a fixed clock; the machine's clock is left alone.
    pub fn advance(&self, by: SignedDuration) {
        self.set(self.now() + by);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fixed_clock_moves_only_when_told() {
        let clock = Clock::fixed(Timestamp::UNIX_EPOCH);
        let same = clock.clone();
        clock.advance(SignedDuration::from_hours(1));
        assert_eq!(same.now().as_second(), 3_600);
        assert!(Clock::system().now() > same.now());
    }
}
