#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::function_inputs(data));
