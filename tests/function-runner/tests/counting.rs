//! The count is Shopify's: each charge of a host function equals what the trampoline's instructions cost.

#[allow(dead_code)]
mod support;

use function_runner::{Runner, Scale};
use serde_json::{Value, json};
use support::{Linked, load, runner};

/// Runs a body both ways and returns the instructions, which must agree, as must output and logs.
fn same_both_ways(data: &str, body: &str, input: &Value) -> (Value, u64, String) {
    let [raw, trampolined] = [Linked::Raw, Linked::Trampolined].map(|linked| {
        load(linked, data, body)
            .run("run", input, Scale::ONE)
            .unwrap_or_else(|error| panic!("{linked:?}: {error}"))
    });
    assert_eq!(raw.output, trampolined.output);
    assert_eq!(raw.logs, trampolined.logs);
    assert_eq!(
        raw.instructions, trampolined.instructions,
        "host functions and trampoline must cost the same"
    );
    (raw.output, raw.instructions, raw.logs)
}

fn instructions(body: &str) -> u64 {
    let run =
        load(Linked::Raw, "", &format!("{body} (drop (call $null))")).run("run", &json!(null), Scale::ONE);
    run.unwrap_or_else(|error| panic!("{error}")).instructions
}

#[test]
fn reading_a_string_costs_what_the_trampoline_costs() {
    let body = "(call $read (i32.wrap_i64 (call $input)) (i32.const 8) (i32.const 3))
                (drop (call $string (i32.const 8) (i32.const 3)))";
    assert_eq!(same_both_ways("", body, &json!("Ada")).0, json!("Ada"));
}

#[test]
fn looking_up_a_property_costs_what_the_trampoline_costs() {
    let body = "(call $read
                    (i32.wrap_i64 (call $property (call $input) (i32.const 0) (i32.const 4)))
                    (i32.const 8) (i32.const 3))
                (drop (call $string (i32.const 8) (i32.const 3)))";
    let input = json!({ "other": [1, 2, { "deep": true }], "name": "Ada" });
    assert_eq!(same_both_ways("name", body, &input).0, json!("Ada"));
}

#[test]
fn writing_and_interning_a_string_costs_what_the_trampoline_costs() {
    let written = same_both_ways("hello", "(drop (call $string (i32.const 0) (i32.const 5)))", &json!(null));
    assert_eq!(written.0, json!("hello"));
    let body = "(drop (call $interned (call $intern (i32.const 0) (i32.const 5))))";
    assert_eq!(same_both_ways("hello", body, &json!(null)).0, json!("hello"));
}

#[test]
fn logging_costs_what_the_trampoline_costs_also_when_the_ring_wraps() {
    let data = "0123456789".repeat(120);
    let log = |lengths: &[u32]| {
        let calls: String =
            lengths.iter().map(|len| format!("(call $log (i32.const 0) (i32.const {len}))")).collect();
        same_both_ways(&data, &format!("{calls} (drop (call $null))"), &json!(null))
    };
    let (_, short, logs) = log(&[10]);
    assert_eq!(logs, "0123456789");
    let (_, wrapped, logs) = log(&[600, 600]);
    assert_eq!(logs.len(), function_runner::LOG_BYTES);
    assert!(logs.ends_with(&data[..600]));
    assert!(wrapped > short);
    let (_, _, logs) = log(&[1_200]);
    assert_eq!(logs, data[200..]);
}

#[test]
fn each_instruction_costs_one_and_structure_costs_nothing() {
    let base = instructions("");
    assert_eq!(instructions("(drop (i32.const 1))"), base + 1);
    assert_eq!(instructions("(drop (i32.add (i32.const 1) (i32.const 2)))"), base + 3);
    assert_eq!(instructions("(nop) (block (nop)) (loop (nop))"), base);
}

#[test]
fn bulk_operations_cost_the_same_whatever_their_length() {
    let fill =
        |len: u32| instructions(&format!("(memory.fill (i32.const 0) (i32.const 1) (i32.const {len}))"));
    let copy =
        |len: u32| instructions(&format!("(memory.copy (i32.const 0) (i32.const 9) (i32.const {len}))"));
    assert_eq!(fill(1), fill(60_000));
    assert_eq!(copy(1), copy(60_000));
    assert_eq!(fill(1), instructions("") + 4);
}

#[test]
fn order_and_size_of_the_input_count_as_far_as_it_is_read() {
    let body = "(drop (call $property (call $input) (i32.const 0) (i32.const 4))) (drop (call $null))";
    let count = |input: Value| same_both_ways("name", body, &input).1;
    let first = count(json!({ "name": 1, "other": 2 }));
    assert!(count(json!({ "other": 2, "name": 1 })) > first, "members are read in their order");
    assert_eq!(count(json!({ "name": 1, "other": [1, 2, 3] })), first, "what is not read costs nothing");
}

#[test]
fn another_compilers_provider_makes_it_an_estimate_15_percent_higher() {
    let provider = std::fs::read(function_runner::artefacts_folder().join("provider.wasm")).unwrap();
    let wasm = support::module(Linked::Raw, "", "(drop (call $null))");
    let run = |exact| {
        let runner = Runner::with_provider(&provider, exact).unwrap();
        runner.load_bytes(&wasm).unwrap().run("run", &json!(null), Scale::ONE).unwrap()
    };
    let (exact, estimate) = (run(true), run(false));
    assert!(exact.exact && !estimate.exact);
    assert_eq!(estimate.instructions, (exact.instructions * 115).div_ceil(100));
}

#[test]
fn runs_are_independent_also_across_threads() {
    let body = "(drop (call $string (i32.const 0) (i32.const 5)))";
    let function = runner().load_bytes(&support::module(Linked::Raw, "hello", body)).unwrap();
    let counts: Vec<u64> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    (0..50).map(|_| function.run("run", &json!(null), Scale::ONE).unwrap().instructions).sum()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let one = function.run("run", &json!(null), Scale::ONE).unwrap().instructions;
    assert_eq!(counts, [one * 50; 4]);
}
