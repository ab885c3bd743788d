//! Size and instructions of this Function on one line of JSON, for `cargo xtask functions`: a full hold, UUID-like line
//! ids, 5 % gift cards.

#[allow(dead_code)]
#[path = "../tests/support/cart.rs"]
mod cart;

use std::error::Error;

use function_runner::{Runner, measure};

fn main() -> Result<(), Box<dyn Error>> {
    let function = Runner::new()?.load_named("points-redemption")?;
    let account = cart::account(Some(cart::full_hold()));
    let report =
        measure::report("points-redemption", &function, "cart_lines_discounts_generate_run", |lines| {
            cart::lines_input(&account, &cart::lines(lines))
        })?;
    println!("{}", serde_json::to_string(&report)?);
    Ok(())
}
