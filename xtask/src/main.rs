//! The project's commands: `cargo xtask help`.
//!
//! Each command does its own set-up, so that a fresh machine needs nothing but rustup's cargo and Node.

mod app_config;
mod bench;
mod bundles;
mod check;
mod crash;
mod demo;
mod extensions;
mod functions;
mod fuzz;
mod http;
mod lighthouse;
mod loyalty_wasm;
mod mutants;
mod postgres;
mod process;
mod progress;
mod prove;
mod release;
mod report;
mod service;
mod setup;
mod simulate;
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
    /// Install what this machine lacks; the other commands do that by themselves
    Setup,
    /// Start the local shop and the backend, and print the page's address
    Demo(demo::Args),
    /// Run every check, and every test but those that take long
    Test(test::Args),
    /// The quick one: format, lints, documentation, licences, unit tests
    Check,
    /// Build the Shopify Functions into target/functions, the rules for JavaScript, and bundle the extensions into
    /// target/extensions
    Build,
    /// Report how large the extensions are that shoppers load
    Bundles(bundles::Args),
    /// Report size and instructions of each Function
    Functions(functions::Args),
    /// Start the tests' PostgreSQL, alone or around a command: cargo xtask postgres -- cargo test -p loyalnest
    Postgres(postgres::Args),
    /// Kill backends and cut them off their database while customers go on, and look what was lost
    Crash(crash::Args),
    /// Feed what strangers send (webhooks, metafields, files, queries, tokens, carts) with what nobody made on purpose
    Fuzz(fuzz::Args),
    /// Change the rules, the ledger and redemptions, one thing at a time, and look whether the tests notice
    Mutants(mutants::Args),
    /// Simulate, kill and feed for as long as you like, and write a report of it
    Prove(prove::Args),
    /// Measure what the project promises about speed
    Bench(bench::Args),
    /// Let a shop's weeks pass in seconds, under faults and crashes, beside a naive model: --seed 1 --seeds 100 --hours 240
    Simulate(simulate::Args),
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Setup => setup::everything().map(done),
        Command::Demo(args) => demo::run(&args).map(done),
        Command::Test(args) => test::run(&args),
        Command::Check => check::run(),
        Command::Build => functions::build().and_then(|()| extensions::build()).map(done),
        Command::Bundles(args) => bundles::run(&args).map(done),
        Command::Functions(args) => functions::run(&args).map(done),
        Command::Postgres(args) => postgres::run(&args).map(done),
        Command::Crash(args) => crash::run(&args),
        Command::Fuzz(args) => fuzz::run(&args),
        Command::Mutants(args) => mutants::run(&args),
        Command::Prove(args) => prove::run(&args),
        Command::Bench(args) => bench::run(&args).map(done),
        Command::Simulate(args) => simulate::run(&args),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn done((): ()) -> ExitCode {
    ExitCode::SUCCESS
}
