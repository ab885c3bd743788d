//! The only writer of account metafields.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use jiff::SignedDuration;
use loyalty::{Account, HoldId};
use uuid::Uuid;

use super::Error;
use super::store::{self, Fate, Leased};
use crate::clock::Clock;
use crate::customers;
use crate::db::{Db, Timestamp};
use crate::ids::{CustomerId, MemberId, ShopId};
use crate::shopify::admin::{
    AccountMetafield, Admin, AdminError, CompareDigest, METAFIELDS_AT_ONCE, MetafieldWrite,
};
use crate::{campaigns, points, redemptions};

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
    let lease = Uuid::now_v7();
    let now = clock.now();
    let mut tx = db.begin(shop).await?;
    let leased = store::lease(&mut tx, shop, members, lease, (now, now + LEASE)).await?;
    tx.commit().await?;
    let mut outcome = Outcome::default();
    outcome.busy.extend(members.iter().filter(|member| !leased.iter().any(|l| l.member_id == **member)));
    if leased.is_empty() {
        return Ok(outcome);
    }

    let mut batch = Batch { shop, now, entries: Vec::new(), fates: BTreeMap::new() };
    let written = match tokio::time::timeout(ALL_CALLS, batch.write(db, admin, &leased)).await {
        Ok(written) => written,
        Err(_) => Err(Error::Timeout),
    };
    let told = match &written {
        Err(Error::Admin(AdminError::Throttled { wait })) => SignedDuration::try_from(*wait).ok(),
        _ => None,
    };
    batch.postpone_the_rest(&leased, told);
    let mut tx = db.begin(shop).await?;
    // Holds before marks: in the order in which everyone locks them.
    let ours = store::still_leased(&mut tx, shop, lease).await?;
    let mut shown = batch.shown();
    shown.retain(|member, _| ours.contains(member));
    redemptions::lifecycle::shown(&mut tx, shop, &shown, clock.now()).await?;
    store::finish(&mut tx, shop, lease, &batch.fates).await?;
    tx.commit().await?;
    written?;

    for (member, fate) in &batch.fates {
        match fate {
            Fate::Published { .. } => outcome.published.push(*member),
            Fate::Gone => outcome.gone.push(*member),
            Fate::Later { .. } => outcome.failed.push(*member),
        }
    }
    Ok(outcome)
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
        let balances = points::balances(&mut read, self.shop, &members).await?;
        let holds = redemptions::lifecycle::visible(&mut read, self.shop, &members).await?;
        let customers = customers::customers(&mut read, self.shop, &members).await?;
        let mut tiers = campaigns::tiers(&mut read, self.shop, &members).await?;
        for leased in leased {
            let member = leased.member_id;
            let Some(customer) = customers.get(&member) else {
                // Merged or erased since it was marked.
                self.fates.insert(member, Fate::Gone);
                continue;
            };
            let mut account = Account::default();
            if let Some(balance) = balances.get(&member) {
                (account.seq, account.points, account.pending) =
                    (balance.seq, balance.available, balance.pending);
            }
            account.tier = tiers.remove(&member);
            account.hold = holds.iter().find(|hold| hold.member == member).map(|hold| hold.terms.clone());
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
                    let later = later(&entry.leased, self.now, None, &entry.replaces);
                    self.fates.insert(entry.leased.member_id, later);
                    out.push(at);
                }
                AccountMetafield::Empty => entry.replaces = CompareDigest::New,
                AccountMetafield::Published { compare_digest, .. } => {
                    entry.replaces = CompareDigest::Replaces(compare_digest);
                }
            }
            if !stale && !out.contains(&at) {
                self.fates
                    .insert(entry.leased.member_id, later(&entry.leased, self.now, None, &entry.replaces));
                out.push(at);
            }
        }
        Ok(out)
    }

    /// Whoever has no fate yet is tried again later: when Shopify told us to, if it did.
    fn postpone_the_rest(&mut self, leased: &[Leased], told: Option<SignedDuration>) {
        for leased in leased {
            let entry = self.entries.iter().find(|entry| entry.leased.member_id == leased.member_id);
            let known = leased.digest.clone().map_or(CompareDigest::New, CompareDigest::Replaces);
            let replaces = entry.map_or(&known, |entry| &entry.replaces);
            self.fates.entry(leased.member_id).or_insert_with(|| later(leased, self.now, told, replaces));
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
            Fate::Later { .. } => None,
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

fn later(leased: &Leased, now: Timestamp, told: Option<SignedDuration>, replaces: &CompareDigest) -> Fate {
    let tries = usize::try_from(leased.attempts).unwrap_or(usize::MAX);
    let wait = told.unwrap_or(SignedDuration::from_secs(BACKOFF[tries.min(BACKOFF.len() - 1)]));
    let digest = match replaces {
        CompareDigest::Replaces(digest) => Some(digest.clone()),
        CompareDigest::New | CompareDigest::Any => None,
    };
    Fate::Later { at: now + wait, digest }
}
