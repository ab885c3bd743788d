//! Agreement: our groups of members beside Shopify's own.
//!
//! Shopify groups customers under the same names, and does not say where it draws the lines. So once a day all customers are
//! read in a file, and the members in each pair of groups are counted. Nothing follows from it: it is shown.

mod store;

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use loyalty::rfm::Group;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::bulk::{self, Line, Reader};
use crate::customers;
use crate::db::{Timestamp, Tx};
use crate::ids::{CustomerId, MemberId, ShopId};
use crate::tasks::{Run, Task, TaskError};
use crate::web::{Problem, Staff, View};

/// What the bulk operations are for.
const PURPOSE: &str = "rfm_groups";

/// Has our groups compared with Shopify's.
#[derive(Debug, Serialize, Deserialize)]
pub struct Compare {}

#[async_trait]
impl Task for Compare {
    const KIND: &'static str = "rfm.compare";
    const PRIORITY: i64 = -2;

    async fn run(self, run: &Run) -> Result<(), TaskError> {
        let Some(shop) = run.shop() else { return Ok(()) };
        let mut tx = run.begin().await?;
        // Before members are scored there is nothing to compare.
        if super::store::laid(&mut tx, shop).await?.is_some_and(|laid| laid.is_done) {
            bulk::ask(&mut tx, shop, PURPOSE, run.now()).await?;
        }
        run.finish(tx).await
    }
}

/// Reads the files.
#[derive(Debug, Clone, Copy)]
pub struct Comparer;

#[async_trait]
impl Reader for Comparer {
    fn purpose(&self) -> &'static str {
        PURPOSE
    }

    fn query(&self) -> &'static str {
        include_str!("../../../../graphql/rfm_groups_in_bulk.graphql")
    }

    async fn begins(&self, tx: &mut Tx, shop: ShopId, run: &bulk::Run) -> Result<(), TaskError> {
        Ok(store::begin(tx, shop, run.run_id, run.asked_at).await?)
    }

    async fn lines(
        &self,
        tx: &mut Tx,
        shop: ShopId,
        run: &bulk::Run,
        lines: &[Line],
    ) -> Result<(), TaskError> {
        let theirs: HashMap<CustomerId, &str> = lines.iter().filter_map(customer).collect();
        let numbers: Vec<CustomerId> = theirs.keys().copied().collect();
        let mut members: Vec<(MemberId, CustomerId)> = Vec::new();
        for enrolled in customers::enrolled(tx, shop, &numbers).await? {
            if enrolled.is_there {
                members.push((enrolled.member_id, enrolled.customer_id));
            }
        }
        let ids: Vec<MemberId> = members.iter().map(|(member, _)| *member).collect();
        let segments = super::segments(tx, shop, &ids).await?;
        let mut counts: BTreeMap<(&str, &str), i64> = BTreeMap::new();
        for (member, customer) in &members {
            let ours = Group::of(segments.get(member).copied()).as_str();
            *counts.entry((ours, theirs[customer])).or_default() += 1;
        }
        Ok(store::add(tx, shop, run.run_id, &counts.into_iter().collect::<Vec<_>>()).await?)
    }

    async fn ends(&self, tx: &mut Tx, shop: ShopId, run: &bulk::Run) -> Result<(), TaskError> {
        let is_whole = run.state == bulk::State::Read;
        let ended_at = run.ended_at.unwrap_or(run.asked_at);
        Ok(store::end(tx, shop, run.run_id, (run.asked_at, ended_at), is_whole).await?)
    }
}

/// A line that is a customer, and the group that Shopify has them in, as we write it; empty where it says none, or one that
/// is not known. Lines of other types, and those below others, are none.
fn customer(line: &Line) -> Option<(CustomerId, &'static str)> {
    if line.id.kind != "Customer" || line.parent.is_some() {
        return None;
    }
    let group = line.object.get("statistics")?.get("rfmGroup").and_then(serde_json::Value::as_str);
    let known = Group::ALL.into_iter().map(Group::as_str);
    let theirs = known.into_iter().find(|name| group.is_some_and(|group| group.eq_ignore_ascii_case(name)));
    Some((CustomerId(line.id.number), theirs.unwrap_or_default()))
}

/// What a comparison came to.
#[derive(Debug, Serialize)]
pub(super) struct AgreementView {
    /// When it was asked for and came to its end (UTC).
    started_at: Timestamp,
    ended_at: Option<Timestamp>,
    /// Whether all customers were read. Nothing is said of those who were not.
    is_whole: bool,
    /// Members whom both have in a group.
    compared: i64,
    /// Those whom both have in the same.
    agreed: i64,
    /// The share of those, in thousandths; none without any.
    agreed_permille: Option<i64>,
    /// Members of whom Shopify says nothing.
    unknown: i64,
    /// How many are in which pair of groups; Shopify's is null where it says none.
    pairs: Vec<Pair>,
}

#[derive(Debug, Serialize)]
struct Pair {
    ours: String,
    shopify: Option<String>,
    members: i64,
}

/// `GET /api/rfm/agreement`: the newest comparison that has come to its end.
pub(super) async fn show(State(app): State<App>, staff: Staff<View>) -> Result<Json<AgreementView>, Problem> {
    let shop = staff.shop.id;
    let mut read = app.db.read(shop).await?;
    let Some(store::Comparison { run_id, started_at, ended_at, is_whole }) =
        store::last(&mut read, shop).await?
    else {
        let title = "Our groups and Shopify's have not been compared yet. They are once a day, after members are scored.";
        return Err(Problem::new(StatusCode::NOT_FOUND, "never_compared", title));
    };
    let pairs = store::pairs(&mut read, shop, run_id).await?;
    let sum = |counts: &dyn Fn(&str, &str) -> bool| -> i64 {
        pairs.iter().filter(|(ours, theirs, _)| counts(ours, theirs)).map(|(.., members)| members).sum()
    };
    let (compared, agreed) = (sum(&|_, theirs| !theirs.is_empty()), sum(&|ours, theirs| ours == theirs));
    Ok(Json(AgreementView {
        started_at,
        ended_at,
        is_whole,
        compared,
        agreed,
        agreed_permille: (agreed * 1_000).checked_div(compared),
        unknown: sum(&|_, theirs| theirs.is_empty()),
        pairs: pairs
            .into_iter()
            .map(|(ours, theirs, members)| Pair {
                ours,
                shopify: Some(theirs).filter(|theirs| !theirs.is_empty()),
                members,
            })
            .collect(),
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::bulk::Gid;

    #[test]
    fn a_line_says_in_which_of_the_known_groups_a_customer_is() {
        let line = |kind: &str, parent: Option<Gid>, statistics: serde_json::Value| {
            let id = Gid { kind: kind.into(), number: 7 };
            customer(&Line { id, parent, object: json!({ "statistics": statistics }) })
        };
        let found = |group: &str| line("Customer", None, json!({ "rfmGroup": group }));
        assert_eq!(found("PREVIOUSLY_LOYAL"), Some((CustomerId(7), "previously_loyal")));
        assert_eq!(found("A_NEW_ONE"), Some((CustomerId(7), "")));
        assert_eq!(line("Customer", None, json!({"rfmGroup": null})), Some((CustomerId(7), "")));
        assert_eq!(line("Order", None, json!({"rfmGroup": "LOYAL"})), None);
        let parent = Some(Gid { kind: "Shop".into(), number: 1 });
        assert_eq!(line("Customer", parent, json!({"rfmGroup": "LOYAL"})), None);
    }
}
