//! The integration tests: backend, local shop and Functions together.
