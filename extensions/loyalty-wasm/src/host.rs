//! JSON as JavaScript has read it, looked at where it lies: what is asked for crosses the border, nothing else.
//!
//! `js/host.js` has the other side. It is called without wasm-bindgen, whose JavaScript would be a kilobyte of the checkout's.

use alloc::{string::String, vec::Vec};
use core::num::NonZeroU32;

use loyalty::json::Json;

#[link(wasm_import_module = "host")]
unsafe extern "C" {
    /// The member of an object.
    safe fn field(of: Host, name: *const u8, length: usize) -> Option<Host>;
    /// The element of an array; none behind its end.
    safe fn element(of: Host, place: u32) -> Option<Host>;
    /// An array of pairs: an object's names and members.
    safe fn entries(of: Host) -> Host;
    /// 1 for a whole number that is exact, 2 for a text, 3 for true, 4 for false.
    safe fn kind(of: Host) -> u32;
    /// The upper half of a whole number.
    safe fn high(of: Host) -> i32;
    /// The lower half of a whole number.
    safe fn low(of: Host) -> u32;
    /// How many bytes a text has.
    safe fn length(of: Host) -> usize;
    /// Writes them: ASCII, whatever else is in it is escaped, the same in every text.
    fn copy(of: Host, into: *mut u8);

    /// Says a number by its halves.
    safe fn number(high: i32, low: u32);
    /// Says that there is nothing.
    safe fn nothing();
    /// Says a text.
    safe fn text(bytes: *const u8, length: usize);
}

/// A value on the other side of the border, by its number there.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Host(NonZeroU32);

impl Json for Host {
    fn field(&self, name: &'static str) -> Option<Host> {
        field(*self, name.as_ptr(), name.len())
    }

    fn integer(&self) -> Option<i64> {
        (kind(*self) == 1).then(|| i64::from(high(*self)) << 32 | i64::from(low(*self)))
    }

    fn text(&self) -> Option<String> {
        (kind(*self) == 2).then(|| {
            let length = length(*self);
            let mut bytes = Vec::with_capacity(length);
            // SAFETY: there is room for that many bytes, of which all are written, and ASCII.
            unsafe {
                copy(*self, bytes.as_mut_ptr());
                bytes.set_len(length);
                String::from_utf8_unchecked(bytes)
            }
        })
    }

    fn truth(&self) -> Option<bool> {
        match kind(*self) {
            3 => Some(true),
            4 => Some(false),
            _ => None,
        }
    }

    fn elements(&self) -> impl Iterator<Item = Host> {
        let array = *self;
        (0..).map_while(move |place| element(array, place))
    }

    fn members(&self) -> impl Iterator<Item = (String, Host)> {
        let entries = entries(*self);
        (0..).map_while(move |place| {
            let pair = element(entries, place)?;
            Some((element(pair, 0)?.text()?, element(pair, 1)?))
        })
    }
}

/// Says whether something is so.
pub fn say_whether(it: bool) {
    number(0, u32::from(it));
}

/// Says a number, or that there is none.
#[inline(never)]
pub fn say(said: Option<i64>) {
    match said {
        Some(said) => number((said >> 32) as i32, said as u32),
        None => nothing(),
    }
}

/// Says a text.
pub fn say_text(said: &str) {
    text(said.as_ptr(), said.len());
}
