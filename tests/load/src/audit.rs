//! How long `loyalnest audit` takes over a large ledger, and how much memory: the real program, on a ledger that set-based
//! statements have written.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use loyalnest::app::App;
use loyalnest::db;
use loyalnest::ids::ShopId;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio::process::Command;

use crate::Watched;

/// What is proven.
pub struct Audit<'a> {
    /// The application in whose database the ledger is.
    pub app: &'a App,
    /// Whose.
    pub shop: ShopId,
    /// Its postings.
    pub postings: i64,
    /// The backend's program.
    pub program: &'a Path,
}

/// Postings of a member: three times points are brought along, twice they are taken back.
const OF_ONE: i64 = 10;
/// Members whose entries are written in one statement.
const TOGETHER: i64 = 20_000;
/// How often it is looked how much memory is in use.
const LOOK: Duration = Duration::from_millis(20);

impl Audit<'_> {
    /// Makes the ledger, and has it proven.
    ///
    /// # Errors
    /// When it does not hold, or the program fails.
    pub async fn measure(&self) -> Result<Value> {
        let members = self.postings / OF_ONE;
        let start = Instant::now();
        for first in (1..=members).step_by(TOGETHER as usize) {
            self.write((first, members.min(first + TOGETHER - 1)), members).await?;
        }
        let made_in = start.elapsed().as_secs_f64();
        let start = Instant::now();
        let mut audit = Command::new(self.program);
        let mut running = audit.args(["audit", "--json"]).stdout(Stdio::piped()).spawn()?;
        let program = Watched { name: "audit".into(), process: running.id().context("it has ended")? };
        let mut output = running.stdout.take().context("it says nothing")?;
        let (mut said, mut peak) = (String::new(), 0);
        let listen = output.read_to_string(&mut said);
        tokio::pin!(listen);
        loop {
            tokio::select! {
                heard = &mut listen => {
                    heard?;
                    break;
                }
                () = tokio::time::sleep(LOOK) => peak = peak.max(program.peak_memory().unwrap_or(0)),
            }
        }
        let seconds = start.elapsed().as_secs_f64();
        let status = running.wait().await?;
        ensure!(status.success(), "the audit ended with {status}: {said}");
        let report: Value = serde_json::from_str(&said)?;
        let proven = report["shops"][0]["postings"].as_i64().unwrap_or(0);
        ensure!(proven == members * OF_ONE, "{proven} postings were added up, not {}", members * OF_ONE);
        Ok(json!({
            "postings": proven,
            "members": members,
            "seconds": (seconds * 10.0).round() / 10.0,
            "postings_per_second": (proven as f64 / seconds).round(),
            "peak_mb": peak / 1_000_000,
            "violations": report["violations"],
            "made_in_seconds": made_in.round(),
        }))
    }

    /// Five entries of each of these members: 100 points three times, of which the first are taken back.
    async fn write(&self, (first, last): (i64, i64), members: i64) -> Result<()> {
        let (shop, now) = (self.shop, self.app.clock.now());
        let mut tx = self.app.db.begin(shop).await?;
        db!(tx.execute,
            sqlite: "with recursive m (m) as (select $2 union all select m + 1 from m where m < $3),
                         r (r) as (values (1), (2), (3), (4), (5))
                     insert into points_entries (shop_id, entry_id, member_id, seq, kind, source, source_id,
                         program_version, booked_at)
                     select $1, unhex(printf('%032x', r * $4 + m)), unhex(printf('%032x', m)), r,
                         case when r < 4 then 'import' else 'revert' end, 'import', 'bench:' || (r * $4 + m), 1, $5
                     from r cross join m",
            postgres: "insert into points_entries (shop_id, entry_id, member_id, seq, kind, source, source_id,
                           program_version, booked_at)
                       select $1, lpad(to_hex(r * $4 + m), 32, '0')::uuid, lpad(to_hex(m), 32, '0')::uuid, r,
                           case when r < 4 then 'import' else 'revert' end, 'import', 'bench:' || (r * $4 + m), 1, $5
                       from generate_series(1, 5) r cross join generate_series($2::bigint, $3::bigint) m",
            shop, first, last, members, now)?;
        db!(tx.execute,
            sqlite: "with recursive m (m) as (select $2 union all select m + 1 from m where m < $3),
                         r (r, points) as (values (1, 100), (2, 100), (3, 100), (4, -60), (5, -40)),
                         a (account, sign) as (values ('available', 1), ('imported', -1))
                     insert into points_postings (shop_id, entry_id, account, amount)
                     select $1, unhex(printf('%032x', r * $4 + m)), account, points * sign
                     from r cross join m cross join a",
            postgres: "insert into points_postings (shop_id, entry_id, account, amount)
                       select $1, lpad(to_hex(r * $4 + m), 32, '0')::uuid, account, points * sign
                       from (values (1, 100), (2, 100), (3, 100), (4, -60), (5, -40)) r (r, points)
                           cross join generate_series($2::bigint, $3::bigint) m
                           cross join (values ('available', 1), ('imported', -1)) a (account, sign)",
            shop, first, last, members)?;
        db!(tx.execute,
            sqlite: "with recursive m (m) as (select $2 union all select m + 1 from m where m < $3),
                         r (r, lot, points) as (values (1, 1, 100), (2, 2, 100), (3, 3, 100), (4, 1, -60), (5, 1, -40))
                     insert into points_moves (shop_id, entry_id, lot_id, cohort, available, held)
                     select $1, unhex(printf('%032x', r * $4 + m)), unhex(printf('%032x', lot * $4 + m)), 202611,
                         points, 0
                     from r cross join m",
            postgres: "insert into points_moves (shop_id, entry_id, lot_id, cohort, available, held)
                       select $1, lpad(to_hex(r * $4 + m), 32, '0')::uuid, lpad(to_hex(lot * $4 + m), 32, '0')::uuid,
                           202611, points, 0
                       from (values (1, 1, 100), (2, 2, 100), (3, 3, 100), (4, 1, -60), (5, 1, -40)) r (r, lot, points)
                           cross join generate_series($2::bigint, $3::bigint) m",
            shop, first, last, members)?;
        db!(tx.execute,
            sqlite: "with recursive m (m) as (select $2 union all select m + 1 from m where m < $3),
                         l (lot, remaining) as (values (1, 0), (2, 100), (3, 100))
                     insert into points_lots (shop_id, lot_id, member_id, original, remaining, lapsed, earned_at, cohort)
                     select $1, unhex(printf('%032x', lot * $4 + m)), unhex(printf('%032x', m)), 100, remaining, 0, $5,
                         202611
                     from m cross join l",
            postgres: "insert into points_lots (shop_id, lot_id, member_id, original, remaining, lapsed, earned_at,
                           cohort)
                       select $1, lpad(to_hex(lot * $4 + m), 32, '0')::uuid, lpad(to_hex(m), 32, '0')::uuid, 100,
                           remaining, 0, $5, 202611
                       from generate_series($2::bigint, $3::bigint) m
                           cross join (values (1, 0), (2, 100), (3, 100)) l (lot, remaining)",
            shop, first, last, members, now)?;
        db!(tx.execute,
            sqlite: "with recursive m (m) as (select $2 union all select m + 1 from m where m < $3)
                     insert into points_accounts (shop_id, member_id, available, pending, held, seq)
                     select $1, unhex(printf('%032x', m)), 200, 0, 0, 5 from m",
            postgres: "insert into points_accounts (shop_id, member_id, available, pending, held, seq)
                       select $1, lpad(to_hex(m), 32, '0')::uuid, 200, 0, 0, 5
                       from generate_series($2::bigint, $3::bigint) m",
            shop, first, last)?;
        tx.commit().await?;
        Ok(())
    }
}
