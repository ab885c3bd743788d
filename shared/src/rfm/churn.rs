//! Churn: how likely a member is to stay away for the next quarter.
//!
//! The model is a life table of the times between two orders. Whoever has ordered is *silent* from then on, week by week,
//! until they order again. Of all who were silent for so many weeks, some came in the next: that share is the week's
//! *hazard*. Who has not come yet counts for the weeks that are over, so nobody is left out because their next order is
//! still to come. The chance that a member stays away for the next weeks is the product of the shares that stayed away in
//! each.
//!
//! Members are not alike, so there is a table for each *habit*: how many orders there were, and at which pace. A habit that
//! few have leans on all others: its hazard is that of everyone, weighed as [`LEANING`] members, and its own. That of
//! everyone leans on the week before in the same way, so that a week that hardly anybody has come to says little.
//!
//! All is whole numbers, and all that is kept of a shop are counts: they are added up in any order, in constant memory.

use alloc::{vec, vec::Vec};

/// How many weeks ahead a chance is for: a quarter.
pub const WEEKS_AHEAD: usize = 13;
/// Silence that lasts this many weeks, and longer, is as long as any.
const WEEKS: usize = 3 * 52;
/// As how many members everyone together counts in a habit.
const LEANING: u64 = 25;
/// As how many members the week before counts in the hazard of everyone: few are silent for longest.
const STEADY: u64 = 100;
/// Fewer members who came again say nothing.
const FEWEST: u64 = 100;
/// Days of a gap that are told apart where it is asked whether orders come at regular intervals.
const DAYS: usize = 400;
/// One, in hazards.
const ONE: u64 = 1_000_000;
const MICROSECONDS_PER_DAY: i64 = 86_400_000_000;
const DAYS_PER_WEEK: i64 = 7;

/// The paces that are told apart: fewer weeks than this between two orders, in the mean.
const PACES: [i64; 5] = [2, 4, 8, 16, 32];
/// One for who ordered once; for those with 2, with 3 to 5 and with more orders one for each pace.
const HABITS: usize = 1 + 3 * (PACES.len() + 1);

/// How a member orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Habit(usize);

impl Habit {
    /// Of so many orders, placed within this time in microseconds.
    fn of(orders: i64, within: i64) -> Habit {
        let often = match orders {
            ..=1 => return Habit(0),
            2 => 0,
            3..=5 => 1,
            _ => 2,
        };
        let pace = within.max(0) / (orders - 1) / (DAYS_PER_WEEK * MICROSECONDS_PER_DAY);
        let slower = PACES.iter().filter(|weeks| pace >= **weeks).count();
        Habit(1 + often * (PACES.len() + 1) + slower)
    }
}

/// What of a member's orders says how long they stay away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Orders {
    /// How many they are.
    pub count: i64,
    /// When the first was placed, in microseconds since 1970 (UTC).
    pub first: i64,
    /// When the last was placed.
    pub last: i64,
}

impl Orders {
    fn habit(&self) -> Habit {
        Habit::of(self.count, self.last.saturating_sub(self.first))
    }
}

/// How long members of a shop stayed away, counted.
#[derive(Clone, Debug)]
pub struct Silences {
    habits: Vec<Counts>,
    /// How many came again after so many days.
    days: Vec<u64>,
}

/// The silences of one habit.
#[derive(Clone, Debug)]
struct Counts {
    /// How many came in this week of their silence.
    came: Vec<u64>,
    /// How many were silent for so many whole weeks, and may come yet.
    waiting: Vec<u64>,
}

impl Default for Silences {
    fn default() -> Silences {
        let counts = Counts { came: vec![0; WEEKS], waiting: vec![0; WEEKS + 1] };
        Silences { habits: vec![counts; HABITS], days: vec![0; DAYS + 1] }
    }
}

impl Silences {
    /// Counts the silences of one member: between these orders, in ascending order of their times, and since the last.
    /// Times in microseconds since 1970 (UTC); orders in the future count as of now.
    pub fn add(&mut self, placed: &[i64], now: i64) {
        for (at, time) in placed.iter().enumerate() {
            let orders = Orders { count: at as i64 + 1, first: placed[0].min(now), last: (*time).min(now) };
            match placed.get(at + 1) {
                Some(next) => self.came(orders, (*next).min(now)),
                None => self.waits(orders, now),
            }
        }
    }

    fn came(&mut self, orders: Orders, next: i64) {
        let days = days_between(orders.last, next);
        self.days[days.min(DAYS)] += 1;
        let counts = &mut self.habits[orders.habit().0];
        match counts.came.get_mut(week(days)) {
            Some(came) => *came += 1,
            // For so long they were silent like those who never came.
            None => counts.waiting[WEEKS] += 1,
        }
    }

    fn waits(&mut self, orders: Orders, now: i64) {
        self.habits[orders.habit().0].waiting[week(days_between(orders.last, now)).min(WEEKS)] += 1;
    }

    /// How often somebody came again.
    pub fn returns(&self) -> u64 {
        self.days.iter().sum()
    }

    /// The days from one order to the next, where most orders come at that interval: at least six of ten within a tenth of
    /// it, or two days. None where there is no such interval, or too little is known.
    pub fn regular(&self) -> Option<u32> {
        let returns = self.returns();
        if returns < FEWEST {
            return None;
        }
        let mut before = 0;
        let median = self.days[..DAYS].iter().position(|count| {
            before += count;
            before * 2 >= returns
        })?;
        if median < DAYS_PER_WEEK as usize {
            return None;
        }
        let around = (median / 10).max(2);
        let near: u64 = self.days[median - around..=(median + around).min(DAYS - 1)].iter().sum();
        (near * 10 >= returns * 6).then_some(median as u32)
    }
}

/// Whole days from one time to a later one.
fn days_between(from: i64, to: i64) -> usize {
    usize::try_from(to.saturating_sub(from) / MICROSECONDS_PER_DAY).unwrap_or(0)
}

fn week(days: usize) -> usize {
    days / DAYS_PER_WEEK as usize
}

/// The life tables of a shop.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Churn {
    /// For each habit the hazard of each week of silence, in millionths.
    hazards: Vec<Vec<u32>>,
}

impl Churn {
    /// The life tables of these silences; none where too few came again to say anything.
    pub fn of(silences: &Silences) -> Option<Churn> {
        if silences.returns() < FEWEST {
            return None;
        }
        let lives: Vec<Vec<Life>> = silences.habits.iter().map(Counts::lives).collect();
        let sum = |week: usize| lives.iter().map(|weeks| weeks[week]).fold(Life::default(), Life::and);
        let sums: Vec<Life> = (0..WEEKS).map(sum).collect();
        let mut before = sums.iter().copied().fold(Life::default(), Life::and).hazard(0, 0);
        let mut everyone = Vec::with_capacity(WEEKS);
        for life in sums {
            before = life.hazard(before, STEADY);
            everyone.push(before);
        }
        let habit = |weeks: Vec<Life>| {
            weeks.iter().zip(&everyone).map(|(life, hazard)| life.hazard(*hazard, LEANING) as u32).collect()
        };
        Some(Churn { hazards: lives.into_iter().map(habit).collect() })
    }

    /// The chance that a member with these orders places none in the next [`WEEKS_AHEAD`] weeks, in thousandths. Orders in
    /// the future are as recent as now.
    pub fn permille(&self, orders: &Orders, now: i64) -> u32 {
        let silent = week(days_between(orders.last, now));
        let Some(hazards) = self.hazards.get(orders.habit().0) else { return 1_000 };
        let stays = (silent..silent + WEEKS_AHEAD).fold(ONE, |stays, week| {
            let hazard = hazards.get(week).or(hazards.last()).map_or(0, |hazard| u64::from(*hazard).min(ONE));
            stays * (ONE - hazard) / ONE
        });
        ((stays + 500) / 1_000) as u32
    }
}

/// One week of silence: how many were silent when it began, and how many of them came in it.
#[derive(Clone, Copy, Debug, Default)]
struct Life {
    silent: u64,
    came: u64,
}

impl Life {
    fn and(self, other: Life) -> Life {
        Life { silent: self.silent + other.silent, came: self.came + other.came }
    }

    /// The share that came, in millionths, beside so many others of whom this share did.
    fn hazard(self, of_others: u64, others: u64) -> u64 {
        (self.came * ONE + others * of_others).checked_div(self.silent + others).unwrap_or(0)
    }
}

impl Counts {
    /// Week by week. Who waits is silent through the weeks that are over, and not counted in the one that is not.
    fn lives(&self) -> Vec<Life> {
        let mut silent = 0;
        let mut lives = vec![Life::default(); WEEKS];
        for week in (0..WEEKS).rev() {
            silent += self.came[week] + self.waiting[week + 1];
            lives[week] = Life { silent, came: self.came[week] };
        }
        lives
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DAY: i64 = MICROSECONDS_PER_DAY;
    const WEEK: i64 = DAYS_PER_WEEK * DAY;
    const NOW: i64 = 3_000 * DAY;

    /// Members who ordered once, so many weeks before now, and of whom a share came a day into a later week.
    fn silences(members: i64, came_in: impl Fn(i64) -> Option<i64>) -> Silences {
        let mut silences = Silences::default();
        for member in 0..members {
            let first = NOW - 2 * 52 * WEEK;
            match came_in(member) {
                Some(week) => silences.add(&[first, first + week * WEEK + DAY], NOW),
                None => silences.add(&[first], NOW),
            }
        }
        silences
    }

    fn once(silent_weeks: i64) -> Orders {
        Orders { count: 1, first: NOW - silent_weeks * WEEK, last: NOW - silent_weeks * WEEK }
    }

    #[test]
    fn a_chance_is_the_share_of_those_who_were_silent_as_long_and_stayed_away() {
        // A half came in the third week, and a fifth of the others in the twentieth; the rest never did.
        let came = |member| match member % 10 {
            0..5 => Some(2),
            5 => Some(19),
            _ => None,
        };
        let churn = Churn::of(&silences(100_000, came)).unwrap();
        let chance = |weeks| churn.permille(&once(weeks), NOW);
        assert_eq!([chance(0), chance(2)], [500, 500]);
        assert_eq!(chance(3), 1_000, "nobody came between the fourth week and the sixteenth");
        assert_eq!([chance(7), chance(19)], [800, 800]);
        assert_eq!([chance(20), chance(90), chance(10_000)], [1_000; 3]);
    }

    #[test]
    fn who_waits_counts_for_the_weeks_that_are_over() {
        // All who were silent for four weeks came then; twice as many are silent for three weeks only.
        let mut silences = Silences::default();
        for _ in 0..10_000 {
            silences.add(&[NOW - 40 * WEEK, NOW - 36 * WEEK + DAY], NOW);
            silences.add(&[NOW - 3 * WEEK - DAY], NOW);
            silences.add(&[NOW - 3 * WEEK - DAY], NOW);
        }
        let churn = Churn::of(&silences).unwrap();
        assert!(churn.permille(&once(0), NOW) <= 2, "those who wait may come yet");
    }

    #[test]
    fn habits_differ_and_a_rare_one_leans_on_all() {
        let mut silences = Silences::default();
        // Many come every week, and never come again after a year; a hundred came once in a year.
        for _ in 0..5_000 {
            let weekly: Vec<i64> = (0..10).map(|at| NOW - 60 * WEEK + at * WEEK).collect();
            silences.add(&weekly, NOW);
        }
        silences.add(&[NOW - 100 * WEEK, NOW - 50 * WEEK], NOW);
        let churn = Churn::of(&silences).unwrap();
        let weekly = Orders { count: 5, first: NOW - 4 * WEEK, last: NOW };
        let yearly = Orders { count: 2, first: NOW - 50 * WEEK, last: NOW };
        let (weekly, yearly) = (churn.permille(&weekly, NOW), churn.permille(&yearly, NOW));
        assert!(weekly < 50, "{weekly}");
        assert!((50..900).contains(&yearly), "{yearly}");
    }

    #[test]
    fn a_week_that_hardly_anybody_has_come_to_says_little() {
        // Of hundreds nobody comes after two weeks, but for the one who has been silent for longest.
        let mut silences = silences(1_000, |member| (member < 500).then_some(1));
        silences.add(&[NOW - 121 * WEEK, NOW - DAY], NOW);
        let churn = Churn::of(&silences).unwrap();
        assert!(churn.permille(&once(115), NOW) > 850, "{}", churn.permille(&once(115), NOW));
    }

    #[test]
    fn too_little_says_nothing() {
        assert_eq!(Churn::of(&Silences::default()), None);
        assert_eq!(Churn::of(&silences(99, |_| Some(1))), None);
        assert!(Churn::of(&silences(100, |_| Some(1))).is_some());
    }

    #[test]
    fn times_that_cannot_be_do_no_harm() {
        let mut strange = silences(200, |_| Some(1));
        strange.add(&[], NOW);
        strange.add(&[NOW + DAY, NOW + 2 * DAY], NOW);
        strange.add(&[i64::MIN, i64::MAX], NOW);
        let churn = Churn::of(&strange).unwrap();
        for (count, first, last) in
            [(0, 0, 0), (-5, 9, 1), (i64::MAX, i64::MIN, i64::MAX), (3, NOW, NOW + DAY), (2, NOW, i64::MIN)]
        {
            assert!(churn.permille(&Orders { count, first, last }, NOW) <= 1_000);
        }
    }

    #[test]
    fn orders_at_intervals_are_told_from_others() {
        let every = |days: &dyn Fn(i64) -> i64| {
            let mut silences = Silences::default();
            for member in 0..200 {
                let gaps = (0..5).scan(NOW - 1_000 * DAY, |time, at| {
                    *time += days(member * 5 + at) * DAY;
                    Some(*time)
                });
                silences.add(&gaps.collect::<Vec<_>>(), NOW);
            }
            silences.regular()
        };
        assert_eq!(every(&|_| 30), Some(30));
        assert_eq!(every(&|at| 28 + at % 5), Some(30));
        assert_eq!(every(&|at| 10 + at % 60), None, "as it comes");
        assert_eq!(every(&|_| 1), None, "too often for a subscription");
        assert_eq!(every(&|_| 900), None);
        assert_eq!(Silences::default().regular(), None);
    }

    #[cfg(feature = "serde")]
    #[test]
    fn tables_are_stored_and_read_back_small() {
        let churn = Churn::of(&silences(1_000, |member| (member % 3 == 0).then_some(member % 150))).unwrap();
        let text = serde_json::to_string(&churn).unwrap();
        assert!(text.len() < 32_000, "{}", text.len());
        assert_eq!(serde_json::from_str::<Churn>(&text).unwrap(), churn);
    }

    proptest! {
        /// Everyone comes in each week by the same chance: that is what the tables must find.
        #[test]
        fn a_constant_hazard_is_found(percent in 2..40_u64, seed in any::<u64>()) {
            let mut random = seed | 1;
            let mut chance = || {
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                random % 100 < percent
            };
            let mut silences = Silences::default();
            for _ in 0..4_000 {
                let first = NOW - 40 * WEEK;
                let came = (0..40).find(|_| chance());
                let placed = came.map(|week| first + week * WEEK + DAY);
                silences.add(&[Some(first), placed].into_iter().flatten().collect::<Vec<_>>(), NOW);
            }
            let churn = Churn::of(&silences).unwrap();
            let stays = (0..WEEKS_AHEAD).fold(ONE, |stays, _| stays * (100 - percent) / 100) / 1_000;
            let found = u64::from(churn.permille(&once(0), NOW));
            prop_assert!(found.abs_diff(stays) < 40, "{} is not {}", found, stays);
        }

        #[test]
        fn the_order_of_members_does_not_matter(
            gaps in proptest::collection::vec(proptest::collection::vec(0..900_i64, 1..6), 100..150),
        ) {
            let count = |gaps: &mut dyn Iterator<Item = &Vec<i64>>| {
                let mut silences = Silences::default();
                for gaps in gaps {
                    let mut time = NOW - 2_500 * DAY;
                    let placed = gaps.iter().map(|gap| { time += gap * DAY; time });
                    silences.add(&placed.collect::<Vec<_>>(), NOW);
                }
                Churn::of(&silences)
            };
            prop_assert_eq!(count(&mut gaps.iter()), count(&mut gaps.iter().rev()));
        }
    }
}
