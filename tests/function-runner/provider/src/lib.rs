//! Shopify's provider of the Function API, as a WebAssembly module.

// Its exports carry their own names: linking the crate is all there is to do.
extern crate shopify_function_provider;
