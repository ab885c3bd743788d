//! When what failed is tried again.

use jiff::SignedDuration;

/// The wait after the `attempts`-th failure, ± 20 % so that messages which failed together do not return together;
/// none when it was the last.
pub(crate) fn wait(schedule: &[SignedDuration], attempts: i64) -> Option<SignedDuration> {
    let wait = schedule.get(usize::try_from(attempts - 1).ok()?)?;
    Some(wait.mul_f64(0.8 + 0.4 * fastrand::f64()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_follow_the_schedule_with_jitter_and_end() {
        let schedule = [SignedDuration::from_secs(10), SignedDuration::from_secs(100)];
        for _ in 0..100 {
            let (first, second) = (wait(&schedule, 1).unwrap(), wait(&schedule, 2).unwrap());
            assert!((8.0..=12.0).contains(&first.as_secs_f64()), "{first}");
            assert!((80.0..=120.0).contains(&second.as_secs_f64()), "{second}");
        }
        assert_eq!(wait(&schedule, 3), None);
    }
}
