//! The integration tests: backend, local shop and Functions together. All of them are one binary, `tests/main.rs`.
