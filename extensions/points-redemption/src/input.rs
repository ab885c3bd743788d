//! The input, read on demand.

use shopify_function::wasm_api::{Deserialize, Value, read};

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

impl Input {
    /// A member. By its place where that is known, at half the cost: the provider need not be told the name, nor
    /// compare it with each that stands before.
    pub fn member(self, member: &Member) -> Input {
        if self.ordered { self.nth(member.place) } else { self.child(self.value.get_obj_prop(member.name)) }
    }

    /// The member of an object of which the query selects no other.
    pub fn only(self) -> Input {
        self.nth(0)
    }

    /// The element of an array.
    pub fn nth(self, place: usize) -> Input {
        self.child(self.value.get_at_index(place))
    }

    /// How many elements an array has; none, if it is no array.
    pub fn count(self) -> usize {
        self.value.array_len().unwrap_or(0)
    }

    /// The elements of an array.
    pub fn elements(self) -> impl Iterator<Item = Input> {
        (0..self.count()).map(move |place| self.nth(place))
    }

    /// Whether there is nothing here: null, or no such member.
    pub fn is_null(self) -> bool {
        self.value.is_null()
    }

    /// A truth value.
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

    fn child(self, value: Value) -> Input {
        Input { value, ..self }
    }
}

impl Deserialize for Input {
    /// GraphQL answers in the order of the query, but what carries the answer may sort it, as JSON libraries do. Our
    /// queries begin with a name that comes last when sorted, so the first name tells.
    fn deserialize(value: &Value) -> Result<Input, read::Error> {
        let ordered = value.get_obj_key_at_index(0).as_deref() == Some(members::DISCOUNT.name);
        Ok(Input { value: *value, ordered })
    }
}

/// The members that the input queries select beside others. A test compares them with the queries.
pub mod members {
    use super::Member;

    const fn member(name: &'static str, place: usize) -> Member {
        Member { name, place }
    }

    pub const DISCOUNT: Member = member("discount", 0);
    pub const CART: Member = member("cart", 1);

    // Of the discount.
    pub const DISCOUNT_CLASSES: Member = member("discountClasses", 0);
    pub const ROLE: Member = member("role", 1);

    // Of the cart.
    pub const RETAIL_LOCATION: Member = member("retailLocation", 0);
    pub const BUYER_IDENTITY: Member = member("buyerIdentity", 1);
    pub const ATTRIBUTE: Member = member("attribute", 2);
    pub const REDEMPTION: Member = member("redemption", 3);
    pub const SUBTOTAL: Member = member("subtotal", 4);
    pub const GIFT_CARDS: Member = member("giftCards", 5);
    pub const DELIVERY_GROUPS: Member = member("deliveryGroups", 5);
    pub const LINES: Member = member("lines", 6);
    pub const VARIANTS: Member = member("variants", 7);

    // Of the buyer.
    pub const IS_AUTHENTICATED: Member = member("isAuthenticated", 0);
    pub const CUSTOMER: Member = member("customer", 1);

    // Of the subtotal.
    pub const CURRENCY_CODE: Member = member("currencyCode", 0);
    pub const AMOUNT: Member = member("amount", 1);

    // Of a line, and of a delivery option.
    pub const COST: Member = member("cost", 0);
    pub const ID: Member = member("id", 1);
    pub const HANDLE: Member = member("handle", 1);
    pub const QUANTITY: Member = member("quantity", 0);
    pub const MERCHANDISE: Member = member("merchandise", 1);
}
