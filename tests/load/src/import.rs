//! How many members a second are imported from a file, and how much memory that takes. In this process: as the command
//! does it.

use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use loyalnest::app::App;
use loyalnest::audit::{Actor, By};
use loyalnest::ids::ShopId;
use loyalnest::imports::{self, Progress, Request, Template};
use loyalnest::{points, proof};
use serde::Serialize;
use serde_json::Value;

use crate::Watched;

/// What is imported, and how often.
pub struct Import<'a> {
    /// The application whose members they become.
    pub app: &'a App,
    /// Whose.
    pub shop: ShopId,
    /// Members of a file.
    pub members: i64,
    /// Files; the median counts.
    pub rounds: i64,
    /// Bytes of a column that nobody reads.
    pub note: usize,
    /// What rows say.
    pub rows: Rows,
    /// Where they are made.
    pub folder: &'a Path,
}

/// What the rows of a file say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Rows {
    /// A balance, as exports of other programmes have it.
    Balance,
    /// Two lots with their dates, a referral code and a birthday: as much as a row can bring.
    Full,
}

impl Rows {
    /// The names of the columns.
    fn header(self) -> &'static str {
        match self {
            Rows::Balance => "customer_id,points,note",
            Rows::Full => "customer_id,points,lots,referral_code,birthday,note",
        }
    }

    /// A member's row, without the note.
    fn row(self, customer: i64) -> String {
        match self {
            Rows::Balance => format!("{customer},{POINTS}"),
            Rows::Full => {
                let lots = "200@2025-03-01>2027-03-01; 300@2025-09-01>2027-09-01";
                format!("{customer},{POINTS},{lots},R{customer},1990-05-27")
            }
        }
    }
}

/// What it came to.
#[derive(Debug, Serialize)]
struct Report {
    /// Members imported a second: the median.
    members_per_second: f64,
    /// Of each round.
    rounds: Vec<f64>,
    /// Rows a second of which it is only said what they would do: the last file, once more.
    checked_per_second: f64,
    /// The most memory in use after the first file, and after all of them, in MB.
    peak_mb: Vec<u64>,
    /// Members of a file.
    members: i64,
    /// Bytes of a file.
    bytes: u64,
    /// Places where an invariant of the ledger does not hold, at the end.
    violations: i64,
}

/// What each member brings.
const POINTS: i64 = 500;

impl Import<'_> {
    /// Imports files of new members and checks the ledger.
    ///
    /// # Errors
    /// When something could not be imported, or the ledger does not hold.
    pub async fn measure(&self) -> Result<Value> {
        let this = Watched { name: "this".into(), process: std::process::id() };
        let (mut rounds, mut peak_mb, mut bytes) = (Vec::new(), Vec::new(), 0);
        for round in 0..self.rounds {
            let request = self.request(round, &mut bytes)?;
            let by = By::from(Actor::Cli);
            let start = Instant::now();
            let report =
                imports::import(self.app, self.shop, &request, false, &by, Progress::hidden()).await?;
            rounds.push((self.members as f64 / start.elapsed().as_secs_f64()).round());
            ensure!(report.imported == self.members && report.refused == 0, "{:?}", report.faults);
            if round == 0 || round + 1 == self.rounds {
                peak_mb.push(this.peak_memory().context("the system does not say")? / 1_000_000);
            }
        }
        let request = self.request(self.rounds, &mut bytes)?;
        let start = Instant::now();
        let report = imports::check(self.app, self.shop, &request, Progress::hidden()).await?;
        let checked_per_second = (self.members as f64 / start.elapsed().as_secs_f64()).round();
        ensure!(report.imported == self.members, "{:?}", report.faults);
        let violations = self.violations().await?;
        let mut sorted = rounds.clone();
        sorted.sort_by(f64::total_cmp);
        let members_per_second = sorted.get(sorted.len() / 2).copied().unwrap_or_default();
        let members = self.members;
        let report =
            Report { members_per_second, rounds, checked_per_second, peak_mb, members, bytes, violations };
        Ok(serde_json::to_value(report)?)
    }

    /// A file of members whom no other round has.
    fn request(&self, round: i64, bytes: &mut u64) -> Result<Request> {
        let file = self.folder.join("members.csv");
        let mut writer = BufWriter::new(std::fs::File::create(&file)?);
        writeln!(writer, "{}", self.rows.header())?;
        let (first, note) = (7_000_000_000_000 + round * self.members, "x".repeat(self.note));
        for customer in first..first + self.members {
            writeln!(writer, "{},{note}", self.rows.row(customer))?;
        }
        writer.flush()?;
        *bytes = std::fs::metadata(&file)?.len();
        let errors = self.folder.join("errors.csv");
        Ok(Request { file, template: Template::Own, columns: Vec::new(), dates: None, errors })
    }

    /// Everything was booked once, and every invariant holds.
    async fn violations(&self) -> Result<i64> {
        let mut read = self.app.db.read(self.shop).await?;
        let violations = proof::violations(&mut read, self.shop).await?;
        let broken: Vec<_> = violations.iter().filter(|(_, count)| *count != 0).collect();
        ensure!(broken.is_empty(), "the ledger does not hold: {broken:?}");
        let totals = points::totals(&mut read, self.shop).await?;
        let wanted = self.members * self.rounds * POINTS;
        ensure!(totals.outstanding == wanted, "{} points are outstanding, not {wanted}", totals.outstanding);
        Ok(violations.iter().map(|(_, count)| count).sum())
    }
}
