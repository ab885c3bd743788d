//! `loyalnest`: see `loyalnest --help`.

use std::process::ExitCode;

use clap::Parser;
use loyalnest::cli::{self, Cli};

#[tokio::main]
async fn main() -> ExitCode {
    match cli::run(Cli::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("loyalnest: {}", error.chain());
            ExitCode::from(error.exit_code())
        }
    }
}
