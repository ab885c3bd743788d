//! What becomes of rows that share a transaction: first whatever it must lock, then what it writes.

use std::collections::{BTreeMap, HashMap, HashSet};

use loyalty::birthday::Birthday;
use uuid::Uuid;

use super::faults::Faults;
use super::row::{Refusal, Row, Who, blamed};
use super::run::{Job, Line, SAMPLES, Sample};
use super::store::{self, NewRow};
use super::{Batch, Error, Fault, Field, State};
use crate::app::App;
use crate::campaigns::{self, Assignment};
use crate::customers::{birthdays, emails};
use crate::db::{self, Read, Tx};
use crate::ids::{CustomerId, MemberId, ShopId};
use crate::points::{self, Book};
use crate::{customers, programs, sync};

/// How often rows are tried whose members are being merged just then.
const TRIES: usize = 5;

/// Rows that are as good as booked: whatever had to be locked is, and what is left to write keeps nobody waiting.
pub(super) struct Prepared {
    tx: Tx,
    lines: Vec<Line>,
    book: Option<Book>,
    outcome: Outcome,
}

/// What became of rows.
#[derive(Default)]
pub(super) struct Outcome {
    /// By their place.
    pub refused: Vec<(usize, Refusal)>,
    pub imported: i64,
    pub new_members: i64,
    pub points: i64,
    pub before: i64,
    pub samples: Vec<Sample>,
}

/// A row whose customer is known.
struct Wanted<'a> {
    place: usize,
    number: i64,
    row: &'a Row,
    customer: CustomerId,
    is_new: bool,
}

/// The name in the ledger of what a row brings.
pub(super) fn name(batch: Uuid, line: i64) -> String {
    format!("{batch}:{line}")
}

impl Job<'_> {
    /// Books rows as far as others may have to wait for them, or they for others; or looks what they would do.
    ///
    /// The rows before them may still be [written](Job::write) meanwhile: those wait for nobody, so nobody waits in a
    /// circle.
    pub(super) async fn prepare(
        &self,
        (batch, state): (Uuid, State),
        lines: Vec<Line>,
    ) -> Result<Prepared, Error> {
        let mut tries = 0;
        loop {
            let mut tx = self.app.db.begin(self.shop).await?;
            match self.try_to_prepare(&mut tx, (batch, state), &lines).await {
                // Whoever looks again finds the one into whom they were merged.
                Err(Error::Points(points::Error::Merged)) if tries < TRIES => tries += 1,
                Err(error) => return Err(error),
                Ok((outcome, book)) => return Ok(Prepared { tx, lines, book, outcome }),
            }
        }
    }

    async fn try_to_prepare(
        &self,
        tx: &mut Tx,
        (batch, state): (Uuid, State),
        lines: &[Line],
    ) -> Result<(Outcome, Option<Book>), Error> {
        let mut outcome = Outcome::default();
        let wanted = self.known(tx, lines, &mut outcome).await?;
        let book = if state == State::Checking {
            self.look(tx, batch, wanted, &mut outcome).await?;
            None
        } else {
            Some(self.bring(tx, batch, wanted, &mut outcome).await?)
        };
        outcome.refused.sort_unstable_by_key(|(place, _)| *place);
        Ok((outcome, book))
    }

    /// Writes what is left of rows, and says how far the batch is then.
    pub(super) async fn write(
        &self,
        batch: &Batch,
        Prepared { mut tx, lines, book, outcome }: Prepared,
        faults: &mut Faults,
    ) -> Result<(Outcome, Batch), Error> {
        if let Some(book) = book {
            book.save(&mut tx).await?;
        }
        let now = Batch {
            last_row: lines.last().map_or(batch.last_row, |line| line.number),
            imported: batch.imported + outcome.imported,
            refused: batch.refused + outcome.refused.len() as i64,
            new_members: batch.new_members + outcome.new_members,
            points: batch.points + outcome.points,
            ..batch.clone()
        };
        store::advance(&mut tx, self.shop, batch, &now, None).await?;
        for (place, refusal) in &outcome.refused {
            let line = &lines[*place];
            faults.write((line.number, &line.record), &self.reading.columns, *refusal)?;
        }
        faults.flush()?;
        tx.commit().await?;
        Ok((outcome, now))
    }

    /// The rows whose customers can be told; all others are refused.
    async fn known<'l>(
        &self,
        read: &mut Read,
        lines: &'l [Line],
        outcome: &mut Outcome,
    ) -> Result<Vec<Wanted<'l>>, Error> {
        let mut rows = Vec::with_capacity(lines.len());
        for (place, line) in lines.iter().enumerate() {
            match &line.row {
                Ok(row) => rows.push((place, line.number, row)),
                Err(refusal) => outcome.refused.push((place, *refusal)),
            }
        }
        let who: Vec<&Who> = rows.iter().map(|(_, _, row)| &row.who).collect();
        let found = resolve(self.app, read, self.shop, &who).await?;
        let mut wanted = Vec::with_capacity(rows.len());
        for ((place, number, row), found) in rows.into_iter().zip(found) {
            match found {
                Ok((customer, is_new)) => wanted.push(Wanted { place, number, row, customer, is_new }),
                Err(fault) => {
                    let field = blamed(fault, Field::Customer, Field::Email);
                    outcome.refused.push((place, fault.of(field)));
                }
            }
        }
        Ok(wanted)
    }

    /// Notes rows; those whose customer is in the file already are refused.
    async fn note<'l>(
        &self,
        tx: &mut Tx,
        batch: Uuid,
        wanted: Vec<Wanted<'l>>,
        (members, tiers): (&HashMap<CustomerId, MemberId>, &HashMap<MemberId, String>),
        outcome: &mut Outcome,
    ) -> Result<Vec<Wanted<'l>>, Error> {
        let new = |one: &Wanted<'l>| {
            let member = members.get(&one.customer).copied();
            NewRow {
                line: one.number,
                customer: one.customer,
                member,
                tier: one.row.tier.as_ref().map(|(tier, _)| tier.as_str()),
                tier_before: member.and_then(|member| tiers.get(&member)).map(String::as_str),
                referral_code: one.row.referral_code.as_deref(),
            }
        };
        let rows: Vec<NewRow<'_>> = wanted.iter().map(new).collect();
        let written = store::write(tx, self.shop, batch, &rows).await?;
        let written: HashSet<i64> = written.into_iter().map(|(line,)| line).collect();
        let (written, twice): (Vec<_>, Vec<_>) =
            wanted.into_iter().partition(|one| written.contains(&one.number));
        outcome.refused.extend(twice.iter().map(|one| (one.place, Fault::Twice.of(Field::Customer))));
        Ok(written)
    }

    /// Looks what rows would do. What is written down for that is forgotten later.
    async fn look(
        &self,
        tx: &mut Tx,
        batch: Uuid,
        wanted: Vec<Wanted<'_>>,
        outcome: &mut Outcome,
    ) -> Result<(), Error> {
        let nobody = (&HashMap::new(), &HashMap::new());
        let wanted = self.note(tx, batch, wanted, nobody, outcome).await?;
        let customers: Vec<CustomerId> = wanted.iter().map(|one| one.customer).collect();
        let members = customers::members(tx, self.shop, &customers).await?;
        let known: Vec<MemberId> = members.values().copied().collect();
        let balances = points::balances(tx, self.shop, &known, self.now).await?;
        let tiers = campaigns::tiers(tx, self.shop, &known).await?;
        for one in wanted {
            let member = members.get(&one.customer);
            let before = member.and_then(|member| balances.get(member)).map_or(0, |has| has.available.get());
            let points = one.row.points();
            if before.checked_add(points).is_none_or(|after| after > loyalty::LIMIT) {
                outcome.refused.push((one.place, Fault::TooManyPoints.of(Field::Points)));
                continue;
            }
            let tier = member.and_then(|member| tiers.get(member)).cloned();
            outcome.add(&one, points, before, tier);
        }
        Ok(())
    }

    /// Books rows; the book is to be saved.
    async fn bring(
        &self,
        tx: &mut Tx,
        batch: Uuid,
        wanted: Vec<Wanted<'_>>,
        outcome: &mut Outcome,
    ) -> Result<Book, Error> {
        let (shop, now) = (self.shop, self.app.clock.now());
        let customers: Vec<CustomerId> = wanted.iter().map(|one| one.customer).collect();
        let (members, new) = customers::enrol_and_tell(tx, shop, &customers, now).await?;
        let new: HashSet<MemberId> = new.into_iter().collect();
        let of_tiers = wanted.iter().filter(|one| one.row.tier.is_some());
        let of_tiers: Vec<MemberId> =
            of_tiers.filter_map(|one| members.get(&one.customer).copied()).collect();
        let mut tiers = campaigns::tiers(tx, shop, &of_tiers).await?;
        let wanted = self.note(tx, batch, wanted, (&members, &tiers), outcome).await?;

        // Before the accounts, as wherever both are locked.
        let birthday = |one: &Wanted<'_>| Some((*members.get(&one.customer)?, one.row.birthday?));
        let birthdays: Vec<(MemberId, Birthday)> = wanted.iter().filter_map(birthday).collect();
        let new_birthdays = birthdays::bring(tx, shop, &birthdays).await?;
        let program = programs::current(tx, shop).await?;
        let booked = wanted.iter().filter_map(|one| members.get(&one.customer).copied());
        let (new, known): (Vec<MemberId>, Vec<_>) = booked.partition(|member| new.contains(member));
        let mut book = Book::open(tx, shop, &known, &program, now).await?;
        book.welcome(&new);
        // Customers who became one may stand in a file with a tier each: the last one counts.
        let mut assignments: BTreeMap<MemberId, Assignment> = BTreeMap::new();
        let mut struck = Vec::new();
        for one in &wanted {
            let Some(&member) = members.get(&one.customer) else { continue };
            let before = book.account(member)?.available.get();
            let points = match book.import(member, &name(batch, one.number), &one.row.brought) {
                Err(points::Error::OutOfRange(_)) => {
                    struck.push((one.number, member));
                    outcome.refused.push((one.place, Fault::TooManyPoints.of(Field::Points)));
                    continue;
                }
                points => points?.get(),
            };
            let tier = match &one.row.tier {
                None => None,
                Some((tier, since)) => {
                    let before = tiers.insert(member, tier.clone());
                    let (tier, since) = (Some(tier.clone()), since.unwrap_or(now));
                    let first = || Assignment { member, tier: None, since, before: before.clone() };
                    let assignment = assignments.entry(member).or_insert_with(first);
                    (assignment.tier, assignment.since) = (tier, since);
                    before
                }
            };
            outcome.add(one, points, before, tier);
        }
        if !struck.is_empty() {
            let (rows, mut members): (Vec<i64>, Vec<MemberId>) = struck.into_iter().unzip();
            store::strike(tx, shop, batch, &rows).await?;
            members.retain(|member| new_birthdays.contains(member));
            birthdays::forget(tx, shop, &members).await?;
        }
        let changed: Vec<MemberId> = book.changed().collect();
        let assignments: Vec<Assignment> = assignments.into_values().collect();
        campaigns::assign_all(tx, shop, &assignments, now).await?;
        sync::mark(tx, shop, &changed, now).await?;
        Ok(book)
    }
}

/// Who these are, and whether they are no members yet; or why nobody can tell.
pub(super) async fn resolve(
    app: &App,
    read: &mut Read,
    shop: ShopId,
    who: &[&Who],
) -> Result<Vec<Result<(CustomerId, bool), Fault>>, db::Error> {
    let named = |who: &&Who| match who {
        Who::Email(email) => Some(email.clone()),
        Who::Customer(_) => None,
    };
    let named: Vec<String> = who.iter().filter_map(named).collect();
    let (mut kept, mut by_email) = (false, HashMap::new());
    if !named.is_empty() {
        kept = emails::are_kept(read, shop).await?;
        by_email = emails::find_all(read, &app.cipher, shop, named.iter().map(String::as_str)).await?;
    }
    let found: Vec<Result<CustomerId, Fault>> = who
        .iter()
        .map(|who| match who {
            Who::Customer(customer) => Ok(*customer),
            Who::Email(email) => match by_email.get(email.as_str()).map(Vec::as_slice) {
                _ if !kept => Err(Fault::EmailsNotKept),
                None => Err(Fault::BadEmail),
                Some([]) => Err(Fault::UnknownEmail),
                Some([(_, customer)]) => Ok(*customer),
                Some(_) => Err(Fault::AmbiguousEmail),
            },
        })
        .collect();
    let customers: Vec<CustomerId> = found.iter().filter_map(|found| found.ok()).collect();
    let enrolled = customers::enrolled(read, shop, &customers).await?;
    let enrolled: HashMap<CustomerId, bool> =
        enrolled.into_iter().map(|one| (one.customer_id, one.is_deleted)).collect();
    let known = |customer: CustomerId| match enrolled.get(&customer) {
        Some(true) => Err(Fault::Deleted),
        is_deleted => Ok((customer, is_deleted.is_none())),
    };
    Ok(found.into_iter().map(|found| found.and_then(known)).collect())
}

impl Outcome {
    /// A row that is imported.
    fn add(&mut self, one: &Wanted<'_>, points: i64, before: i64, tier: Option<String>) {
        self.imported += 1;
        self.new_members += i64::from(one.is_new);
        self.points += points;
        self.before += before;
        if self.samples.len() < SAMPLES {
            let tier_after = one.row.tier.as_ref().map(|(tier, _)| tier.clone()).or_else(|| tier.clone());
            self.samples.push(Sample {
                row: one.number,
                customer: one.customer,
                is_new: one.is_new,
                points: (before, before + points),
                tier: (tier, tier_after),
            });
        }
    }
}
