//! The project's commands: `cargo xtask help`.
//!
//! Each command does its own set-up, so that a fresh machine needs nothing but rustup's cargo and Node.

mod bench;
mod check;
mod demo;
mod functions;
mod process;
mod progress;
mod setup;
mod test;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The project's commands. Each does its own set-up.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start the local shop and the backend, and print the page's address
    Demo(demo::Args),
    /// Run every check and every test
    Test(test::Args),
    /// The quick one: format, lints, documentation, licences, unit tests
    Check,
    /// Build the Shopify Functions into target/functions
    Build,
    /// Report size and instructions of each Function
    Functions(functions::Args),
    /// Measure what the project promises about speed
    Bench(bench::Args),
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Demo(args) => demo::run(&args),
        Command::Test(args) => test::run(&args),
        Command::Check => check::run(),
        Command::Build => functions::build(),
        Command::Functions(args) => functions::run(&args),
        Command::Bench(args) => bench::run(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}
