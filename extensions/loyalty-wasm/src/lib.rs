//! The rules for JavaScript.
//!
//! One function takes three texts of JSON and answers with a fourth, as bytes of ASCII: some of the places where Shopify
//! runs extensions have neither a `TextDecoder` nor `BigInt`, and not all of them run WebAssembly, so that nothing but
//! numbers of 32 bits and bytes crosses the border. `js/` has what JavaScript calls.
//!
//! It knows no serde: with it the extension for checkout would be too large for Shopify. Without an operating system there
//! is no std, either; its target is `wasm32v1-none`, because what the others emit by now cannot be made JavaScript of.
#![no_std]

extern crate alloc;

mod answer;
mod input;
#[cfg(all(target_arch = "wasm32", target_os = "none"))]
mod platform;

use alloc::vec::Vec;

use loyalty::{Account, Offers, ProgramUi};
use wasm_bindgen::prelude::wasm_bindgen;

use self::answer::{Answer, Written};

/// What points are worth to a cart: the account metafield, the program's metafield for widgets and the cart, each as
/// JSON; the answer is the `Offers` of `js/index.d.ts`. What is missing, newer or broken reads as nothing.
#[wasm_bindgen]
pub fn offers(account: &[u8], program: &[u8], cart: &[u8]) -> Vec<u8> {
    let account = input::read(account, |json| Account::read(json).ok());
    let program = input::read(program, |json| ProgramUi::read(json).ok());
    let cart = input::read(cart, input::cart);
    let offers = Offers::of(account.as_ref(), program.as_ref(), cart.as_ref());
    Answer { account: account.as_ref(), program: program.as_ref(), offers }.written().into_bytes()
}
