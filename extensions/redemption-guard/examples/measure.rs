//! Size and instructions of this Function on one line of JSON, for `cargo xtask functions`: a hold whose minimum is not
//! reached.

#[path = "../tests/cart.rs"]
mod cart;

use std::error::Error;

use function_runner::{Runner, measure};

fn main() -> Result<(), Box<dyn Error>> {
    let function = Runner::new()?.load_named("redemption-guard")?;
    let export = "cart_validations_generate_run";
    let report =
        measure::report("redemption-guard", &function, export, |lines| cart::input(lines, 1_000_000_000))?;
    println!("{}", serde_json::to_string(&report)?);
    Ok(())
}
