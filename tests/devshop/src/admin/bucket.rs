//! The Admin API's leaky bucket: it restores steadily, and a request takes its cost out of it or is refused.

use std::time::Instant;

use serde::Serialize;

use crate::settings::BucketSettings;

/// Millionths of a cost point, so that restoring needs no fractions.
const POINT: u64 = 1_000_000;

/// A leaky bucket.
#[derive(Debug)]
pub struct Bucket {
    settings: BucketSettings,
    available: u64,
    at: Instant,
}

/// `throttleStatus` of a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ThrottleStatus {
    /// How much fits.
    pub maximum_available: u32,
    /// How much there is.
    pub currently_available: u32,
    /// How much comes back each second.
    pub restore_rate: u32,
}

impl Bucket {
    /// A full bucket.
    pub fn new(settings: BucketSettings, now: Instant) -> Self {
        Self { settings, available: u64::from(settings.capacity) * POINT, at: now }
    }

    /// Takes a cost out, if it is there.
    pub fn take(&mut self, cost: u32, now: Instant) -> bool {
        self.restore(now);
        let wanted = u64::from(cost) * POINT;
        let fits = wanted <= self.available;
        if fits {
            self.available -= wanted;
        }
        fits
    }

    /// Puts back what was asked for and not used.
    pub fn give_back(&mut self, cost: u32) {
        self.available = (self.available + u64::from(cost) * POINT).min(self.capacity());
    }

    /// How full it is.
    pub fn status(&mut self, now: Instant) -> ThrottleStatus {
        self.restore(now);
        ThrottleStatus {
            maximum_available: self.settings.capacity,
            currently_available: u32::try_from(self.available / POINT).unwrap_or(u32::MAX),
            restore_rate: self.settings.restore_rate,
        }
    }

    fn restore(&mut self, now: Instant) {
        let micros = u64::try_from(now.saturating_duration_since(self.at).as_micros()).unwrap_or(u64::MAX);
        let restored = micros.saturating_mul(self.settings.restore_rate.into());
        self.available = self.available.saturating_add(restored).min(self.capacity());
        self.at = self.at.max(now);
    }

    fn capacity(&self) -> u64 {
        u64::from(self.settings.capacity) * POINT
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn it_empties_refuses_and_restores() {
        let start = Instant::now();
        let mut bucket = Bucket::new(BucketSettings { capacity: 100, restore_rate: 10 }, start);
        assert!(bucket.take(60, start));
        assert!(!bucket.take(60, start));
        assert_eq!(bucket.status(start).currently_available, 40);
        assert!(!bucket.take(60, start + Duration::from_millis(1999)));
        assert!(bucket.take(60, start + Duration::from_secs(2)));
        assert_eq!(bucket.status(start + Duration::from_secs(2)).currently_available, 0);
    }

    #[test]
    fn it_never_overflows() {
        let start = Instant::now();
        let mut bucket = Bucket::new(BucketSettings { capacity: 100, restore_rate: 10 }, start);
        bucket.give_back(50);
        assert_eq!(bucket.status(start + Duration::from_secs(1_000_000)).currently_available, 100);
        assert!(!bucket.take(101, start));
    }
}
