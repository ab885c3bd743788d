//! What came of the last proof of each shop.

use jiff::SignedDuration;

use super::{Proof, Violations};
use crate::db;
use crate::db::{Read, Timestamp, Tx};
use crate::ids::ShopId;

crate::holds! {
    proof_runs [shop_id] of Nobody, kept "until the next one" {
        shop_id: Id, proven_at: Time, entries: Plain, postings: Plain, blocks: Plain, head: Sealed,
    }
}
crate::holds! {
    proof_counts [shop_id, invariant] of Nobody, kept "until the next one" {
        shop_id: Id, invariant: Plain, violations: Plain,
    }
}

/// Keeps what came of a proof, in place of the one before.
pub(super) async fn keep(tx: &mut Tx, shop: ShopId, proof: &Proof, now: Timestamp) -> Result<(), db::Error> {
    let chain = proof.chain.clone().unwrap_or_default();
    db!(
        tx.execute,
        "insert into proof_runs (shop_id, proven_at, entries, postings, blocks, head)
         values ($1, $2, $3, $4, $5, $6)
         on conflict (shop_id) do update set proven_at = excluded.proven_at, entries = excluded.entries,
             postings = excluded.postings, blocks = excluded.blocks, head = excluded.head",
        shop,
        now,
        proof.entries,
        proof.postings,
        chain.blocks,
        chain.head
    )?;
    // An invariant may have another name by now.
    db!(tx.execute, "delete from proof_counts where shop_id = $1", shop)?;
    let counts: &Violations = &proof.violations;
    db!(tx.each counts,
        sqlite: "insert into proof_counts (shop_id, invariant, violations) values ($1, $2, $3)",
        postgres: "insert into proof_counts (shop_id, invariant, violations)
                   select * from unnest($1::uuid[], $2::text[], $3::bigint[])",
        |count| shop, count.0, count.1)?;
    Ok(())
}

/// What came of a shop's last proof.
#[derive(Debug, Clone)]
pub struct Last {
    /// When it was (UTC).
    pub proven_at: Timestamp,
    /// How many entries were added up.
    pub entries: i64,
    /// Their postings.
    pub postings: i64,
    /// The blocks of the chain.
    pub blocks: i64,
    /// The digest of the last of them.
    pub head: Vec<u8>,
    /// Each invariant, with the number of places where it did not hold.
    pub violations: Vec<(String, i64)>,
}

/// What came of a shop's last proof; none before the first.
///
/// # Errors
/// Any error of the database.
pub async fn last(read: &mut Read, shop: ShopId) -> Result<Option<Last>, db::Error> {
    let run: Option<(Timestamp, i64, i64, i64, Vec<u8>)> = db!(
        read.optional,
        "select proven_at, entries, postings, blocks, head from proof_runs where shop_id = $1",
        shop
    )?;
    let Some((proven_at, entries, postings, blocks, head)) = run else { return Ok(None) };
    let violations = db!(
        read.all,
        "select invariant, violations from proof_counts where shop_id = $1 order by invariant",
        shop
    )?;
    Ok(Some(Last { proven_at, entries, postings, blocks, head, violations }))
}

/// The last proofs of all shops together.
#[derive(Debug, Clone)]
pub struct Overview {
    /// Each invariant that did not hold, with the number of places.
    pub violations: Vec<(String, i64)>,
    /// When the oldest of them was.
    pub oldest_at: Option<Timestamp>,
}

/// After how long without another proof a shop has left: where they fail, tasks are dead.
const LEFT: SignedDuration = SignedDuration::from_hours(14 * 24);

/// The last proofs of all shops together that are still there.
///
/// # Errors
/// Any error of the database.
pub async fn overview(read: &mut Read, now: Timestamp) -> Result<Overview, db::Error> {
    let since = now - LEFT;
    let violations = db!(
        read.all,
        "select c.invariant, cast(sum(c.violations) as bigint) from proof_counts c
             join proof_runs r on r.shop_id = c.shop_id
         where c.violations > 0 and r.proven_at > $1 group by c.invariant order by c.invariant",
        since
    )?;
    let oldest: Option<(Timestamp,)> = db!(
        read.optional,
        "select proven_at from proof_runs where proven_at > $1 order by proven_at limit 1",
        since
    )?;
    Ok(Overview { violations, oldest_at: oldest.map(|(at,)| at) })
}
