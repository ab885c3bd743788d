//! Delivery options: what of them looks another way to a member.

use alloc::{string::String, vec::Vec};

use crate::{perks::OptionPerk, tier::OptionChange};

/// A change of one delivery option of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It has another title.
    Rename(String),
    /// It stands at this place, counted from 0.
    Move(usize),
    /// It is not offered.
    Hide,
}

/// What becomes of the options with these titles, which are offered together: each by its place, with its change. A buyer
/// is always left with an option: where all would be hidden, none is.
pub fn arrange(titles: &[Option<String>], perks: &[OptionPerk]) -> Vec<(usize, Change)> {
    let about = |title: &Option<String>| -> Vec<&OptionPerk> {
        let Some(title) = title.as_deref().map(str::trim) else { return Vec::new() };
        perks.iter().filter(|perk| perk.title.trim() == title).collect()
    };
    let about: Vec<_> = titles.iter().map(about).collect();
    let mut hidden: Vec<bool> = about.iter().map(|perks| is_hidden(perks)).collect();
    if hidden.iter().all(|hidden| *hidden) {
        hidden.fill(false);
    }

    let mut changes = Vec::new();
    for (at, perks) in about.iter().enumerate() {
        if hidden[at] {
            changes.push((at, Change::Hide));
            continue;
        }
        let renamed = perks.iter().filter(|perk| perk.own).find_map(|perk| match &perk.change {
            OptionChange::Rename(to) => Some(to.clone()),
            OptionChange::First | OptionChange::Hide | OptionChange::Reserve => None,
        });
        changes.extend(renamed.map(|to| (at, Change::Rename(to))));
    }
    let mut place = 0;
    for perk in perks.iter().filter(|perk| perk.own && perk.change == OptionChange::First) {
        let at = about
            .iter()
            .zip(&hidden)
            .position(|(perks, hidden)| !hidden && perks.iter().any(|own| core::ptr::eq(*own, perk)));
        if let Some(at) = at {
            changes.push((at, Change::Move(place)));
            place += 1;
        }
    }
    changes
}

/// Hidden from this member, or reserved for others.
fn is_hidden(perks: &[&OptionPerk]) -> bool {
    let mut reserved = perks.iter().filter(|perk| perk.change == OptionChange::Reserve).peekable();
    let for_others = reserved.peek().is_some() && !reserved.any(|perk| perk.own);
    for_others || perks.iter().any(|perk| perk.own && perk.change == OptionChange::Hide)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn perk(title: &str, own: bool, change: OptionChange) -> OptionPerk {
        OptionPerk { title: title.into(), change, own }
    }

    fn titles(titles: &[&str]) -> Vec<Option<String>> {
        titles.iter().map(|title| Some((*title).into())).collect()
    }

    #[test]
    fn a_members_own_changes_are_made_and_others_are_not() {
        let offered = titles(&["Standard", " Express", "Pick-up"]);
        let own = |own| {
            [
                perk("Standard", own, OptionChange::Rename("Gold".into())),
                perk("Pick-up", own, OptionChange::Hide),
                perk("Express ", own, OptionChange::First),
            ]
        };
        let expected = [(0, Change::Rename("Gold".into())), (2, Change::Hide), (1, Change::Move(0))];
        assert_eq!(arrange(&offered, &own(true)), expected);
        assert_eq!(arrange(&offered, &own(false)), []);
    }

    #[test]
    fn what_is_reserved_is_offered_to_those_whom_it_is_for() {
        let offered = titles(&["Standard", "Express"]);
        let reserved = |own: [bool; 2]| own.map(|own| perk("Express", own, OptionChange::Reserve));
        assert_eq!(arrange(&offered, &reserved([false, false])), [(1, Change::Hide)]);
        assert_eq!(arrange(&offered, &reserved([false, true])), []);
    }

    #[test]
    fn a_buyer_is_left_with_an_option() {
        let all = [perk("Standard", true, OptionChange::Hide), perk("Express", false, OptionChange::Reserve)];
        assert_eq!(arrange(&titles(&["Standard", "Express"]), &all), []);
        assert_eq!(arrange(&titles(&["Standard"]), &all), []);
        assert_eq!(arrange(&[], &all), []);
        assert_eq!(arrange(&[None, Some("Standard".into())], &all), [(1, Change::Hide)]);
    }

    fn any_perk() -> impl Strategy<Value = OptionPerk> {
        let change = prop_oneof![
            Just(OptionChange::First),
            Just(OptionChange::Hide),
            Just(OptionChange::Reserve),
            "[x-z]".prop_map(OptionChange::Rename),
        ];
        ("[a-d]", any::<bool>(), change).prop_map(|(title, own, change)| OptionPerk { title, change, own })
    }

    proptest! {
        #[test]
        fn each_option_changes_once_in_each_way_and_one_is_always_left(
            offered in prop::collection::vec(prop::option::of("[a-e]"), 0..6),
            perks in prop::collection::vec(any_perk(), 0..8),
        ) {
            let changes = arrange(&offered, &perks);
            let hidden: Vec<_> = changes.iter().filter(|(_, change)| *change == Change::Hide).collect();
            prop_assert!(hidden.len() < offered.len() || offered.is_empty());
            for (at, change) in &changes {
                prop_assert!(*at < offered.len());
                let hidden = hidden.iter().any(|(hidden, _)| hidden == at);
                prop_assert!(!hidden || *change == Change::Hide, "what is hidden is left alone");
            }
            let places: Vec<_> = changes.iter().filter_map(|(_, change)| match change {
                Change::Move(place) => Some(*place),
                _ => None,
            }).collect();
            prop_assert_eq!(&places, &(0..places.len()).collect::<Vec<_>>());
        }
    }
}
