//! Seals: a chain of digests over the entries of a shop, so that whoever changes the past in the database shows.
//!
//! Entries are sealed some time after they were booked, in blocks: nobody who books waits for it. A block's digest is made
//! of the digest before it and of everything that its entries say: postings, moves, and the salted digest of a note, which
//! stays when the note is erased.

mod block;
mod store;
mod verify;

use std::collections::HashSet;

use jiff::SignedDuration;
use uuid::Uuid;

use crate::db::{self, Read, Timestamp, Tx};
use crate::ids::ShopId;

pub use verify::{Break, Chain, Wrong, verify};

/// Entries that a block takes.
const BLOCK: usize = 1_000;
/// How long ago an entry was booked when it is sealed: whoever books has committed by then.
const AFTER: SignedDuration = SignedDuration::from_hours(1);
/// How far back it is looked for entries that were committed later than others that are sealed.
const OVERLAP: SignedDuration = SignedDuration::from_hours(24);

/// A block: entries that were sealed together.
#[derive(Debug, Clone, sqlx::FromRow)]
struct Seal {
    number: i64,
    up_to: Timestamp,
    entry_ids: Vec<u8>,
    digest: Vec<u8>,
}

impl Seal {
    /// The ids of its entries, in their order.
    fn ids(&self) -> Vec<Uuid> {
        self.entry_ids.as_chunks::<16>().0.iter().map(|bytes| Uuid::from_bytes(*bytes)).collect()
    }
}

/// Seals the entries of a shop that were booked until some time ago, block by block.
pub struct Sealer {
    shop: ShopId,
    until: Timestamp,
    number: i64,
    digest: Vec<u8>,
    up_to: Timestamp,
    /// What was sealed lately.
    sealed: HashSet<Uuid>,
    /// The last entry that was looked at, by when it was booked.
    after: (Timestamp, Uuid),
}

impl Sealer {
    /// Goes on after the last block.
    ///
    /// # Errors
    /// Any error of the database.
    pub async fn open(read: &mut Read, shop: ShopId, now: Timestamp) -> Result<Sealer, db::Error> {
        let (number, digest, up_to) = match store::last(read, shop).await? {
            Some(last) => (last.number, last.digest, last.up_to),
            None => (0, Vec::new(), Timestamp::UNIX_EPOCH),
        };
        let from = if number == 0 { up_to } else { up_to - OVERLAP };
        let recent = store::since(read, shop, from).await?;
        let sealed = recent.iter().flat_map(Seal::ids).collect();
        Ok(Sealer { shop, until: now - AFTER, number, digest, up_to, sealed, after: (from, Uuid::nil()) })
    }

    /// The entries of the next block; none when all is sealed.
    ///
    /// # Errors
    /// Any error of the database.
    pub async fn due(&mut self, read: &mut Read) -> Result<Vec<Uuid>, db::Error> {
        let mut ids: Vec<Uuid> = Vec::with_capacity(BLOCK);
        while ids.is_empty() {
            let due = store::booked(read, self.shop, self.after, self.until, BLOCK as i64).await?;
            let Some(end) = due.last() else { break };
            self.after = (end.booked_at, end.entry_id);
            for entry in due.into_iter().filter(|entry| !self.sealed.contains(&entry.entry_id)) {
                ids.push(entry.entry_id);
                self.up_to = self.up_to.max(entry.booked_at);
            }
        }
        Ok(ids)
    }

    /// Writes a block of entries that are [due](Sealer::due). Of two who seal at once one fails.
    ///
    /// # Errors
    /// Any error of the database; the sealer is of no use after it.
    pub async fn seal(&mut self, tx: &mut Tx, ids: Vec<Uuid>) -> Result<(), db::Error> {
        self.number += 1;
        let entries = store::entries(tx, self.shop, &ids).await?;
        self.digest = block::digest(&self.digest, self.number, self.up_to, &entries);
        let entry_ids = ids.iter().flat_map(|id| *id.as_bytes()).collect();
        let seal = Seal { number: self.number, up_to: self.up_to, entry_ids, digest: self.digest.clone() };
        store::write(tx, self.shop, &seal).await
    }
}
