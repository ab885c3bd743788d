//! Cargo does not see a new file in a folder that a macro reads.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
