//! `loyalnest audit`: proves the books, and says where they do not hold.

use std::collections::BTreeMap;

use jiff::ToSpan;
use jiff::civil::Date;
use serde::Serialize;
use uuid::Uuid;

use super::{Asked, Proof, prove};
use crate::app::App;
use crate::db::Timestamp;
use crate::error::Error;
use crate::ids::ShopId;
use crate::merchants;
use crate::named::OfShop;

/// How many shops are looked up in one transaction.
const AT_ONCE: i64 = 500;

/// What is to be proven. Ends with 0 when everything holds, 1 when something does not, 2 when that is not known.
#[derive(Debug, clap::Args)]
pub struct AuditArgs {
    #[command(flatten)]
    of: OfShop,
    /// Only entries until the end of this day in the shop (2026-11-30), or until this instant (2026-11-30T12:00:00Z). What
    /// was stored then is not known, so balances and orders are not compared.
    #[arg(long, value_name = "DAY|INSTANT")]
    as_of: Option<AsOf>,
    /// Make the digests of all sealed blocks anew, too.
    #[arg(long)]
    verify_chain: bool,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy)]
enum AsOf {
    Day(Date),
    Instant(Timestamp),
}

impl std::str::FromStr for AsOf {
    type Err = jiff::Error;

    fn from_str(text: &str) -> Result<Self, jiff::Error> {
        // A time without its distance from UTC would be read as the whole day.
        if text.len() == "2026-11-30".len() {
            text.parse().map(AsOf::Day)
        } else {
            text.parse().map(AsOf::Instant)
        }
    }
}

/// All that was found.
#[derive(Debug, Serialize)]
struct Report {
    /// In how many places something does not hold.
    violations: i64,
    shops: Vec<OfOne>,
}

/// What was found of a shop.
#[derive(Debug, Serialize)]
struct OfOne {
    shop: String,
    /// Entries that were booked before then were looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<Timestamp>,
    entries: i64,
    postings: i64,
    /// The sum of each account of the ledger, in points.
    accounts: BTreeMap<&'static str, i64>,
    /// Each invariant, with the number of places where it does not hold.
    invariants: BTreeMap<&'static str, i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    chain: Option<ChainView>,
}

#[derive(Debug, Serialize)]
struct ChainView {
    blocks: i64,
    sealed: i64,
    /// The digest of the last block, in hexadecimal.
    head: String,
    /// The first block that is not what it was, and what is wrong: `missing`, `entry_missing` or `changed`.
    first_break: Option<(i64, &'static str)>,
}

/// Proves the books of one shop, or of all.
///
/// # Errors
/// [`Error::Violations`] when they do not hold; any other when that is not known.
pub async fn run(app: &App, args: AuditArgs) -> Result<(), Error> {
    let mut report = Report { violations: 0, shops: Vec::new() };
    if let Some(shop) = args.of.id(app).await? {
        one(app, shop, &args, &mut report).await?;
    } else {
        let mut after = ShopId(Uuid::nil());
        loop {
            let shops = merchants::shops(&mut app.db.read_outside().await?, after, AT_ONCE).await?;
            let Some(end) = shops.last() else { break };
            after = *end;
            for shop in shops {
                one(app, shop, &args, &mut report).await?;
            }
        }
    }
    app.db.close().await;
    if args.json {
        println!("{}", serde_json::to_string(&report).map_err(|error| Error::Usage(error.to_string()))?);
    }
    if report.violations == 0 { Ok(()) } else { Err(Error::Violations(report.violations)) }
}

async fn one(app: &App, shop: ShopId, args: &AuditArgs, report: &mut Report) -> Result<(), Error> {
    let mut read = app.db.read(shop).await?;
    let Some(domain) = merchants::domain(&mut read, shop).await? else { return Ok(()) };
    let before = match args.as_of {
        None => None,
        Some(AsOf::Instant(at)) => Some(at + jiff::SignedDuration::from_micros(1)),
        Some(AsOf::Day(day)) => {
            let zone = merchants::zone(&mut read, shop).await?;
            let next = day.saturating_add(1.day()).to_zoned(zone);
            Some(next.map_err(|error| Error::Usage(error.to_string()))?.timestamp().into())
        }
    };
    let proof = prove(&mut read, shop, Asked { before, chain: args.verify_chain }).await?;
    report.violations += proof.violations();
    let Proof { entries, postings, accounts, violations, chain } = proof;
    let chain = chain.map(|chain| ChainView {
        blocks: chain.blocks,
        sealed: chain.sealed,
        head: hex::encode(&chain.head),
        first_break: chain.broken.map(|broken| (broken.block, broken.wrong.as_str())),
    });
    let invariants = violations.into_iter().collect();
    let found = OfOne { shop: domain, before, entries, postings, accounts, invariants, chain };
    if args.json {
        report.shops.push(found);
    } else {
        print(&found);
    }
    Ok(())
}

/// For people: what does not hold is at the end.
fn print(found: &OfOne) {
    println!("{}: {} entries, {} postings", found.shop, found.entries, found.postings);
    for (account, points) in &found.accounts {
        println!("  {account:<40} {points:>16} points");
    }
    let mut invariants: Vec<_> = found.invariants.iter().collect();
    invariants.sort_by_key(|(_, violations)| **violations);
    for (invariant, violations) in invariants {
        println!("  {invariant:<40} {violations:>16}");
    }
    if let Some(chain) = &found.chain {
        println!("  {} blocks seal {} entries; the last one is {}", chain.blocks, chain.sealed, chain.head);
        if let Some((block, wrong)) = chain.first_break {
            println!("  the first block that is not what it was is {block}: {wrong}");
        }
    }
}
