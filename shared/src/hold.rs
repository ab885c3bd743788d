//! Holds: how a cart names one, and which one an order used.

use alloc::string::String;
use core::{fmt, str::FromStr};

use crate::json::{FormatError, Json, required};

/// The id of a hold: 128 bits, written as 32 lower-case hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "String", into = "String"))]
pub struct HoldId(pub u128);

impl HoldId {
    /// Reads the 32 digits; anything else is `None`.
    pub fn parse(text: &str) -> Option<HoldId> {
        let digits = text.as_bytes();
        if digits.len() != 32 {
            return None;
        }
        digits
            .iter()
            .try_fold(0_u128, |id, &digit| {
                let value = match digit {
                    b'0'..=b'9' => digit - b'0',
                    b'a'..=b'f' => digit - b'a' + 10,
                    _ => return None,
                };
                Some(id << 4 | u128::from(value))
            })
            .map(HoldId)
    }
}

impl fmt::Display for HoldId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl From<HoldId> for String {
    fn from(id: HoldId) -> String {
        alloc::format!("{id}")
    }
}

impl TryFrom<String> for HoldId {
    type Error = FormatError;

    fn try_from(text: String) -> Result<HoldId, FormatError> {
        HoldId::parse(&text).ok_or(FormatError::Field("id"))
    }
}

/// What a cart carries to name a hold: the hold and the number of the attempt, so that every pick changes the cart
/// and the Function runs anew. It is a claim, not proof: anyone can write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The hold that the cart wants to use.
    pub hold: HoldId,
    /// How often this hold has been put into a cart.
    pub attempt: u32,
}

impl Mark {
    /// The cart attribute, and so the order's note attribute, that carries a mark.
    pub const ATTRIBUTE: &'static str = "_loyalty";
    /// The `$app` metafield of a cart, and so of its order, that carries a mark.
    pub const METAFIELD: &'static str = "redemption";
    /// The version of the metafield's format.
    pub const VERSION: i64 = 1;

    /// Reads a mark from its metafield: `{"v":1,"hold":"…","attempt":1}`.
    ///
    /// # Errors
    /// [`FormatError::Version`] of another version; [`FormatError::Field`] where the hold or the attempt is missing or none.
    pub fn read<J: Json>(json: &J) -> Result<Mark, FormatError> {
        if json.field("v").and_then(|v| v.integer()) != Some(Mark::VERSION) {
            return Err(FormatError::Version);
        }
        Ok(Mark {
            hold: required(json, "hold", |id| HoldId::parse(&id.text()?))?,
            attempt: required(json, "attempt", |n| u32::try_from(n.integer()?).ok())?,
        })
    }
}

/// The attribute's text: `<hold>.<attempt>`.
impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.hold, self.attempt)
    }
}

impl FromStr for Mark {
    type Err = FormatError;

    fn from_str(text: &str) -> Result<Mark, FormatError> {
        let (hold, attempt) = text.split_once('.').ok_or(FormatError::Field(Mark::ATTRIBUTE))?;
        Ok(Mark {
            hold: HoldId::parse(hold).ok_or(FormatError::Field("hold"))?,
            attempt: attempt.parse().map_err(|_| FormatError::Field("attempt"))?,
        })
    }
}

/// What an order says about the hold it used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Claim {
    /// The mark in the order's note attributes.
    pub attribute: Option<Mark>,
    /// The mark in the order's own metafield.
    pub metafield: Option<Mark>,
    /// When the order was placed, in microseconds since 1970 (UTC).
    pub placed_at: i64,
}

/// What the claim is held against: one hold that might be meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The hold.
    pub id: HoldId,
    /// Whether it belongs to the member who placed the order.
    pub own: bool,
    /// Whether its points are still held: opening, live or closing.
    pub held: bool,
    /// Whether it applies to a cart that does not name it.
    pub any_cart: bool,
    /// Whether what came off the order can have been its discount.
    pub covers: bool,
    /// From when on a checkout could use it (inclusive), in microseconds since 1970 (UTC).
    pub from: i64,
    /// Until when (exclusive).
    pub until: i64,
}

/// Which hold an order used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Match {
    /// This one, and its points are held: capture it.
    Held(HoldId),
    /// This one, but its points are held no more: it was captured by another order, or released.
    Spent(HoldId),
    /// This one, but it belongs to another member.
    Foreign(HoldId),
    /// None that we know.
    Unknown,
}

/// Finds the hold that an order used. A checkout gives only the discount of a hold that its own customer has, so whatever
/// marks say, an own hold comes before another member's. The first hit wins:
///
/// 1. a mark (the note attribute before the metafield) that names an own hold whose points are held;
/// 2. an own hold for any cart: then the checkout asked for no mark;
/// 3. a mark that names an own hold that has ended and can have given the discount;
/// 4. the only own hold;
/// 5. any other own hold that a mark names;
/// 6. an own hold for any cart that has ended since;
/// 7. another member's hold that a mark names.
///
/// Without a mark, the hold's window must contain the order.
pub fn find(claim: &Claim, candidates: &[Candidate]) -> Match {
    let marked = || [claim.attribute, claim.metafield].into_iter().flatten();
    let named = || marked().filter_map(|mark| candidates.iter().find(|candidate| candidate.id == mark.hold));
    let usable = |hold: &&Candidate| hold.own && hold.held;
    let fitting =
        || candidates.iter().filter(usable).filter(|hold| (hold.from..hold.until).contains(&claim.placed_at));
    let only = || {
        let mut fitting = fitting();
        fitting.next().filter(|_| fitting.next().is_none())
    };
    let ended = || {
        let ended = candidates.iter().filter(|hold| hold.own && !hold.held && hold.any_cart);
        ended.filter(|hold| (hold.from..hold.until).contains(&claim.placed_at)).max_by_key(|hold| hold.from)
    };
    let found = named()
        .find(usable)
        .or_else(|| fitting().find(|hold| hold.any_cart))
        .or_else(|| named().find(|hold| hold.own && hold.covers))
        .or_else(only)
        .or_else(|| named().find(|hold| hold.own))
        .or_else(ended)
        .or_else(|| named().next());
    match found {
        None => Match::Unknown,
        Some(hold) if !hold.own => Match::Foreign(hold.id),
        Some(hold) if hold.held => Match::Held(hold.id),
        Some(hold) => Match::Spent(hold.id),
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use proptest::prelude::*;

    use super::*;

    fn candidate(id: u128) -> Candidate {
        Candidate {
            id: HoldId(id),
            own: true,
            held: true,
            any_cart: false,
            covers: true,
            from: 100,
            until: 200,
        }
    }

    fn mark(id: u128) -> Option<Mark> {
        Some(Mark { hold: HoldId(id), attempt: 1 })
    }

    #[test]
    fn the_note_attribute_comes_before_the_metafield() {
        let claim = Claim { attribute: mark(1), metafield: mark(2), placed_at: 150 };
        assert_eq!(find(&claim, &[candidate(2), candidate(1)]), Match::Held(HoldId(1)));
        let claim = Claim { attribute: mark(9), ..claim };
        assert_eq!(find(&claim, &[candidate(2), candidate(1)]), Match::Held(HoldId(2)));
    }

    #[test]
    fn a_spent_mark_does_not_hide_one_that_holds() {
        let claim = Claim { attribute: mark(1), metafield: mark(2), placed_at: 150 };
        let spent = Candidate { held: false, ..candidate(1) };
        assert_eq!(find(&claim, &[spent, candidate(2)]), Match::Held(HoldId(2)));
        assert_eq!(
            find(&claim, &[spent, Candidate { held: false, ..candidate(2) }]),
            Match::Spent(HoldId(1))
        );
    }

    #[test]
    fn a_foreign_or_spent_hold_is_named_as_such() {
        let claim = Claim { attribute: mark(1), placed_at: 150, ..Claim::default() };
        let foreign = Candidate { own: false, ..candidate(1) };
        let spent = Candidate { held: false, ..candidate(1) };
        assert_eq!(find(&claim, &[foreign]), Match::Foreign(HoldId(1)));
        assert_eq!(find(&claim, &[spent]), Match::Spent(HoldId(1)));
    }

    #[test]
    fn a_mark_of_somebody_else_does_not_spare_ones_own_hold() {
        let claim = Claim { attribute: mark(1), placed_at: 150, ..Claim::default() };
        let foreign = Candidate { own: false, ..candidate(1) };
        assert_eq!(find(&claim, &[foreign, candidate(2)]), Match::Held(HoldId(2)));
        let ended = Candidate { held: false, any_cart: true, ..candidate(2) };
        assert_eq!(find(&claim, &[foreign, ended]), Match::Spent(HoldId(2)));
        let later = Candidate { from: 151, ..candidate(2) };
        assert_eq!(find(&claim, &[foreign, later]), Match::Foreign(HoldId(1)), "nothing of their own fits");
    }

    #[test]
    fn a_hold_that_has_ended_pays_only_for_what_it_can_have_given() {
        let claim = Claim { attribute: mark(1), placed_at: 150, ..Claim::default() };
        let spent = Candidate { held: false, ..candidate(1) };
        assert_eq!(find(&claim, &[spent, candidate(2)]), Match::Spent(HoldId(1)), "the order came late");
        let cheaper = Candidate { covers: false, ..spent };
        assert_eq!(find(&claim, &[cheaper, candidate(2)]), Match::Held(HoldId(2)));
        assert_eq!(find(&claim, &[cheaper]), Match::Spent(HoldId(1)), "there is no other");
    }

    #[test]
    fn a_hold_for_any_cart_is_used_whatever_mark_the_cart_carried() {
        let claim = Claim { attribute: mark(1), placed_at: 150, ..Claim::default() };
        let any_cart = Candidate { any_cart: true, ..candidate(2) };
        for other in [Candidate { held: false, ..candidate(1) }, Candidate { own: false, ..candidate(1) }] {
            assert_eq!(find(&claim, &[other, any_cart]), Match::Held(HoldId(2)));
        }
        assert_eq!(find(&claim, &[candidate(1), any_cart]), Match::Held(HoldId(1)));
        let later = Candidate { from: 151, ..any_cart };
        assert_eq!(
            find(&claim, &[Candidate { own: false, ..candidate(1) }, later]),
            Match::Foreign(HoldId(1))
        );
    }

    #[test]
    fn an_order_that_came_late_finds_the_hold_for_any_cart_that_ended_meanwhile() {
        let ended = Candidate { held: false, any_cart: true, ..candidate(1) };
        let at = |placed_at| Claim { placed_at, ..Claim::default() };
        assert_eq!(find(&at(150), &[ended]), Match::Spent(HoldId(1)));
        assert_eq!(find(&at(200), &[ended]), Match::Unknown);
        let newer = Candidate { from: 160, until: i64::MAX, ..candidate(2) };
        assert_eq!(find(&at(150), &[newer, ended]), Match::Spent(HoldId(1)));
    }

    #[test]
    fn without_a_mark_only_a_single_hold_in_its_window_counts() {
        let at = |placed_at| Claim { placed_at, ..Claim::default() };
        assert_eq!(find(&at(100), &[candidate(1)]), Match::Held(HoldId(1)));
        assert_eq!(find(&at(199), &[candidate(1)]), Match::Held(HoldId(1)));
        assert_eq!(find(&at(99), &[candidate(1)]), Match::Unknown);
        assert_eq!(find(&at(200), &[candidate(1)]), Match::Unknown, "windows are half-open");
        assert_eq!(find(&at(150), &[candidate(1), candidate(2)]), Match::Unknown);
        assert_eq!(find(&at(150), &[Candidate { own: false, ..candidate(1) }]), Match::Unknown);
        assert_eq!(find(&at(150), &[Candidate { held: false, ..candidate(1) }]), Match::Unknown);
    }

    proptest! {
        #[test]
        fn a_mark_is_read_back(id: u128, attempt: u32) {
            let mark = Mark { hold: HoldId(id), attempt };
            prop_assert_eq!(mark.to_string().parse(), Ok(mark));
        }

        #[test]
        fn no_text_makes_it_panic(text in "[0-9a-f.]{30,40}|.*") {
            let _ = text.parse::<Mark>();
        }
    }
}
