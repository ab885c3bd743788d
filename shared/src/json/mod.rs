//! The little of JSON that the formats need, so that one reader serves every place they are read: `serde_json` in
//! the backend, a [`Document`] where that would be too large or too slow: in Functions and in browsers.

mod document;

use alloc::{string::String, vec::Vec};

pub use document::{Document, Value};

/// A JSON value that can be looked into. Wrong types read as absent: a format decides what that means.
pub trait Json: Sized {
    /// The member of an object; `None` when it is absent or null, or when this is no object.
    fn field(&self, name: &'static str) -> Option<Self>;
    /// A whole number within ±(2^53 − 1).
    fn integer(&self) -> Option<i64>;
    /// A string.
    fn text(&self) -> Option<String>;
    /// A truth value.
    fn truth(&self) -> Option<bool>;
    /// The elements of an array; none when this is no array.
    fn elements(&self) -> impl Iterator<Item = Self>;
    /// The members of an object that are not null, by their names; none when this is no object.
    fn members(&self) -> impl Iterator<Item = (String, Self)>;
}

/// Why a stored format could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// A version this code does not know, or none.
    #[error("the format's version is not known")]
    Version,
    /// A member that is missing or not what it should be.
    #[error("`{0}` is missing or not valid")]
    Field(&'static str),
}

/// Whether a format says that it is of this version.
pub(crate) fn check_version<J: Json>(json: &J, version: i64) -> Result<(), FormatError> {
    match json.field("v").and_then(|v| v.integer()) {
        Some(known) if known == version => Ok(()),
        _ => Err(FormatError::Version),
    }
}

/// The elements of a list, read by `read`; none where one of them cannot be.
pub fn all<J: Json, T>(list: &J, read: impl Fn(&J) -> Option<T>) -> Option<Vec<T>> {
    let mut all = Vec::new();
    for element in list.elements() {
        all.push(read(&element)?);
    }
    Some(all)
}

/// A required member, read by `read`.
pub(crate) fn required<J: Json, T>(
    json: &J,
    name: &'static str,
    read: impl FnOnce(&J) -> Option<T>,
) -> Result<T, FormatError> {
    json.field(name).as_ref().and_then(read).ok_or(FormatError::Field(name))
}

/// An optional member: absent is `None`, present and wrong is an error.
pub(crate) fn optional<J: Json, T>(
    json: &J,
    name: &'static str,
    read: impl FnOnce(&J) -> Option<T>,
) -> Result<Option<T>, FormatError> {
    match json.field(name) {
        None => Ok(None),
        Some(value) => read(&value).map(Some).ok_or(FormatError::Field(name)),
    }
}

#[cfg(feature = "serde")]
impl Json for &serde_json::Value {
    fn field(&self, name: &'static str) -> Option<Self> {
        self.get(name).filter(|value| !value.is_null())
    }

    fn integer(&self) -> Option<i64> {
        self.as_i64().filter(|value| (-crate::LIMIT..=crate::LIMIT).contains(value))
    }

    fn text(&self) -> Option<String> {
        self.as_str().map(String::from)
    }

    fn truth(&self) -> Option<bool> {
        self.as_bool()
    }

    fn elements(&self) -> impl Iterator<Item = Self> {
        self.as_array().into_iter().flatten()
    }

    fn members(&self) -> impl Iterator<Item = (String, Self)> {
        let members = self.as_object().into_iter().flatten();
        members.filter(|(_, value)| !value.is_null()).map(|(name, value)| (name.clone(), value))
    }
}
