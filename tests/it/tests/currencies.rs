//! How many decimals a currency has stands in four places, because none can read another's: the rules, the local shop, which
//! must not believe them, and two scripts for browsers. Here they are held against each other.

use std::fs;
use std::path::Path;

/// The words of `const NAME = '…'.split(' ');`.
fn listed(script: &str, name: &str) -> Vec<String> {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(script)).unwrap();
    let begin = format!("const {name} = '");
    let list = text.lines().find_map(|line| line.strip_prefix(&begin)?.strip_suffix("'.split(' ');"));
    let list = list.unwrap_or_else(|| panic!("{script} has no {name}"));
    list.split(' ').map(str::to_owned).collect()
}

#[test]
fn everyone_agrees_on_the_decimals_of_every_currency() {
    let scripts = ["rewards-ui/money.js", "extensions/storefront-rewards/assets/rules.js"];
    let lists = scripts.map(|script| (script, listed(script, "WHOLE"), listed(script, "THREE")));
    let letters = || b'A'..=b'Z';
    let codes = letters().flat_map(|a| letters().flat_map(move |b| letters().map(move |c| [a, b, c])));
    let mut decimals = [0; 4];
    for code in codes {
        let code = std::str::from_utf8(&code).unwrap();
        let rules = loyalty::Currency::parse(code).unwrap().exponent();
        decimals[rules as usize] += 1;
        let shop: devshop::Currency = code.parse().unwrap();
        assert_eq!(shop.exponent(), rules, "the local shop, {code}");
        for (script, whole, three) in &lists {
            let is_in = |list: &[String]| list.iter().any(|listed| listed == code);
            let digits = if is_in(whole) {
                0
            } else if is_in(three) {
                3
            } else {
                2
            };
            assert_eq!(digits, rules, "{script}, {code}");
        }
    }
    assert_eq!(decimals, [16, 0, 26 * 26 * 26 - 23, 7]);
}
