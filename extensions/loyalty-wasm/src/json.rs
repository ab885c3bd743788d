//! Texts of JSON. What is written is ASCII alone: whatever else there is in names is escaped.

use alloc::{string::String, vec::Vec};

use loyalty::Points;
use loyalty::json::{Document, Value};

/// Reads a text; `None` where it is not what it should be.
pub fn read<T>(text: &[u8], read: impl FnOnce(&Value) -> Option<T>) -> Option<T> {
    let document = Document::parse(core::str::from_utf8(text).ok()?)?;
    read(&document.root()?)
}

/// What can be written.
pub trait Written {
    /// Writes it at the end of a text.
    fn write(&self, out: &mut String);

    /// Its text.
    fn written(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }
}

/// An object with these members. They are known by a pointer each, so that there is one such function for all.
pub fn object(out: &mut String, members: &[(&str, &dyn Written)]) {
    for (place, (name, value)) in members.iter().enumerate() {
        out.push(if place == 0 { '{' } else { ',' });
        name.write(out);
        out.push(':');
        value.write(out);
    }
    out.push('}');
}

impl<T: Written> Written for Option<T> {
    fn write(&self, out: &mut String) {
        match self {
            Some(value) => value.write(out),
            None => out.push_str("null"),
        }
    }
}

impl<T: Written> Written for Vec<T> {
    fn write(&self, out: &mut String) {
        out.push('[');
        for (place, element) in self.iter().enumerate() {
            if place > 0 {
                out.push(',');
            }
            element.write(out);
        }
        out.push(']');
    }
}

// The standard library's way to write numbers would be a tenth of the module.
impl Written for i64 {
    fn write(&self, out: &mut String) {
        if *self < 0 {
            out.push('-');
        }
        let mut place = 1;
        let mut rest = self.unsigned_abs();
        while rest / place >= 10 {
            place *= 10;
        }
        while place > 0 {
            digit((rest / place) as u32, out);
            rest %= place;
            place /= 10;
        }
    }
}

impl Written for Points {
    fn write(&self, out: &mut String) {
        self.get().write(out);
    }
}

impl Written for bool {
    fn write(&self, out: &mut String) {
        out.push_str(if *self { "true" } else { "false" });
    }
}

impl Written for String {
    fn write(&self, out: &mut String) {
        self.as_str().write(out);
    }
}

impl Written for &str {
    fn write(&self, out: &mut String) {
        out.push('"');
        for unit in self.encode_utf16() {
            match u8::try_from(unit) {
                Ok(plain @ (b' '..=b'!' | b'#'..=b'[' | b']'..=b'~')) => out.push(char::from(plain)),
                _ => escape(unit, out),
            }
        }
        out.push('"');
    }
}

/// `\u00e9`
fn escape(unit: u16, out: &mut String) {
    out.push_str("\\u");
    for shift in [12, 8, 4, 0] {
        digit(u32::from(unit >> shift & 0xf), out);
    }
}

/// A digit up to f.
pub fn digit(digit: u32, out: &mut String) {
    out.extend(char::from_digit(digit, 16));
}
