//! Which discounts are given together: of all sets that may meet, the one that is best for the customer.

/// The largest groups of `count` things in which every two are compatible (Bron–Kerbosch).
pub(crate) fn maximal_groups(count: usize, compatible: &dyn Fn(usize, usize) -> bool) -> Vec<Vec<usize>> {
    let mut found = Vec::new();
    extend(&[], (0..count).collect(), Vec::new(), compatible, &mut found);
    found
}

fn extend(
    group: &[usize],
    mut candidates: Vec<usize>,
    mut seen: Vec<usize>,
    compatible: &dyn Fn(usize, usize) -> bool,
    found: &mut Vec<Vec<usize>>,
) {
    if candidates.is_empty() && seen.is_empty() {
        found.push(group.to_vec());
    }
    while !candidates.is_empty() {
        let next = candidates.remove(0);
        let friends =
            |others: &[usize]| others.iter().copied().filter(|&other| compatible(next, other)).collect();
        let larger = [group, &[next]].concat();
        extend(&larger, friends(&candidates), friends(&seen), compatible, found);
        seen.push(next);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_maximal_and_complete() {
        let friends = [(0, 1), (1, 2), (0, 2), (2, 3)];
        let compatible = |a: usize, b: usize| friends.contains(&(a.min(b), a.max(b)));
        assert_eq!(maximal_groups(4, &compatible), [vec![0, 1, 2], vec![2, 3]]);
        assert_eq!(maximal_groups(3, &|_, _| true), [vec![0, 1, 2]]);
        assert_eq!(maximal_groups(2, &|_, _| false), [vec![0], vec![1]]);
        assert_eq!(maximal_groups(0, &|_, _| true), [Vec::<usize>::new()]);
    }
}
