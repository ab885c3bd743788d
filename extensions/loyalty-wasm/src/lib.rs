//! The rules for JavaScript.
//!
//! Some of the places where Shopify runs extensions have neither a `TextDecoder` nor `BigInt`, and not all of them run
//! WebAssembly, so nothing but numbers of 32 bits and bytes of ASCII crosses the border. `js/` has what JavaScript calls.
//! There are three builds, by feature. The storefront's takes three texts of JSON and answers with a fourth. The
//! checkout's, which Shopify bounds, looks at what JavaScript has read, and says only what a checkout shows; it does without
//! wasm-bindgen, and exists as WebAssembly alone. That for tills is asked about what they keep while they are offline.
//!
//! It knows no serde: with it the extension for checkout would be too large for Shopify. Without an operating system there
//! is no std, either; its target is `wasm32v1-none`, because what the others emit by now cannot be made JavaScript of.
#![no_std]

extern crate alloc;

#[cfg(feature = "storefront")]
mod answer;
#[cfg(all(feature = "checkout", target_arch = "wasm32"))]
mod arena;
#[cfg(all(feature = "checkout", target_arch = "wasm32"))]
mod checkout;
#[cfg(all(feature = "checkout", target_arch = "wasm32"))]
mod host;
#[cfg(any(feature = "storefront", feature = "checkout"))]
mod input;
#[cfg(any(feature = "storefront", feature = "till"))]
mod json;
#[cfg(all(target_arch = "wasm32", target_os = "none"))]
mod platform;
#[cfg(feature = "till")]
mod till;

#[cfg(any(feature = "storefront", feature = "till"))]
use alloc::vec::Vec;

#[cfg(any(feature = "storefront", feature = "till"))]
use wasm_bindgen::prelude::wasm_bindgen;

/// What points are worth to a cart: the account metafield, the program's metafield for widgets and the cart, each as
/// JSON; the answer is the `Offers` of `js/index.d.ts`. What is missing, newer or broken reads as nothing.
#[cfg(feature = "storefront")]
#[wasm_bindgen]
pub fn offers(account: &[u8], program: &[u8], cart: &[u8]) -> Vec<u8> {
    use self::answer::Answer;
    use self::json::{Written, read};
    use loyalty::{Account, Offers, ProgramUi};

    let account = read(account, |json| Account::read(json).ok());
    let program = read(program, |json| ProgramUi::read(json).ok());
    let cart = read(cart, |json| input::cart(json));
    let offers = Offers::of(account.as_ref(), program.as_ref(), cart.as_ref());
    Answer { account: account.as_ref(), program: program.as_ref(), offers }.written().into_bytes()
}

/// What a till keeps, tells and may show while it is offline: a question as JSON, and the answer, as `js/till.js` asks.
#[cfg(feature = "till")]
#[wasm_bindgen]
pub fn till(question: &[u8]) -> Vec<u8> {
    till::answer(question).into_bytes()
}
