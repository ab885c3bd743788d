//! Size and instructions of this Function on one line of JSON, for `cargo xtask functions`: a program with a few changes.
//! Its query selects no cart lines, so their number changes nothing.

use std::error::Error;

use function_runner::{Runner, measure};
use serde_json::json;

fn main() -> Result<(), Box<dyn Error>> {
    let function = Runner::new()?.load_named("tier-delivery")?;
    let program = json!({ "v": 1, "version": 7, "options": [
        { "for": ["gold"], "title": "Standard", "rename": "Gold delivery" },
        { "for": ["gold"], "title": "Express", "do": "reserve" },
        { "for": ["gold"], "title": "Express", "do": "first" },
    ] });
    let account = json!({ "v": 1, "seq": 12, "points": 1_500, "pending": 20, "tier": "gold" });
    let options = [("c5f3ab-standard", "Standard"), ("c5f3ab-express", "Express")]
        .map(|(handle, title)| json!({ "handle": handle, "title": title }));
    let input = json!({
        "shop": { "metafield": { "value": program.to_string() } },
        "cart": {
            "buyerIdentity": { "isAuthenticated": true, "customer": { "metafield": { "value": account.to_string() } } },
            "deliveryGroups": [{ "deliveryOptions": options }],
        },
    });
    let report =
        measure::report("tier-delivery", &function, "cart_delivery_options_transform_run", |_| &input)?;
    println!("{}", serde_json::to_string(&report)?);
    Ok(())
}
