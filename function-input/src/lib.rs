//! How our Functions read: the input on demand, each value when it is needed. Metafields come as text, for the rules'
//! own reader.
//!
//! Whatever is missing, malformed or unknown reads as nothing, so that a checkout always goes on.

mod lines;

use shopify_function::wasm_api::{Deserialize, Value, read};

pub use lines::{is_gift_card, money};

/// A value of the input. What is missing or of another type reads as nothing.
#[derive(Clone, Copy)]
pub struct Input {
    value: Value,
    /// Whether members stand in the order of the input query.
    ordered: bool,
}

/// A member of an object of the input: its name, and its place in the input query.
pub struct Member {
    /// Its name, or its alias.
    pub name: &'static str,
    /// How many members the query selects before it.
    pub place: usize,
}

impl Member {
    /// The member of this name, before which the query selects so many others.
    pub const fn new(name: &'static str, place: usize) -> Member {
        Member { name, place }
    }
}

/// Of every input query the root's last member. All others come after it when they are sorted.
pub const CART: &str = "cart";

// Inlined, because a call costs about as much as what these do.
impl Input {
    /// A member. By its place where that is known, at half the cost: the provider need not be told the name, nor
    /// compare it with each that stands before.
    #[inline(always)]
    pub fn member(self, member: &Member) -> Input {
        if self.ordered { self.nth(member.place) } else { self.child(self.value.get_obj_prop(member.name)) }
    }

    /// The member of an object of which the query selects no other.
    #[inline(always)]
    pub fn only(self) -> Input {
        self.nth(0)
    }

    /// The element of an array.
    #[inline(always)]
    pub fn nth(self, place: usize) -> Input {
        self.child(self.value.get_at_index(place))
    }

    /// How many elements an array has; none, if it is no array.
    #[inline(always)]
    pub fn count(self) -> usize {
        self.value.array_len().unwrap_or(0)
    }

    /// The elements of an array.
    pub fn elements(self) -> impl Iterator<Item = Input> {
        (0..self.count()).map(move |place| self.nth(place))
    }

    /// Whether there is nothing here: null, or no such member.
    #[inline(always)]
    pub fn is_null(self) -> bool {
        self.value.is_null()
    }

    /// A truth value.
    #[inline(always)]
    pub fn truth(self) -> Option<bool> {
        self.value.as_bool()
    }

    /// A string.
    pub fn text(self) -> Option<String> {
        self.value.as_string()
    }

    /// A whole number.
    pub fn integer(self) -> Option<i64> {
        let number = self.value.as_number()?;
        // All numbers arrive as floats; whole ones within these bounds are exact.
        let exact = number.trunc() == number && number.abs() <= loyalty::LIMIT as f64;
        exact.then_some(number as i64)
    }

    #[inline(always)]
    fn child(self, value: Value) -> Input {
        Input { value, ..self }
    }
}

impl Deserialize for Input {
    /// GraphQL answers in the order of the query, but what carries the answer may sort it, as JSON libraries do. Our
    /// queries end with a name that comes first when sorted, so the first name tells.
    fn deserialize(value: &Value) -> Result<Input, read::Error> {
        let ordered = value.get_obj_key_at_index(0).as_deref() != Some(CART);
        Ok(Input { value: *value, ordered })
    }
}
