//! Small Functions in WebAssembly text, and a trampoline as Shopify makes it, written by hand.

use std::sync::LazyLock;

use function_runner::{Function, Runner};

/// How a module reaches the five calls that pass strings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Linked {
    /// As the compiler leaves it: the runner's host functions step in.
    Raw,
    /// Rewritten as Shopify rewrites it before a run: functions that copy between the memories.
    Trampolined,
}

/// A Function whose export `run` has this body. Its memory starts with the data.
pub fn module(linked: Linked, data: &str, body: &str) -> Vec<u8> {
    let (strings, functions) = match linked {
        Linked::Raw => (RAW, ""),
        Linked::Trampolined => (TRAMPOLINED, TRAMPOLINE),
    };
    let text = format!(
        r#"(module {DIRECT} {strings}
            (memory $own (export "memory") 1)
            (data (memory $own) (i32.const 0) "{data}")
            {functions}
            (func (export "run") (local $value i64) {body}))"#
    );
    let direct = if linked == Linked::Trampolined { "_shopify" } else { "shopify" };
    wat::parse_str(text.replace("PREFIX", direct)).unwrap_or_else(|error| panic!("{error}"))
}

pub fn runner() -> &'static Runner {
    static RUNNER: LazyLock<Runner> =
        LazyLock::new(|| Runner::new().unwrap_or_else(|error| panic!("{error}")));
    &RUNNER
}

pub fn load(linked: Linked, data: &str, body: &str) -> Function {
    runner().load_bytes(&module(linked, data, body)).unwrap_or_else(|error| panic!("{error}"))
}

const DIRECT: &str = r#"
    (import "shopify_function_v2" "PREFIX_function_input_get" (func $input (result i64)))
    (import "shopify_function_v2" "PREFIX_function_output_new_null" (func $null (result i32)))
    (import "shopify_function_v2" "PREFIX_function_output_new_interned_utf8_str"
        (func $interned (param i32) (result i32)))"#;

const RAW: &str = r#"
    (import "shopify_function_v2" "shopify_function_input_read_utf8_str" (func $read (param i32 i32 i32)))
    (import "shopify_function_v2" "shopify_function_input_get_obj_prop"
        (func $property (param i64 i32 i32) (result i64)))
    (import "shopify_function_v2" "shopify_function_output_new_utf8_str"
        (func $string (param i32 i32) (result i32)))
    (import "shopify_function_v2" "shopify_function_intern_utf8_str"
        (func $intern (param i32 i32) (result i32)))
    (import "shopify_function_v2" "shopify_function_log_new_utf8_str" (func $log (param i32 i32)))"#;

const TRAMPOLINED: &str = r#"
    (import "shopify_function_v2" "_shopify_function_input_get_utf8_str_addr"
        (func $address (param i32) (result i32)))
    (import "shopify_function_v2" "_shopify_function_alloc" (func $raw_alloc (param i32) (result i32)))
    (import "shopify_function_v2" "_shopify_function_input_get_obj_prop"
        (func $raw_property (param i64 i32 i32) (result i64)))
    (import "shopify_function_v2" "_shopify_function_output_new_utf8_str"
        (func $raw_string (param i32) (result i64)))
    (import "shopify_function_v2" "_shopify_function_intern_utf8_str"
        (func $raw_intern (param i32) (result i64)))
    (import "shopify_function_v2" "_shopify_function_log_new_utf8_str"
        (func $raw_log (param i32) (result i32)))
    (import "shopify_function_v2" "memory" (memory $provider 1))"#;

/// The same steps in the same number of instructions as Shopify's tool emits, a helper function for each copy included.
const TRAMPOLINE: &str = r#"
    (func $out (param $to i32) (param $from i32) (param $len i32)
        (memory.copy $own $provider (local.get $to) (local.get $from) (local.get $len)))
    (func $in (param $to i32) (param $from i32) (param $len i32)
        (memory.copy $provider $own (local.get $to) (local.get $from) (local.get $len)))
    (func $alloc (param $len i32) (result i32)
        (call $raw_alloc (local.get $len)))

    (func $read (param $from i32) (param $to i32) (param $len i32)
        (call $out (local.get $to) (call $address (local.get $from)) (local.get $len)))

    (func $property (param $scope i64) (param $name i32) (param $len i32) (result i64) (local $copy i32)
        (call $in (local.tee $copy (call $alloc (local.get $len))) (local.get $name) (local.get $len))
        (call $raw_property (local.get $scope) (local.get $copy) (local.get $len)))

    (func $string (param $from i32) (param $len i32) (result i32) (local $packed i64)
        (i32.wrap_i64 (i64.shr_u
            (local.tee $packed (call $raw_string (local.get $len)))
            (i64.const 32)))
        (call $in (i32.wrap_i64 (local.get $packed)) (local.get $from) (local.get $len)))

    (func $intern (param $from i32) (param $len i32) (result i32) (local $packed i64)
        (i32.wrap_i64 (i64.shr_u
            (local.tee $packed (call $raw_intern (local.get $len)))
            (i64.const 32)))
        (call $in (i32.wrap_i64 (local.get $packed)) (local.get $from) (local.get $len)))

    (func $log (param $from i32) (param $len i32)
        (local $area i32) (local $skip i32) (local $first i32) (local $first_len i32)
        (local $second i32) (local $second_len i32)
        (local.set $skip (i32.load $provider (local.tee $area (call $raw_log (local.get $len)))))
        (local.set $first (i32.load $provider offset=4 (local.get $area)))
        (local.set $first_len (i32.load $provider offset=8 (local.get $area)))
        (call $in
            (local.get $first)
            (local.tee $from (i32.add (local.get $from) (local.get $skip)))
            (local.get $first_len))
        (if (i32.ne (local.get $first_len) (local.get $len)) (then
            (local.set $second (i32.load $provider offset=12 (local.get $area)))
            (local.set $second_len (i32.load $provider offset=16 (local.get $area)))
            (call $in
                (local.get $second)
                (i32.add (local.get $from) (local.get $first_len))
                (local.get $second_len)))))"#;
