//! What Shopify has of members, beside the ledger: counted, and marked where it is not the same.

use super::super::project;
use super::compare::{Drift, compare};
use super::store::{self, Counts, Standing};
use crate::db::{Timestamp, Tx};
use crate::ids::{MemberId, ShopId};
use crate::sync::{self, Error};

/// Compares what is published of these members with the ledger, and marks those who are wrong. What was published after
/// `since` is not known to who says what is published.
///
/// # Errors
/// Any error of the database.
pub(super) async fn check(
    tx: &mut Tx,
    shop: ShopId,
    (since, now): (Timestamp, Timestamp),
    found: &[(MemberId, Option<&str>)],
) -> Result<Counts, Error> {
    let members: Vec<MemberId> = found.iter().map(|(member, _)| *member).collect();
    let accounts = project::accounts(tx, shop, &members, now).await?;
    // After the ledger: a change that it had not is on its way then, or was published meanwhile.
    let standings = store::standings(tx, shop, &members).await?;
    let mut counts = Counts { members: members.len() as i64, ..Counts::default() };
    let (mut wrong, mut returned): (Vec<MemberId>, Vec<MemberId>) = (Vec::new(), Vec::new());
    for (member, published) in found {
        match standings.get(member) {
            Some(Standing { gone: true, .. }) => returned.push(*member),
            Some(standing) if standing.is_moving(since) => counts.in_flight += 1,
            _ => {
                let Some(drift) = accounts.get(member).and_then(|ledger| compare(*published, ledger)) else {
                    continue;
                };
                *counts.of(drift) += 1;
                wrong.push(*member);
            }
        }
    }
    counts.returned = returned.len() as i64;
    wrong.extend(&returned);
    if !wrong.is_empty() {
        tracing::info!(%shop, members = wrong.len(), "published accounts are not what the ledger says");
        sync::mark(tx, shop, &wrong, now).await?;
        // They are locked already, in the order in which everyone locks them.
        store::bring_back(tx, shop, &returned, now).await?;
    }
    Ok(counts)
}

impl Counts {
    /// Where this kind is counted.
    fn of(&mut self, drift: Drift) -> &mut i64 {
        match drift {
            Drift::Missing => &mut self.missing,
            Drift::Behind => &mut self.behind,
            Drift::Ahead => &mut self.ahead,
            Drift::Different => &mut self.different,
            Drift::Unreadable => &mut self.unreadable,
        }
    }
}
