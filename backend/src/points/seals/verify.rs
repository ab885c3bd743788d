//! Whether the chain closes: whether the past is as it was sealed.

use uuid::Uuid;

use super::super::notes;
use super::{Seal, block, store};
use crate::db::{self, Read, Timestamp};
use crate::ids::ShopId;

/// Blocks, notes and entries that are read together.
const TOGETHER: i64 = 100;
/// Ids that are held against each other at once: 80 MB. Where there are more, all are read again for the next ones.
const AT_ONCE: i64 = 5_000_000;

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chain {
    /// How many blocks there are.
    pub blocks: i64,
    /// How many entries they hold.
    pub sealed: i64,
    /// The digest of the last one.
    pub head: Vec<u8>,
    /// The first block that is not what it was.
    pub broken: Option<Break>,
    /// Blocks that are not what they were.
    pub breaks: i64,
    /// Entries that are sealed more than once.
    pub twice: i64,
    /// Entries as old as sealed ones, and in no block: that is what backdating looks like.
    pub unsealed: i64,
    /// Notes that are not what was sealed.
    pub notes: i64,
}

/// A block that is not what it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Break {
    /// Its number.
    pub block: i64,
    /// What is wrong.
    pub wrong: Wrong,
}

crate::text_enum! {
    /// What can be wrong with a block.
    pub enum Wrong {
        /// It is not there.
        Missing = "missing",
        /// One of its entries is not there.
        EntryMissing = "entry_missing",
        /// Its digest is another one: an entry, the block itself or one before it was changed.
        Changed = "changed",
    }
}

impl Chain {
    /// Each invariant with the number of places where it does not hold.
    pub fn violations(&self) -> Vec<(&'static str, i64)> {
        vec![
            ("blocks_are_as_they_were_sealed", self.breaks),
            ("entries_are_sealed_once", self.twice),
            ("old_entries_are_sealed", self.unsealed),
            ("notes_are_as_they_were_sealed", self.notes),
        ]
    }

    fn is_broken(&mut self, block: i64, wrong: Wrong) {
        self.breaks += 1;
        self.broken.get_or_insert(Break { block, wrong });
    }
}

/// Makes all digests anew and compares.
///
/// # Errors
/// Any error of the database.
pub async fn verify(read: &mut Read, shop: ShopId) -> Result<Chain, db::Error> {
    let mut chain = Chain::default();
    let up_to = blocks(read, shop, &mut chain).await?;
    let passes = u128::from((chain.sealed / AT_ONCE).unsigned_abs()) + 1;
    for pass in 0..passes {
        ids(read, shop, up_to, |id| id.as_u128() % passes == pass, &mut chain).await?;
    }
    let mut after = Uuid::nil();
    loop {
        let written = store::notes(read, shop, after, TOGETHER).await?;
        let Some(last) = written.last() else { return Ok(chain) };
        after = last.entry_id;
        let differs = |note: &&store::NoteRow| {
            let said = (note.reason.as_str(), note.note.as_deref());
            let by = (note.actor_kind.as_str(), note.actor_id.as_deref());
            // Who erases a note erases its salt with it: words without one were written later.
            note.salt.as_ref().is_none_or(|salt| notes::digest(salt, said, by) != note.digest)
        };
        chain.notes += written.iter().filter(differs).count() as i64;
    }
}

/// Goes through the blocks, and says until when entries are sealed.
async fn blocks(read: &mut Read, shop: ShopId, chain: &mut Chain) -> Result<Option<Timestamp>, db::Error> {
    let (mut number, mut before, mut up_to) = (0, Vec::new(), None);
    loop {
        let seals = store::after(read, shop, number, TOGETHER).await?;
        if seals.is_empty() {
            chain.head = before;
            return Ok(up_to);
        }
        for seal in seals {
            if seal.number != number + 1 {
                chain.is_broken(number + 1, Wrong::Missing);
            }
            let ids = seal.ids();
            let entries = store::entries(read, shop, &ids).await?;
            if entries.len() < ids.len() {
                chain.is_broken(seal.number, Wrong::EntryMissing);
            } else if block::digest(&before, seal.number, seal.up_to, &entries) != seal.digest {
                chain.is_broken(seal.number, Wrong::Changed);
            }
            chain.blocks += 1;
            chain.sealed += ids.len() as i64;
            // So that one block that was changed is one, and not all that follow.
            Seal { number, digest: before, .. } = seal;
            up_to = up_to.max(Some(seal.up_to));
        }
    }
}

/// Holds the entries against the blocks' ids, those that `keeps` says.
async fn ids(
    read: &mut Read,
    shop: ShopId,
    up_to: Option<Timestamp>,
    keeps: impl Fn(&Uuid) -> bool,
    chain: &mut Chain,
) -> Result<(), db::Error> {
    let Some(up_to) = up_to else { return Ok(()) };
    let (mut sealed, mut number) = (Vec::new(), 0);
    loop {
        let seals = store::after(read, shop, number, TOGETHER).await?;
        let Some(last) = seals.last() else { break };
        number = last.number;
        sealed.extend(seals.iter().flat_map(Seal::ids).filter(&keeps));
    }
    let all = sealed.len();
    sealed.sort_unstable();
    sealed.dedup();
    chain.twice += (all - sealed.len()) as i64;
    let mut after = (Timestamp::UNIX_EPOCH, Uuid::nil());
    loop {
        let booked = store::booked(read, shop, after, up_to, TOGETHER * TOGETHER).await?;
        let Some(last) = booked.last() else { return Ok(()) };
        after = (last.booked_at, last.entry_id);
        let unsealed = |id: &Uuid| keeps(id) && sealed.binary_search(id).is_err();
        chain.unsealed += booked.iter().filter(|entry| unsealed(&entry.entry_id)).count() as i64;
    }
}
