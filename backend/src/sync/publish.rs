//! The only writer of account metafields.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use jiff::SignedDuration;
use loyalty::{Account, HoldId};
use metrics::counter;
use uuid::Uuid;

use super::store::{self, Fate, Leased};
use super::{Error, project};
use crate::clock::Clock;
use crate::customers;
use crate::db::{self, Db, Timestamp};
use crate::ids::{CustomerId, MemberId, ShopId};
use crate::metrics::SYNC_MEMBERS;
use crate::redemptions;
use crate::shopify::admin::{
    AccountMetafield, Admin, AdminError, CompareDigest, METAFIELDS_AT_ONCE, MetafieldWrite,
};

/// How long a lease lasts: longer than all of a publication may take.
const LEASE: SignedDuration = SignedDuration::from_secs(60);
/// How long all calls to Shopify of one publication may take.
const ALL_CALLS: Duration = Duration::from_secs(45);
/// How often a batch is written again after stale or failing members were dealt with.
const ROUNDS: usize = 4;
/// Waiting times before a member is tried again, in seconds; the last one repeats.
const BACKOFF: [i64; 6] = [1, 2, 5, 15, 30, 60];

/// What became of the members that were to be published.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Their metafields show what the ledger said after the call began.
    pub published: Vec<MemberId>,
    /// Someone else is publishing them just now.
    pub busy: Vec<MemberId>,
    /// Shopify has no such customer any more.
    pub gone: Vec<MemberId>,
    /// They are tried again later.
    pub failed: Vec<MemberId>,
}

/// Writes the metafields of these members of a shop, at most [`METAFIELDS_AT_ONCE`].
///
/// # Errors
/// When Shopify or the database fails as a whole; everyone is tried again later then.
pub async fn publish(
    db: &Db,
    admin: &Admin,
    clock: &Clock,
    shop: ShopId,
    members: &[MemberId],
) -> Result<Outcome, Error> {
    let lease = Lease::on(db, clock, shop, members).await?;
    let busy = members.iter().copied().filter(|member| !lease.members.iter().any(|l| l.member_id == *member));
    let busy = busy.collect();
    let published = lease.publish(db, admin, clock).await?;
    Ok(Outcome { busy, ..published })
}

/// Members of a shop whom nobody else publishes meanwhile.
#[derive(Debug)]
pub(super) struct Lease {
    shop: ShopId,
    id: Uuid,
    since: Timestamp,
    members: Vec<Leased>,
}

impl Lease {
    /// A lease on those of these members who are free.
    async fn on(db: &Db, clock: &Clock, shop: ShopId, members: &[MemberId]) -> Result<Lease, db::Error> {
        let (id, since) = (Uuid::now_v7(), clock.now());
        let mut tx = db.begin(shop).await?;
        let members = store::lease(&mut tx, shop, members, id, (since, since + LEASE)).await?;
        tx.commit().await?;
        Ok(Lease { shop, id, since, members })
    }

    /// A lease on a batch of those who have been due for longest; none if nobody is.
    pub async fn on_due(db: &Db, clock: &Clock, shop: ShopId) -> Result<Option<Lease>, db::Error> {
        let (id, since) = (Uuid::now_v7(), clock.now());
        let mut tx = db.begin(shop).await?;
        let at_once = METAFIELDS_AT_ONCE as i64;
        let members = store::lease_due(&mut tx, shop, id, (since, since + LEASE), at_once).await?;
        tx.commit().await?;
        Ok((!members.is_empty()).then_some(Lease { shop, id, since, members }))
    }

    /// Writes their metafields and gives the lease back.
    pub async fn publish(&self, db: &Db, admin: &Admin, clock: &Clock) -> Result<Outcome, Error> {
        let mut batch = Batch::of(self);
        let written = match tokio::time::timeout(ALL_CALLS, batch.write(db, admin, &self.members)).await {
            Ok(written) => written,
            Err(_) => Err(Error::Timeout),
        };
        let waits = matches!(&written, Err(Error::Admin(AdminError::Throttled { .. })));
        batch.postpone_the_rest(&self.members, waits);
        self.settle(db, clock, &batch).await?;
        written?;
        let mut outcome = Outcome::default();
        for (member, fate) in &batch.fates {
            match fate {
                Fate::Published { .. } => outcome.published.push(*member),
                Fate::Gone => outcome.gone.push(*member),
                Fate::Later { .. } | Fate::Waits { .. } => outcome.failed.push(*member),
            }
        }
        Ok(outcome)
    }

    /// Gives the lease back before anything was tried.
    pub async fn give_back(&self, db: &Db, clock: &Clock) -> Result<(), Error> {
        let mut batch = Batch::of(self);
        batch.postpone_the_rest(&self.members, true);
        self.settle(db, clock, &batch).await
    }

    /// Notes what became of everyone.
    async fn settle(&self, db: &Db, clock: &Clock, batch: &Batch) -> Result<(), Error> {
        let members: Vec<MemberId> = self.members.iter().map(|leased| leased.member_id).collect();
        let mut tx = db.begin(self.shop).await?;
        // Holds before marks: in the order in which everyone locks them.
        let ours = store::still_leased(&mut tx, self.shop, self.id, &members).await?;
        let mut shown = batch.shown();
        shown.retain(|member, _| ours.contains(member));
        redemptions::lifecycle::shown(&mut tx, self.shop, &shown, clock.now()).await?;
        store::finish(&mut tx, self.shop, self.id, self.since, &batch.fates).await?;
        tx.commit().await?;
        batch.count();
        Ok(())
    }
}

/// A member whose metafield is being written.
#[derive(Debug)]
struct Entry {
    leased: Leased,
    customer: CustomerId,
    account: Account,
    /// Shopify's digest of what is there, as far as we know.
    replaces: CompareDigest,
}

struct Batch {
    shop: ShopId,
    now: Timestamp,
    entries: Vec<Entry>,
    fates: BTreeMap<MemberId, Fate>,
}

impl Batch {
    fn of(lease: &Lease) -> Batch {
        Batch { shop: lease.shop, now: lease.since, entries: Vec::new(), fates: BTreeMap::new() }
    }

    /// Counts what became of everyone, for `/metrics`.
    fn count(&self) {
        for fate in self.fates.values() {
            let outcome = match fate {
                Fate::Published { .. } => "published",
                Fate::Gone => "gone",
                Fate::Later { .. } => "failed",
                Fate::Waits { .. } => continue,
            };
            counter!(SYNC_MEMBERS, "outcome" => outcome).increment(1);
        }
    }

    /// Writes everyone; whoever is stale is read and written again, whoever cannot be written is taken out.
    async fn write(&mut self, db: &Db, admin: &Admin, leased: &[Leased]) -> Result<(), Error> {
        self.project(db, leased).await?;
        let mut pending: Vec<usize> = (0..self.entries.len()).collect();
        for _ in 0..ROUNDS {
            if pending.is_empty() {
                return Ok(());
            }
            debug_assert!(pending.len() <= METAFIELDS_AT_ONCE);
            let writes = pending.iter().map(|&at| self.entries[at].write()).collect::<Result<Vec<_>, _>>()?;
            let answer = admin.metafields_set(&writes).await?;
            if answer.errors.is_empty() {
                for (&at, metafield) in pending.iter().zip(answer.written) {
                    let Leased { member_id, wanted, .. } = self.entries[at].leased;
                    let digest = metafield.compare_digest;
                    self.fates.insert(member_id, Fate::Published { wanted, digest });
                }
                return Ok(());
            }
            // Nothing was written. See what is there for those that were refused.
            let mut refused: Vec<(usize, bool)> = Vec::new();
            for error in &answer.errors {
                let Some(&at) = error.index().and_then(|index| pending.get(index)) else { continue };
                tracing::warn!(shop = %self.shop, code = error.code, message = error.message, "metafield refused");
                if error.is_stale() {
                    counter!(SYNC_MEMBERS, "outcome" => "stale").increment(1);
                }
                if !refused.iter().any(|(known, _)| *known == at) {
                    refused.push((at, error.is_stale()));
                }
            }
            if refused.is_empty() {
                break;
            }
            let out = self.look_again(admin, &refused).await?;
            pending.retain(|at| !out.contains(at));
        }
        Ok(())
    }

    /// Reads the ledger for everyone who is leased.
    async fn project(&mut self, db: &Db, leased: &[Leased]) -> Result<(), Error> {
        let members: Vec<MemberId> = leased.iter().map(|leased| leased.member_id).collect();
        let mut read = db.read(self.shop).await?;
        let mut accounts = project::accounts(&mut read, self.shop, &members, self.now).await?;
        let customers = customers::customers(&mut read, self.shop, &members).await?;
        for leased in leased {
            let member = leased.member_id;
            let Some(customer) = customers.get(&member) else {
                // Merged or erased since it was marked.
                self.fates.insert(member, Fate::Gone);
                continue;
            };
            let account = accounts.remove(&member).unwrap_or_default();
            let replaces = leased.digest.clone().map_or(CompareDigest::New, CompareDigest::Replaces);
            self.entries.push(Entry { leased: leased.clone(), customer: *customer, account, replaces });
        }
        Ok(())
    }

    /// Reads what is there for those that Shopify refused. Says who is out of this batch.
    async fn look_again(&mut self, admin: &Admin, refused: &[(usize, bool)]) -> Result<Vec<usize>, Error> {
        let customers: Vec<CustomerId> = refused.iter().map(|(at, _)| self.entries[*at].customer).collect();
        let there = admin.account_metafields(&customers).await?;
        let mut out = Vec::new();
        for (&(at, stale), there) in refused.iter().zip(there) {
            let entry = &mut self.entries[at];
            match there {
                AccountMetafield::NoCustomer => {
                    self.fates.insert(entry.leased.member_id, Fate::Gone);
                    out.push(at);
                }
                AccountMetafield::Unknown => {
                    let later = later(&entry.leased, self.now, &entry.replaces);
                    self.fates.insert(entry.leased.member_id, later);
                    out.push(at);
                }
                AccountMetafield::Empty => entry.replaces = CompareDigest::New,
                AccountMetafield::Published { compare_digest, .. } => {
                    entry.replaces = CompareDigest::Replaces(compare_digest);
                }
            }
            if !stale && !out.contains(&at) {
                self.fates.insert(entry.leased.member_id, later(&entry.leased, self.now, &entry.replaces));
                out.push(at);
            }
        }
        Ok(out)
    }

    /// Whoever has no fate yet is tried again: later, or when their shop's turn comes if Shopify asks to wait.
    fn postpone_the_rest(&mut self, leased: &[Leased], waits: bool) {
        for leased in leased {
            let entry = self.entries.iter().find(|entry| entry.leased.member_id == leased.member_id);
            let known = leased.digest.clone().map_or(CompareDigest::New, CompareDigest::Replaces);
            let replaces = entry.map_or(&known, |entry| &entry.replaces);
            self.fates.entry(leased.member_id).or_insert_with(|| match waits {
                true => Fate::Waits { digest: digest(replaces) },
                false => later(leased, self.now, replaces),
            });
        }
    }

    /// The hold that each published metafield shows.
    fn shown(&self) -> HashMap<MemberId, Option<HoldId>> {
        let shows = |member: &MemberId| {
            let entry = self.entries.iter().find(|entry| entry.leased.member_id == *member)?;
            entry.account.hold.as_ref().map(|hold| hold.id)
        };
        let known = self.fates.iter().filter_map(|(member, fate)| match fate {
            Fate::Published { .. } => Some((*member, shows(member))),
            // Whoever is gone shows nothing any more.
            Fate::Gone => Some((*member, None)),
            Fate::Later { .. } | Fate::Waits { .. } => None,
        });
        known.collect()
    }
}

impl Entry {
    fn write(&self) -> Result<MetafieldWrite, Error> {
        Ok(MetafieldWrite {
            owner_id: self.customer.gid(),
            namespace: "$app".into(),
            key: Account::METAFIELD.into(),
            r#type: "json".into(),
            value: self.account.to_json()?,
            compare_digest: self.replaces.clone(),
        })
    }
}

fn later(leased: &Leased, now: Timestamp, replaces: &CompareDigest) -> Fate {
    let tries = usize::try_from(leased.attempts).unwrap_or(usize::MAX);
    let wait = SignedDuration::from_secs(BACKOFF[tries.min(BACKOFF.len() - 1)]);
    Fate::Later { at: now + wait, digest: digest(replaces) }
}

fn digest(replaces: &CompareDigest) -> Option<String> {
    match replaces {
        CompareDigest::Replaces(digest) => Some(digest.clone()),
        CompareDigest::New | CompareDigest::Any => None,
    }
}
