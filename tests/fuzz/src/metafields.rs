//! Texts of our metafields: the backend and the Functions read the same, by readers of their own.

use loyalty::json::{Document, Json};
use loyalty::perks::{DeliveryPerk, LinePerk, OptionPerk};
use loyalty::{Account, ProgramUi, perks};
use serde_json::Value;

/// All that is read of metafields, in words.
fn said<J: Json>(json: &J) -> String {
    let tiers = [None, Some("gold")];
    let account = (Account::read(json), Account::read_hold(json), Account::read_tier(json));
    let lines = tiers.map(|tier| LinePerk::read_all(json, tier));
    let delivery = tiers.map(|tier| DeliveryPerk::best(json, tier));
    let options = tiers.map(|tier| OptionPerk::read_all(json, tier));
    let (guarded, widgets) = (perks::is_guarded(json), ProgramUi::read(json));
    format!("{account:?} {lines:?} {delivery:?} {options:?} {guarded:?} {widgets:?}")
}

/// A text is read by both readers and they must agree, if it is what Shopify would store: JSON, and in it no
/// member twice. Any other text must be read without a panic.
pub fn metafields(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Some(root) = Document::parse(text).as_ref().and_then(Document::root) {
        said(&root);
    }
    let Ok(value) = serde_json::from_str::<Value>(text) else { return };
    // Shopify stores JSON as it reads it: members once, numbers and escapes in one way of many.
    let stored = value.to_string();
    let document = Document::parse(&stored).expect("JSON can be split");
    let root = document.root().expect("JSON has a root");
    assert_eq!(said(&&value), said(&root));
    if let Ok(account) = Account::read(&&value) {
        let written: Value = serde_json::from_str(&account.to_json().unwrap()).unwrap();
        assert_eq!(Account::read(&&written), Ok(account), "what is written is what was read");
    }
}
