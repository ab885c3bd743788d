//! Steps: where one score ends and the next begins.

use alloc::{vec, vec::Vec};
use core::array;

/// Four numbers in ascending order. A score is one more than the steps that a number is above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct Steps([i64; 4]);

/// Bits of a number that one look at all numbers tells apart: so many counts stay near the processor.
const BITS: u32 = 12;

/// Which numbers of so many, counted from 1 in ascending order, are the steps of those: the last of each fifth, rounded
/// up. All are 0 where there are no numbers.
fn ranks(count: u64) -> [u64; 4] {
    let count = u128::from(count);
    [1, 2, 3, 4].map(|fifths: u128| u64::try_from((fifths * count).div_ceil(5)).unwrap_or(u64::MAX))
}

impl Steps {
    /// Steps that no number is above.
    pub const UNREACHED: Steps = Steps([i64::MAX; 4]);

    /// A number is above a step if it is one of these, which ascend, or more.
    pub fn at_least(numbers: [i64; 4]) -> Steps {
        Steps(numbers.map(|number| number.saturating_sub(1)))
    }

    /// The steps that these numbers are; the last of each fifth.
    pub fn above(numbers: [i64; 4]) -> Steps {
        Steps(numbers)
    }

    /// The steps by which a number's score is `1 + ⌊5 × share of all that are strictly less⌋`, for several numbers of each
    /// at once; whoever has none counts for nothing. All are looked at three times, whatever they are.
    pub fn relative<T, const N: usize>(all: &[T], numbers: impl Fn(&T) -> Option<[i64; N]>) -> [Steps; N] {
        let with_numbers = || all.iter().filter_map(&numbers);
        let (mut count, mut least, mut most) = (0, [i64::MAX; N], [i64::MIN; N]);
        for numbers in with_numbers() {
            count += 1;
            for (at, number) in numbers.into_iter().enumerate() {
                (least[at], most[at]) = (least[at].min(number), most[at].max(number));
            }
        }
        if count == 0 {
            return [Steps::UNREACHED; N];
        }
        let mut bins: [Bins; N] = array::from_fn(|at| Bins::between(least[at], most[at]));
        for numbers in with_numbers() {
            for (bins, number) in bins.iter_mut().zip(numbers) {
                bins.count(number);
            }
        }
        let places = ranks(count).map(|rank| rank - 1);
        let mut selections = bins.map(|bins| Selection::of(bins, places));
        for numbers in with_numbers() {
            for (selection, number) in selections.iter_mut().zip(numbers) {
                selection.look_at(number);
            }
        }
        selections.map(Selection::steps)
    }

    /// The same steps, but that less than zero is above none of them.
    pub(super) fn not_below_zero(self) -> Steps {
        Steps(self.0.map(|step| step.max(-1)))
    }

    /// The steps as they are: a score is one more than those that a number is above.
    pub fn numbers(&self) -> [i64; 4] {
        self.0
    }

    /// The score of a number: 1 to 5.
    pub fn score(&self, number: i64) -> u8 {
        self.0.iter().fold(1, |score, step| score + u8::from(number > *step))
    }
}

/// Numbers, counted by their leading bits.
struct Bins {
    least: i64,
    shift: u32,
    counts: Vec<u64>,
}

impl Bins {
    fn between(least: i64, most: i64) -> Bins {
        let bits = u64::BITS - most.abs_diff(least).leading_zeros();
        Bins { least, shift: bits.saturating_sub(BITS), counts: vec![0; 1 << BITS] }
    }

    fn of(&self, number: i64) -> usize {
        (number.wrapping_sub(self.least).cast_unsigned() >> self.shift) as usize
    }

    fn count(&mut self, number: i64) {
        let bin = self.of(number);
        self.counts[bin] += 1;
    }
}

/// The numbers that are looked for: those at some places once all stand in ascending order.
struct Selection {
    bins: Bins,
    /// Of each bin the list that its numbers go to, counted from 1; 0 where they are not looked for.
    lists: Vec<u8>,
    /// The numbers of the bins in which the places are.
    among: Vec<Vec<i64>>,
    /// Of each place the list, counted from 0, and the place in it.
    places: [(usize, usize); 4],
}

impl Selection {
    /// The numbers at these places, which ascend, counted from 0.
    fn of(bins: Bins, places: [u64; 4]) -> Selection {
        let (mut lists, mut among) = (vec![0; bins.counts.len()], Vec::new());
        let (mut before, mut bin) = (0, 0);
        let places = places.map(|place| {
            while before + bins.counts[bin] <= place {
                before += bins.counts[bin];
                bin += 1;
            }
            if lists[bin] == 0 {
                among.push(Vec::with_capacity(bins.counts[bin] as usize));
                lists[bin] = among.len() as u8;
            }
            (usize::from(lists[bin]) - 1, (place - before) as usize)
        });
        Selection { bins, lists, among, places }
    }

    fn look_at(&mut self, number: i64) {
        if let Some(list) = self.lists[self.bins.of(number)].checked_sub(1) {
            self.among[usize::from(list)].push(number);
        }
    }

    fn steps(mut self) -> Steps {
        Steps(self.places.map(|(list, place)| *self.among[list].select_nth_unstable(place).1))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_score_is_one_more_than_the_steps_below() {
        let steps = Steps::at_least([2, 3, 5, 10]);
        let scores = [(i64::MIN, 1), (1, 1), (2, 2), (3, 3), (4, 3), (5, 4), (9, 4), (10, 5), (i64::MAX, 5)];
        for (number, score) in scores {
            assert_eq!(steps.score(number), score, "{number}");
        }
        assert_eq!(Steps::UNREACHED.score(i64::MAX), 1);
    }

    #[test]
    fn the_last_of_each_fifth_is_a_step() {
        for (count, expected) in
            [(0, [0; 4]), (1, [1; 4]), (4, [1, 2, 3, 4]), (5, [1, 2, 3, 4]), (6, [2, 3, 4, 5])]
        {
            assert_eq!(ranks(count), expected, "{count}");
        }
        assert_eq!(ranks(u64::MAX)[3], 4 * (u64::MAX / 5));
    }

    /// Numbers that are spread wide, or nearly all alike but for one.
    fn numbers() -> impl Strategy<Value = Vec<i64>> {
        (1..4_000_u64, any::<u64>(), 0..64_u32, any::<i64>()).prop_map(|(count, seed, alike, one)| {
            let spread = |n: u64| {
                (seed ^ n).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29).wrapping_mul(seed | 1)
            };
            let numbers = (1..count).map(|n| i64::from_ne_bytes(spread(n).to_ne_bytes()) >> alike);
            numbers.chain([one]).collect()
        })
    }

    proptest! {
        #[test]
        fn what_is_found_is_what_sorting_finds(numbers in numbers()) {
            let sorted = |mut numbers: Vec<i64>| {
                numbers.sort_unstable();
                Steps(ranks(numbers.len() as u64).map(|rank| numbers[rank as usize - 1]))
            };
            let halves = numbers.iter().map(|number| number / 2).collect();
            let found = Steps::relative(&numbers, |number| Some([*number, number / 2]));
            prop_assert_eq!(found, [sorted(numbers.clone()), sorted(halves)]);
        }
    }
}
