//! Shorter lists that fail as well: parts are left out, large ones first, as long as what is left still fails.

/// The shortest list that was found. `fails` says how many of the items it took to fail.
pub fn shrink<T: Clone>(items: Vec<T>, fails: impl Fn(&[T]) -> Option<usize>) -> Vec<T> {
    let mut items = items;
    let mut part = items.len().div_ceil(2);
    while part > 0 {
        let (mut at, mut shorter) = (0, false);
        while at < items.len() {
            let mut without = items.clone();
            without.drain(at..(at + part).min(items.len()));
            match fails(&without) {
                Some(taken) => {
                    without.truncate(taken);
                    (items, shorter) = (without, true);
                }
                None => at += part,
            }
        }
        // Single items are tried until none can go.
        part = if part == 1 && shorter { 1 } else { part / 2 };
    }
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_needed_goes() {
        let needs = |wanted: &'static [u32]| {
            move |items: &[u32]| {
                let last = wanted.iter().map(|wanted| items.iter().position(|item| item == wanted));
                last.collect::<Option<Vec<_>>>().and_then(|found| found.into_iter().max()).map(|at| at + 1)
            }
        };
        let items: Vec<u32> = (0..100).collect();
        assert_eq!(shrink(items.clone(), needs(&[17])), [17]);
        assert_eq!(shrink(items.clone(), needs(&[3, 50, 51, 99])), [3, 50, 51, 99]);
        assert_eq!(shrink(items, |_| None).len(), 100, "what does not fail stays as it is");
    }
}
