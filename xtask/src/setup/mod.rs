//! What a fresh machine lacks, installed on first use.

pub mod npm;
pub mod rust;
