//! Making things stand: what is missing is made, what differs is put right, and then everything is looked at again.

use std::time::Duration;

use jiff::SignedDuration;
use serde_json::{Value, json};
use uuid::Uuid;

use super::look::{self, Wish};
use super::store::{self, Known};
use super::{CUSTOMIZED, Code, Error, Kind, State, Thing, WANTED, customize, define};
use crate::app::App;
use crate::audit::{self, Action, By, Change};
use crate::merchants::Shop;
use crate::programs;
use crate::shopify::admin::{
    Admin, AppDiscount, DiscountWrite, MetafieldWrite, Note, ShopifyFunction, UserError,
};

/// How long a lease lasts: longer than one call may take, and it is prolonged before each that changes something.
const LEASE: SignedDuration = SignedDuration::from_secs(60);
/// How long one call to Shopify may take, retries included.
const CALL: Duration = Duration::from_secs(20);

/// What becomes of a discount that the merchant deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// It is made again: staff ask for it, or the app is installed anew.
    Made,
    /// It stays deleted.
    LeftOut,
}

/// Makes everything stand that may, and says how it stands then. What is changed is written down in this name.
///
/// # Errors
/// [`Error::Busy`] while someone else is at it. When Shopify or the database does not answer; the same call again goes on
/// where this one ended, and makes nothing twice.
pub async fn stand(app: &App, shop: &Shop, again: Again, by: &By) -> Result<Vec<Thing>, Error> {
    let lease = Uuid::now_v7();
    let now = app.clock.now();
    let mut tx = app.db.begin(shop.id).await?;
    let ours = store::lease(&mut tx, shop.id, lease, (now, now + LEASE)).await?;
    tx.commit().await?;
    if !ours {
        return Err(Error::Busy);
    }
    let stood = Work { app, shop, by, lease, again }.all().await;
    let mut tx = app.db.begin(shop.id).await?;
    store::release(&mut tx, shop.id, lease).await?;
    tx.commit().await?;
    stood
}

pub(super) struct Work<'a> {
    app: &'a App,
    pub shop: &'a Shop,
    by: &'a By,
    lease: Uuid,
    pub again: Again,
}

impl Work<'_> {
    async fn all(&self) -> Result<Vec<Thing>, Error> {
        let admin = self.app.admin_of(self.shop).await?.within(CALL);
        let mut things = vec![self.program(&admin).await?];
        let functions = admin.shopify_functions().await?;
        let program = programs::current(&mut self.app.db.read(self.shop.id).await?, self.shop.id).await?;
        let now = programs::local_time(self.shop, self.app.clock.now())?;
        for wanted in &WANTED {
            let known =
                store::known(&mut self.app.db.read(self.shop.id).await?, self.shop.id, wanted.kind).await?;
            let Some(wish) = look::wish(wanted, &program, now, &known)? else { continue };
            let discount = Discount { work: self, admin: &admin, functions: &functions, wish };
            things.push(discount.stand(known).await?);
        }
        for customized in &CUSTOMIZED {
            let known =
                store::known(&mut self.app.db.read(self.shop.id).await?, self.shop.id, customized.kind)
                    .await?;
            if (customized.used)(&program.program) || known.discount_id.is_some() {
                things.push(customize::stand(self, &admin, customized, &functions, known).await?);
            }
        }
        let known =
            store::known(&mut self.app.db.read(self.shop.id).await?, self.shop.id, Kind::Mark).await?;
        things.push(define::stand(self, &admin, known).await?);
        Ok(things)
    }

    async fn program(&self, admin: &Admin) -> Result<Thing, Error> {
        let look = async || {
            let program = look::program_of(&mut self.app.db.read(self.shop.id).await?, self.shop).await?;
            look::published(self.app, self.shop, admin, program.as_ref().ok()).await
        };
        let before = look().await?;
        if before.state == State::Ok {
            return Ok(before);
        }
        self.prolong().await?;
        let problem = match programs::publish(self.app, self.shop).await {
            Ok(_) => None,
            Err(programs::Error::Refused(said)) => {
                tracing::warn!(shop = %self.shop.id, said, "Shopify refuses the program's metafields");
                Some(Code::Refused)
            }
            Err(error) => return Err(error.into()),
        };
        let after = look().await?;
        let after = Thing { code: problem.unwrap_or(after.code), ..after };
        self.note(Kind::Program, &Known { discount_id: None, problem }, (&before, &after)).await?;
        Ok(after)
    }

    /// Proves that the lease still stands, and keeps it long enough for the next call.
    pub(super) async fn prolong(&self) -> Result<(), Error> {
        let mut tx = self.app.db.begin(self.shop.id).await?;
        let ours = store::renew(&mut tx, self.shop.id, self.lease, self.app.clock.now() + LEASE).await?;
        tx.commit().await?;
        if ours { Ok(()) } else { Err(Error::Lost) }
    }

    /// Notes what is known of a thing now, and in the same transaction what was changed in Shopify.
    pub(super) async fn note(
        &self,
        kind: Kind,
        known: &Known,
        (before, after): (&Thing, &Thing),
    ) -> Result<(), Error> {
        let (shop, now) = (self.shop.id, self.app.clock.now());
        let mut tx = self.app.db.begin(shop).await?;
        if !store::renew(&mut tx, shop, self.lease, now + LEASE).await? {
            return Err(Error::Lost);
        }
        store::note(&mut tx, shop, kind, known, now).await?;
        if shown(before) != shown(after) {
            let change = Change {
                action: Action::ActivationChanged,
                target: Some(kind.as_str().to_owned()),
                before: shown(before),
                after: shown(after),
            };
            audit::record(&mut tx, shop, self.by, change, now).await?;
        }
        tx.commit().await?;
        Ok(())
    }
}

/// A thing in the audit log.
fn shown(thing: &Thing) -> Value {
    json!({"state": thing.state.as_str(), "code": thing.code.as_str(), "title": thing.title,
           "differs": thing.differs, "discount": thing.discount_id})
}

/// One discount that must stand.
struct Discount<'a> {
    work: &'a Work<'a>,
    admin: &'a Admin,
    functions: &'a [ShopifyFunction],
    wish: Wish<'a>,
}

impl Discount<'_> {
    async fn stand(&self, known: Known) -> Result<Thing, Error> {
        let found = self.find(&known).await?;
        let before = self.compare(&known, found.as_ref());
        match (before.state, &found) {
            (State::Missing, _) if known.discount_id.is_none() || self.work.again == Again::Made => {
                let (id, problem) = self.make().await?;
                self.settle(Known { discount_id: id.or(known.discount_id), problem }, &before).await
            }
            (State::Differs, Some(found)) => {
                let problem = self.put_right(found, &before).await?;
                self.settle(Known { discount_id: Some(found.id.clone()), problem }, &before).await
            }
            // One whose id was lost is kept in mind, so that it is missed when it is deleted.
            (_, Some(found)) if known.discount_id.as_ref() != Some(&found.id) || known.problem.is_some() => {
                let known = Known { discount_id: Some(found.id.clone()), problem: None };
                self.work.note(self.wish.wanted.kind, &known, (&before, &before)).await?;
                Ok(before)
            }
            _ => Ok(before),
        }
    }

    async fn find(&self, known: &Known) -> Result<Option<AppDiscount>, Error> {
        Ok(look::find(self.admin, &self.wish, self.functions, known).await?)
    }

    fn compare(&self, known: &Known, found: Option<&AppDiscount>) -> Thing {
        look::compare(&self.wish, self.functions, known, found)
    }

    /// What it is called and may do.
    fn write(&self) -> DiscountWrite<'_> {
        DiscountWrite { title: self.wish.title, classes: self.wish.wanted.classes }
    }

    /// Makes it, and says its id, or why it cannot be made.
    async fn make(&self) -> Result<(Option<String>, Option<Code>), Error> {
        self.work.prolong().await?;
        let Wish { wanted, notes, .. } = &self.wish;
        let starts_at = self.work.app.clock.now().to_string();
        let made = self.admin.create_app_discount(wanted.handle, &self.write(), notes, &starts_at).await?;
        let errors = match made {
            Ok(id) => return Ok((Some(id), None)),
            Err(errors) => errors,
        };
        let problem = self.problem(&errors);
        if problem == Code::TitleTaken
            && let Some(found) = self.find(&Known::default()).await?
        {
            // It was ours: one whose answer was lost, and that the first look did not show yet.
            return Ok((Some(found.id), None));
        }
        Ok((None, Some(problem)))
    }

    /// Puts right what differs, and says why it cannot be.
    async fn put_right(&self, found: &AppDiscount, before: &Thing) -> Result<Option<Code>, Error> {
        self.work.prolong().await?;
        let (noted, own): (Vec<&str>, Vec<&str>) =
            before.differs.iter().copied().partition(|key| self.note(key).is_some());
        if !own.is_empty() {
            let errors = self.admin.update_app_discount(&found.id, &self.write()).await?;
            if !errors.is_empty() {
                return Ok(Some(self.problem(&errors)));
            }
        }
        let notes = noted.iter().filter_map(|key| self.note(key));
        let notes: Vec<_> = notes.map(|note| MetafieldWrite::note(&found.id, note)).collect();
        if !notes.is_empty() {
            let errors = self.admin.metafields_set(&notes).await?.errors;
            if !errors.is_empty() {
                return Ok(Some(self.problem(&errors)));
            }
        }
        Ok(None)
    }

    /// What is to be noted under this key.
    fn note(&self, key: &str) -> Option<&Note> {
        self.wish.notes.iter().find(|note| note.key() == key)
    }

    /// Looks again, and notes what came of it.
    async fn settle(&self, known: Known, before: &Thing) -> Result<Thing, Error> {
        let found = self.find(&known).await?;
        let after = self.compare(&known, found.as_ref());
        self.work.note(self.wish.wanted.kind, &known, (before, &after)).await?;
        Ok(after)
    }

    /// What Shopify has against it. Its own words are for the log.
    fn problem(&self, errors: &[UserError]) -> Code {
        for error in errors {
            let (shop, kind) = (self.work.shop.id, self.wish.wanted.kind.as_str());
            let UserError { field, message, code } = error;
            let field = field.join(".");
            tracing::warn!(%shop, kind, field, code, message, "Shopify refuses a discount");
        }
        let is = |wanted: &str| errors.iter().any(|error| error.code.as_deref() == Some(wanted));
        match () {
            () if is("MAX_APP_DISCOUNTS") => Code::TooMany,
            () if is("TAKEN") => Code::TitleTaken,
            () => Code::Refused,
        }
    }
}
