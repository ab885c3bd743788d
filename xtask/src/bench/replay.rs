//! A file of order lines through both engines: how fast, and do they agree.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Map, Value, json};

use super::last_line;
use crate::setup::postgres::{self, Durability};
use crate::workspace::in_root;
use crate::{progress, release};

/// Replays it on SQLite and on PostgreSQL.
pub fn run(file: &Path, as_json: bool) -> Result<()> {
    let file = file.canonicalize().with_context(|| format!("cannot read {}", file.display()))?;
    release::build()?;
    let folder = super::folder("replay")?;

    let url = format!("sqlite://{}", folder.join("loyalnest.db").display());
    let sqlite = replay_on("SQLite", &url, &file)?;
    // Never the one of DATABASE_URL: its data is somebody's.
    let server = postgres::private(Durability::Full)?;
    let postgres = replay_on("PostgreSQL", &server.url, &file)?;

    if as_json {
        println!("{}", json!({ "sqlite": sqlite, "postgres": postgres }));
    }
    for report in [&sqlite, &postgres] {
        ensure!(report["violations"] == 0, "{} violations", report["violations"]);
    }
    if totals(&sqlite) != totals(&postgres) {
        bail!("the engines do not agree");
    }
    Ok(())
}

/// The report of one replay, shown as soon as it is there.
fn replay_on(engine: &str, database: &str, file: &Path) -> Result<Value> {
    progress::step(format!("replay on {engine}"), || {
        let mut replay = in_root(release::program("loyalnest"));
        replay.arg("replay").arg(file).arg("--json").env("DATABASE_URL", database);
        let output = last_line(&mut replay)?;
        println!("{engine}: {output}");
        serde_json::from_str(&output).with_context(|| format!("the replay's last line is not JSON: {output}"))
    })
}

/// What must be the same on both engines: all but the times.
fn totals(report: &Value) -> Map<String, Value> {
    let mut totals = report.as_object().cloned().unwrap_or_default();
    totals.retain(|name, _| !name.contains("second"));
    totals
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_may_differ_and_totals_may_not() {
        let report = |points: i64, seconds: f64| json!({ "points_issued": points, "violations": 0, "seconds": seconds, "orders_per_second": seconds });
        assert_eq!(totals(&report(7, 1.0)), totals(&report(7, 2.0)));
        assert_ne!(totals(&report(7, 1.0)), totals(&report(8, 1.0)));
    }
}
