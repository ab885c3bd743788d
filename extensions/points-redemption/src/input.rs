//! The input, read on demand.

use shopify_function::wasm_api::{Deserialize, Value, read};

/// A value of the input. What is missing or of another type reads as nothing.
#[derive(Clone, Copy)]
pub struct Input(Value);

impl Input {
    /// The member of that name.
    pub fn get(self, name: &str) -> Input {
        Input(self.0.get_obj_prop(name))
    }

    /// The member of an object of which the query selects no other: found without comparing names.
    pub fn only(self) -> Input {
        self.nth(0)
    }

    /// The element of an array.
    pub fn nth(self, index: usize) -> Input {
        Input(self.0.get_at_index(index))
    }

    /// How many elements an array has; none, if it is no array.
    pub fn len(self) -> usize {
        self.0.array_len().unwrap_or(0)
    }

    /// The elements of an array.
    pub fn elements(self) -> impl Iterator<Item = Input> {
        (0..self.len()).map(move |index| self.nth(index))
    }

    /// Whether there is nothing here: null, or no such member.
    pub fn is_null(self) -> bool {
        self.0.is_null()
    }

    /// A truth value.
    pub fn truth(self) -> Option<bool> {
        self.0.as_bool()
    }

    /// A string.
    pub fn text(self) -> Option<String> {
        self.0.as_string()
    }

    /// A whole number.
    pub fn integer(self) -> Option<i64> {
        let number = self.0.as_number()?;
        // All numbers arrive as floats; whole ones within these bounds are exact.
        let exact = number.trunc() == number && number.abs() <= loyalty::LIMIT as f64;
        exact.then_some(number as i64)
    }
}

impl Deserialize for Input {
    fn deserialize(value: &Value) -> Result<Input, read::Error> {
        Ok(Input(*value))
    }
}
