//! JSON as JavaScript has read it, looked at where it lies: what is asked for crosses the border, nothing else.

use alloc::{string::String, vec::Vec};

use loyalty::json::Json;
use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen(raw_module = "../host.js")]
extern "C" {
    /// The member of an object; 0 where there is none.
    fn field(of: u32, name: &[u8]) -> u32;
    /// The element of an array; 0 behind its end.
    fn element(of: u32, place: u32) -> u32;
    /// An array of an object's names and members in turn.
    fn entries(of: u32) -> u32;
    /// 1 for a whole number that is exact, 2 for a text, 3 for true, 4 for false.
    fn kind(of: u32) -> u32;
    /// The upper half of a whole number.
    fn high(of: u32) -> i32;
    /// The lower half of a whole number.
    fn low(of: u32) -> u32;
    /// A text in ASCII: whatever else is in it is escaped, the same in every text.
    fn text(of: u32) -> Vec<u8>;
}

/// A value on the other side of the border.
#[derive(Clone, Copy)]
pub struct Host(u32);

impl Host {
    /// The value of a number that JavaScript gave; 0 is none.
    pub fn of(number: u32) -> Option<Host> {
        (number != 0).then_some(Host(number))
    }
}

impl Json for Host {
    fn field(&self, name: &'static str) -> Option<Host> {
        Host::of(field(self.0, name.as_bytes()))
    }

    fn integer(&self) -> Option<i64> {
        (kind(self.0) == 1).then(|| i64::from(high(self.0)) << 32 | i64::from(low(self.0)))
    }

    fn text(&self) -> Option<String> {
        (kind(self.0) == 2).then(|| text(self.0).into_iter().map(char::from).collect())
    }

    fn truth(&self) -> Option<bool> {
        match kind(self.0) {
            3 => Some(true),
            4 => Some(false),
            _ => None,
        }
    }

    fn elements(&self) -> impl Iterator<Item = Host> {
        let array = self.0;
        (0..).map_while(move |place| Host::of(element(array, place)))
    }

    fn members(&self) -> impl Iterator<Item = (String, Host)> {
        let entries = entries(self.0);
        (0..).step_by(2).map_while(move |place| {
            let name = Host::of(element(entries, place))?.text()?;
            Some((name, Host::of(element(entries, place + 1))?))
        })
    }
}
