//! Seeds agree; and where the ledger is wrong, that is found and told in few steps.

#![cfg(test)]

use simulator::steps::{Spoil, Step};
use simulator::{Template, Trouble, run};

fn agree(template: &Template, seeds: std::ops::Range<u64>, hours: i64) {
    for seed in seeds {
        let (_, failure) = run::run(template, seed, hours).unwrap();
        if let Some(failure) = failure {
            panic!("seed {seed}: {}\n{}", failure.trouble, failure.trace.join("\n"));
        }
    }
}

#[test]
fn twenty_seeds_agree() {
    agree(&Template::new().unwrap(), 1..21, 36);
}

#[test]
fn a_seed_agrees_with_the_real_webassembly_at_checkout() {
    agree(&Template::new().unwrap().with_wasm().unwrap(), 3..4, 36);
}

#[test]
#[ignore = "takes an hour"]
fn thousands_of_seeds_agree() {
    agree(&Template::new().unwrap(), 1_000..3_000, 120);
}

#[test]
fn a_seed_comes_to_the_same_end_by_the_same_steps_each_time() {
    let template = Template::new().unwrap();
    for seed in 1..4 {
        let steps = run::plan(seed, 72);
        let traces = [(), ()].map(|()| run::take(&template, seed, &steps).unwrap().trace);
        assert_eq!(traces[0], traces[1], "seed {seed}");
    }
}

#[test]
fn a_point_too_many_in_the_ledger_is_found_and_few_steps_lead_to_it() {
    let template = Template::new().unwrap();
    let mut steps = run::plan(7, 48);
    steps.insert(steps.len() * 2 / 3, Step::new(0, Spoil));
    let failure = run::until_trouble(&template, 7, &steps).unwrap().1.unwrap();
    assert!(matches!(failure.trouble, Trouble::Disagreement(_)), "{}", failure.trouble);
    assert!(failure.steps.len() <= 6, "{:#?}", failure.trace);
    assert!(failure.trace.iter().any(|line| line.contains("spoilt")), "{:#?}", failure.trace);
    let again = run::take(&template, 7, &failure.steps).unwrap();
    assert_eq!(again.trace, failure.trace);
}
