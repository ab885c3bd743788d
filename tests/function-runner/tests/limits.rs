//! The platform's limits, each by its own error.

#[allow(dead_code)]
mod support;

use function_runner::{
    BINARY_BYTES, INPUT_BYTES, INSTRUCTIONS, LOG_BYTES, LoadError, MEMORY_BYTES, OUTPUT_BYTES, Run, RunError,
    Scale,
};
use serde_json::{Value, json};
use support::{Linked, load, runner};

fn run(body: &str) -> Result<Run, RunError> {
    run_scaled(body, &json!(null), Scale::ONE)
}

fn run_scaled(body: &str, input: &Value, scale: Scale) -> Result<Run, RunError> {
    load(Linked::Raw, "reason", body).run("run", input, scale)
}

#[test]
fn a_binary_above_the_limit_is_not_loaded() {
    let error = runner().load_bytes(&vec![0; BINARY_BYTES + 1]).err().unwrap();
    assert!(matches!(error, LoadError::Binary { bytes } if bytes == BINARY_BYTES + 1), "{error}");
}

#[test]
fn what_is_no_module_is_not_loaded() {
    assert!(matches!(runner().load_bytes(b"\0asm nonsense"), Err(LoadError::Module(_))));
}

#[test]
fn an_import_that_the_platform_does_not_offer_is_named() {
    for (module, name) in
        [("wasi_snapshot_preview1", "fd_write"), ("shopify_function_v2", "shopify_function_now")]
    {
        let text = format!(r#"(module (import "{module}" "{name}" (func)))"#);
        let error = runner().load_bytes(&wat::parse_str(text).unwrap()).err().unwrap();
        assert!(error.to_string().contains(&format!("{module}::{name}")), "{error}");
    }
}

#[test]
fn a_missing_file_says_which_command_makes_it() {
    let error = runner().load_named("no-such-function").err().unwrap();
    assert!(error.to_string().contains("cargo xtask build"), "{error}");
}

#[test]
fn a_missing_export_is_named() {
    let function = load(Linked::Raw, "", "(drop (call $null))");
    let error = function.run("another", &json!(null), Scale::ONE).unwrap_err();
    assert!(matches!(&error, RunError::Export(name) if name == "another"), "{error}");
}

#[test]
fn an_endless_loop_ends_at_the_instruction_limit() {
    let error = run("(loop (br 0))").unwrap_err();
    assert!(matches!(error, RunError::Instructions { limit: INSTRUCTIONS }), "{error}");
}

/// A loop of six instructions a turn.
fn turns(number: u64) -> String {
    format!(
        "(loop (br_if 0 (i64.lt_u
            (local.tee $value (i64.add (local.get $value) (i64.const 1))) (i64.const {number}))))
         (drop (call $null))"
    )
}

#[test]
fn the_instruction_limit_is_met_exactly_and_scales_with_the_lines() {
    let per_turn = (run(&turns(1_001)).unwrap().instructions - run(&turns(1)).unwrap().instructions) / 1_000;
    let overhead = run(&turns(1)).unwrap().instructions - per_turn;
    let most = (INSTRUCTIONS - overhead) / per_turn;
    assert_eq!(run(&turns(most)).unwrap().instructions, most * per_turn + overhead);

    let above = run(&turns(most + 1)).unwrap_err();
    assert!(matches!(above, RunError::Instructions { limit: INSTRUCTIONS }), "{above}");
    run_scaled(&turns(most + 1), &json!(null), Scale::lines(400)).unwrap();
}

#[test]
fn a_host_call_counts_towards_the_limit_too() {
    let error = run("(loop (call $log (i32.const 0) (i32.const 1)) (br 0))").unwrap_err();
    assert!(matches!(error, RunError::Instructions { .. }), "{error}");
}

#[test]
fn memory_above_the_limit_is_refused() {
    let pages = MEMORY_BYTES / 65_536;
    let within = run(&format!("(drop (memory.grow (i32.const {}))) (drop (call $null))", pages - 1)).unwrap();
    assert_eq!(within.memory_bytes, pages * 65_536);
    let error = run(&format!("(drop (memory.grow (i32.const {pages})))")).unwrap_err();
    assert!(matches!(error, RunError::Memory { bytes } if bytes == (pages + 1) * 65_536), "{error}");
}

#[test]
fn endless_recursion_ends_at_the_stack_limit() {
    let text = r#"(module (memory (export "memory") 1) (func $down (export "run") (call $down)))"#;
    let function = runner().load_bytes(&wat::parse_str(text).unwrap()).unwrap();
    let error = function.run("run", &json!(null), Scale::ONE).unwrap_err();
    assert!(matches!(error, RunError::Stack), "{error}");
}

#[test]
fn input_and_output_are_bounded_by_their_json_and_scale_with_the_lines() {
    let text = |bytes: u64| json!("x".repeat(bytes as usize - 2));
    let null = "(drop (call $null))";
    run_scaled(null, &text(INPUT_BYTES), Scale::ONE).unwrap();
    let error = run_scaled(null, &text(INPUT_BYTES + 1), Scale::ONE).unwrap_err();
    assert!(
        matches!(error, RunError::Input { bytes, limit: INPUT_BYTES } if bytes == INPUT_BYTES + 1),
        "{error}"
    );
    run_scaled(null, &text(INPUT_BYTES + 1), Scale::lines(400)).unwrap();

    let write = |bytes: u64| {
        format!(
            "(memory.fill (i32.const 0) (i32.const 120) (i32.const 60000))
             (drop (call $string (i32.const 0) (i32.const {})))",
            bytes - 2
        )
    };
    assert_eq!(run(&write(OUTPUT_BYTES)).unwrap().output_bytes, OUTPUT_BYTES);
    let error = run(&write(OUTPUT_BYTES + 1)).unwrap_err();
    assert!(matches!(error, RunError::Output { limit: OUTPUT_BYTES, .. }), "{error}");
    run_scaled(&write(OUTPUT_BYTES + 1), &json!(null), Scale::lines(400)).unwrap();
}

#[test]
fn logs_above_the_limit_lose_their_oldest_part_as_in_production() {
    let log = |times| {
        let body = "(call $log (i32.const 0) (i32.const 1000))".repeat(times);
        run(&format!("{body} (drop (call $null))")).unwrap()
    };
    assert!(!log(1).logs_cut);
    let cut = log(2);
    assert!(cut.logs_cut);
    assert_eq!(cut.logs.len(), LOG_BYTES);
}

#[test]
fn a_trap_shows_what_was_logged() {
    let error = run("(call $log (i32.const 0) (i32.const 6)) (unreachable)").unwrap_err();
    assert!(matches!(&error, RunError::Trapped { logs, .. } if logs == "reason"), "{error}");
}

#[test]
fn a_string_outside_the_memory_is_a_trap() {
    let error = run("(drop (call $string (i32.const 65530) (i32.const 100)))").unwrap_err();
    assert!(
        matches!(&error, RunError::Trapped { message, .. } if message.contains("out of bounds")),
        "{error}"
    );
}

#[test]
fn no_output_is_an_error() {
    assert!(matches!(run(""), Err(RunError::Malformed(_))));
}
