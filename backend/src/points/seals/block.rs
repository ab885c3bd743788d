//! What a block's digest is made of.

use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::super::account::LotId;
use super::super::entry::{Kind, Ledger, Source};
use crate::db::Timestamp;
use crate::ids::MemberId;

/// An entry as it is sealed.
#[derive(Debug, Clone)]
pub(super) struct Sealed {
    pub id: Uuid,
    pub member: MemberId,
    pub seq: i64,
    pub kind: Kind,
    pub source: Source,
    pub source_id: String,
    pub program_version: i64,
    pub booked_at: Timestamp,
    /// By account.
    pub postings: Vec<(Ledger, i64)>,
    /// By lot: its cohort, and what becomes of what is to spend and what is held.
    pub moves: Vec<(LotId, [i64; 3])>,
    /// The salted digest of its note.
    pub note: Option<Vec<u8>>,
}

/// The digest of a block. Every part has a length of its own or one that stands before it, so that no two blocks are
/// written with the same bytes.
pub(super) fn digest(before: &[u8], number: i64, up_to: Timestamp, entries: &[Sealed]) -> Vec<u8> {
    let mut hash = Hash(Sha256::new());
    hash.bytes(before);
    hash.number(number);
    hash.number(up_to.as_microsecond());
    hash.number(entries.len() as i64);
    for entry in entries {
        hash.entry(entry);
    }
    hash.0.finalize().to_vec()
}

struct Hash(Sha256);

impl Hash {
    fn number(&mut self, number: i64) {
        self.0.update(number.to_be_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as i64);
        self.0.update(bytes);
    }

    fn entry(&mut self, entry: &Sealed) {
        self.0.update(entry.id.as_bytes());
        self.0.update(entry.member.0.as_bytes());
        self.number(entry.seq);
        for text in [entry.kind.as_str(), entry.source.as_str(), &entry.source_id] {
            self.bytes(text.as_bytes());
        }
        self.number(entry.program_version);
        self.number(entry.booked_at.as_microsecond());
        let mut postings: Vec<_> =
            entry.postings.iter().map(|(ledger, points)| (ledger.as_str(), *points)).collect();
        postings.sort_unstable();
        self.number(postings.len() as i64);
        for (ledger, points) in postings {
            self.bytes(ledger.as_bytes());
            self.number(points);
        }
        let mut moves = entry.moves.clone();
        moves.sort_unstable();
        self.number(moves.len() as i64);
        for (lot, numbers) in moves {
            self.0.update(lot.0.as_bytes());
            numbers.into_iter().for_each(|number| self.number(number));
        }
        self.bytes(entry.note.as_deref().unwrap_or_default());
    }
}
