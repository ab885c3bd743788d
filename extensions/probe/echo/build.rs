//! Cargo does not know that the generated types depend on these files.

fn main() {
    println!("cargo::rerun-if-changed=schema.graphql");
    println!("cargo::rerun-if-changed=src");
}
