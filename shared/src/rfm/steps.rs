//! Steps: where one score ends and the next begins.

use alloc::{vec, vec::Vec};

/// Four numbers in ascending order. A score is one more than the steps that a number is above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct Steps([i64; 4]);

/// Bits of a number that one look at all numbers tells apart.
const BITS: u32 = 12;
/// Fewer numbers than this are sorted.
const FEW: usize = 1 << 10;

/// Which numbers of so many, counted from 1 in ascending order, are the steps of those: the last of each fifth, rounded
/// up. All are 0 where there are no numbers.
pub fn ranks(count: u64) -> [u64; 4] {
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

    /// The steps that these numbers are; see [`ranks`].
    pub fn above(numbers: [i64; 4]) -> Steps {
        Steps(numbers)
    }

    /// The steps by which a number's score is `1 + ⌊5 × share of all that are strictly less⌋`.
    pub fn relative(numbers: &[i64]) -> Steps {
        if numbers.is_empty() {
            return Steps::UNREACHED;
        }
        let mut steps = Steps::UNREACHED;
        let ranks = ranks(numbers.len() as u64).map(|rank| usize::try_from(rank).unwrap_or(usize::MAX) - 1);
        select(numbers, &ranks, &mut steps.0);
        steps
    }

    /// The same steps, but that less than zero is above none of them.
    pub(super) fn not_below_zero(self) -> Steps {
        Steps(self.0.map(|step| step.max(-1)))
    }

    /// The steps as they are: a score is one more than those that a number is above.
    pub(super) fn numbers(&self) -> [i64; 4] {
        self.0
    }

    /// The score of a number: 1 to 5.
    pub fn score(&self, number: i64) -> u8 {
        self.0.iter().fold(1, |score, step| score + u8::from(number > *step))
    }
}

/// The numbers that stand at these places (from 0, in ascending order) once all are sorted. All are counted by their leading
/// bits, then those that the places fall among are looked at closer: few, unless many are nearly alike.
fn select(numbers: &[i64], places: &[usize], found: &mut [i64]) {
    if numbers.len() <= FEW {
        let mut sorted = numbers.to_vec();
        sorted.sort_unstable();
        for (place, found) in places.iter().zip(found) {
            *found = sorted[*place];
        }
        return;
    }
    let (least, most) = numbers
        .iter()
        .fold((i64::MAX, i64::MIN), |(least, most), number| (least.min(*number), most.max(*number)));
    if least == most {
        found.fill(least);
        return;
    }
    let shift = (u64::BITS - most.abs_diff(least).leading_zeros()).saturating_sub(BITS);
    let bin = |number: i64| (number.abs_diff(least) >> shift) as usize;
    let mut counts = vec![0_usize; 1 << BITS];
    for number in numbers {
        counts[bin(*number)] += 1;
    }
    let (mut before, mut at, mut next) = (0, 0, 0);
    while next < places.len() {
        while before + counts[at] <= places[next] {
            before += counts[at];
            at += 1;
        }
        let end = next + places[next..].iter().take_while(|place| **place < before + counts[at]).count();
        let mut among = Vec::with_capacity(counts[at]);
        among.extend(numbers.iter().copied().filter(|number| bin(*number) == at));
        let within: Vec<usize> = places[next..end].iter().map(|place| place - before).collect();
        select(&among, &within, &mut found[next..end]);
        next = end;
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
            let mut sorted = numbers.clone();
            sorted.sort_unstable();
            let expected = ranks(numbers.len() as u64).map(|rank| sorted[rank as usize - 1]);
            prop_assert_eq!(Steps::relative(&numbers), Steps(expected));
        }
    }
}
