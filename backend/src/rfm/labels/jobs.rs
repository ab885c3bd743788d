//! Writing labels, some members at a time. What Shopify shows by then is noted behind every call, so a task that breaks off
//! is gone on with.

use std::collections::HashMap;

use async_trait::async_trait;
use jiff::SignedDuration;
use loyalty::rfm::Group;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::store::{self, Shown};
use super::{other_tags, tag};
use crate::customers;
use crate::db::{self, Timestamp, Tx};
use crate::ids::{CustomerId, MemberId, ShopId};
use crate::merchants::ShopError;
use crate::programs;
use crate::rfm::{Member, read};
use crate::shopify::admin::{Admin, AdminError, CompareDigest, METAFIELDS_AT_ONCE, MetafieldWrite};
use crate::tasks::{self, Order, Run, Task, TaskError};

/// How many members are looked at together.
const PAGE: i64 = 500;
/// How many labels one task writes at least, before another goes on.
const LABELS: usize = 500;

/// Brings the labels of a shop's members up to date.
#[derive(Debug, Serialize, Deserialize)]
pub struct Label {
    /// The refresh after which this is done.
    pub refresh: Uuid,
    /// Who was the last to be looked at.
    pub after: MemberId,
}

/// Has labels brought up to date once a refresh has scored everyone, in the transaction in which it is done.
pub(in crate::rfm) async fn label_soon(
    tx: &mut Tx,
    shop: ShopId,
    refresh: Uuid,
    now: Timestamp,
) -> Result<(), db::Error> {
    Label { refresh, after: MemberId(Uuid::nil()) }.push(tx, shop, now).await
}

#[async_trait]
impl Task for Label {
    const KIND: &'static str = "rfm.label";
    const PRIORITY: i64 = -2;
    const DEADLINE: SignedDuration = SignedDuration::from_mins(30);

    async fn run(self, run: &Run) -> Result<(), TaskError> {
        let Some(mut labeller) = Labeller::of(run).await? else { return Ok(()) };
        let (mut after, mut written) = (self.after, 0);
        while written < LABELS {
            let mut db = run.app.db.read(labeller.shop).await?;
            let page = crate::rfm::store::page(&mut db, labeller.shop, after, PAGE).await?;
            drop(db);
            let Some(last) = page.last() else { return Ok(()) };
            after = last.member_id;
            written += labeller.label(&page).await?;
        }
        let mut tx = run.begin().await?;
        Label { after, ..self }.push(&mut tx, labeller.shop, run.now()).await?;
        run.finish(tx).await
    }
}

impl Label {
    async fn push(&self, tx: &mut Tx, shop: ShopId, now: Timestamp) -> Result<(), db::Error> {
        let order = Order::new(format!("{} after {}", self.refresh, self.after));
        tasks::push(tx, shop, self, order, now).await?;
        Ok(())
    }
}

/// Writes labels of one shop.
struct Labeller<'r> {
    run: &'r Run,
    shop: ShopId,
    admin: Admin,
    /// Whether the merchant wishes tags.
    tags: bool,
}

/// A member whose labels are other ones than those that Shopify shows.
struct Differing {
    customer: CustomerId,
    is: Shown,
    should_be: Shown,
}

impl<'r> Labeller<'r> {
    /// None if the shop or its program is gone.
    async fn of(run: &'r Run) -> Result<Option<Self>, TaskError> {
        let failed = |error: ShopError| TaskError::Failed(error.to_string());
        let Some(id) = run.shop() else { return Ok(None) };
        let tags = match programs::current(&mut run.app.db.read(id).await?, id).await {
            Ok(program) => program.program.segment_tags,
            Err(programs::Error::Missing) => return Ok(None),
            Err(error) => return Err(TaskError::Failed(error.to_string())),
        };
        let Some(shop) = run.app.shops.find(id).await.map_err(failed)? else { return Ok(None) };
        let admin = run.app.admin_of(&shop).await.map_err(failed)?;
        Ok(Some(Labeller { run, shop: id, admin, tags }))
    }

    /// Writes the labels of those of these members that are not right, and says how many those were.
    async fn label(&mut self, members: &[Member]) -> Result<usize, TaskError> {
        let differing = self.differing(members).await?;
        for some in differing.chunks(METAFIELDS_AT_ONCE) {
            let mut shown = self.metafields(some).await.map_err(failed)?;
            self.note(&shown).await?;
            for (one, shown) in some.iter().zip(&mut shown) {
                if one.is.tag != one.should_be.tag {
                    self.tag(one).await.map_err(failed)?;
                    shown.tag.clone_from(&one.should_be.tag);
                }
            }
            self.note(&shown).await?;
        }
        Ok(differing.len())
    }

    async fn differing(&self, members: &[Member]) -> Result<Vec<Differing>, TaskError> {
        let there: Vec<&Member> = members.iter().filter(|member| member.is_there).collect();
        let ids: Vec<MemberId> = there.iter().map(|member| member.member_id).collect();
        let mut db = self.run.app.db.read(self.shop).await?;
        let shown = store::shown(&mut db, self.shop, &ids).await?;
        let mut shown: HashMap<MemberId, Shown> =
            shown.into_iter().map(|shown| (shown.member_id, shown)).collect();
        let mut differing = Vec::new();
        for member in there {
            let member_id = member.member_id;
            let group = || Some(Group::of(read(member.segment)).as_str().to_owned());
            let should_be = Shown { member_id, metafield: group(), tag: self.tags.then(group).flatten() };
            let nothing = Shown { member_id, metafield: None, tag: None };
            let is = shown.remove(&member_id).unwrap_or(nothing);
            if is != should_be {
                differing.push((is, should_be));
            }
        }
        let ids: Vec<MemberId> = differing.iter().map(|(is, _)| is.member_id).collect();
        let customers = customers::customers(&mut db, self.shop, &ids).await?;
        let with_customer = |(is, should_be): (Shown, Shown)| {
            let customer = *customers.get(&is.member_id)?;
            Some(Differing { customer, is, should_be })
        };
        Ok(differing.into_iter().filter_map(with_customer).collect())
    }

    /// Writes the metafields of these members, and says what is shown of them then. Who cannot be written, because Shopify has
    /// them no more, is left out.
    async fn metafields(&self, some: &[Differing]) -> Result<Vec<Shown>, AdminError> {
        let mut shown: Vec<Shown> = some.iter().map(|one| one.is.clone()).collect();
        let mut pending: Vec<usize> =
            (0..some.len()).filter(|at| some[*at].is.metafield != some[*at].should_be.metafield).collect();
        while !pending.is_empty() {
            let writes: Vec<MetafieldWrite> = pending.iter().map(|at| some[*at].write()).collect();
            let answer = self.admin.metafields_set(&writes).await?;
            if answer.errors.is_empty() {
                for at in pending {
                    shown[at].metafield.clone_from(&some[at].should_be.metafield);
                }
                break;
            }
            let refused: Vec<usize> =
                answer.errors.iter().filter_map(|error| pending.get(error.index()?).copied()).collect();
            for error in &answer.errors {
                tracing::warn!(shop = %self.shop, code = error.code, message = error.message, "a label was refused");
            }
            if refused.is_empty() {
                break;
            }
            pending.retain(|at| !refused.contains(at));
        }
        Ok(shown)
    }

    /// Gives a customer the tag of their group, and takes those of all others.
    async fn tag(&self, one: &Differing) -> Result<(), AdminError> {
        let group = one.should_be.tag.as_deref();
        let mut errors = self.admin.untag(&one.customer.gid(), &other_tags(group)).await?;
        if let Some(group) = group {
            errors.extend(self.admin.tag(&one.customer.gid(), &[tag(group)]).await?);
        }
        for error in errors {
            tracing::warn!(shop = %self.shop, message = error.message, "a tag was refused");
        }
        Ok(())
    }

    async fn note(&self, shown: &[Shown]) -> Result<(), TaskError> {
        let mut tx = self.run.begin().await?;
        store::note(&mut tx, self.shop, shown).await?;
        Ok(tx.commit().await?)
    }
}

impl Differing {
    fn write(&self) -> MetafieldWrite {
        MetafieldWrite {
            owner_id: self.customer.gid(),
            namespace: "$app".into(),
            key: Group::METAFIELD.into(),
            r#type: "single_line_text_field".into(),
            value: self.should_be.metafield.clone().unwrap_or_default(),
            // Nobody else writes it, and the last word is right.
            compare_digest: CompareDigest::Any,
        }
    }
}

fn failed(error: AdminError) -> TaskError {
    TaskError::Failed(error.to_string())
}
