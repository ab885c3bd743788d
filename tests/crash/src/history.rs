//! What the history must say when everything has come to rest.

use std::time::Duration;

use anyhow::{Result, ensure};
use devshop::DevShop;
use loyalnest::app::App;
use loyalnest::ids::{CustomerId, ShopId};
use loyalnest::{customers, db, points, proof, redemptions, sync};
use loyalty::HoldId;
use serde_json::Value;

use crate::traffic::{Done, PICKED, is_discounted};

/// How long it may take until nothing is left to do.
const REST: Duration = Duration::from_secs(120);

/// Waits until every webhook is delivered and acted upon, every event told and every metafield written.
///
/// # Errors
/// When it does not come to that.
pub async fn rest(app: &App, shop: &DevShop) -> Result<()> {
    if let Err(left) = shop.webhooks().flush().await {
        anyhow::bail!("{} webhooks were given up", left.len());
    }
    let rest = async {
        loop {
            let waits = unsettled(app).await?
                + sync::backlog(&mut app.db.read_across().await?).await?.members
                + untold(app).await?;
            if waits == 0 {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(REST, rest).await?
}

async fn unsettled(app: &App) -> Result<i64> {
    let mut read = app.db.read_across().await?;
    let (count,): (i64,) =
        db!(read.one, "select count(*) from inbox_messages where state not in ('done', 'dead')")?;
    Ok(count)
}

async fn untold(app: &App) -> Result<i64> {
    let mut read = app.db.read_across().await?;
    let (count,): (i64,) = db!(
        read.one,
        "select count(*) from events_outbox
         where position is null or position > (select min(position) from events_cursors)"
    )?;
    Ok(count)
}

/// What is wrong with the history, in sentences; nothing, if all is well.
///
/// # Errors
/// When the database cannot be read.
pub async fn losses(app: &App, id: ShopId, shop: &DevShop, done: &Done) -> Result<Vec<String>> {
    let mut losses = Vec::new();
    let mut read = app.db.read(id).await?;
    let mut broken = proof::violations(&mut read, id).await?;
    broken.retain(|(_, count)| *count > 0);
    losses.extend(broken.iter().map(|(name, count)| format!("{name} does not hold in {count} places")));
    let dead = app.inbox.dead(id).await?;
    if dead > 0 {
        losses.push(format!("{dead} webhooks could not be acted upon"));
    }

    let ids: Vec<CustomerId> = shop.customers().iter().map(|one| CustomerId(one.id as i64)).collect();
    let members = customers::members(&mut read, id, &ids).await?;
    for customer in ids {
        let expected = expected(shop, customer.0 as u64);
        let Some(member) = members.get(&customer) else {
            if expected != 0 {
                losses.push(format!("{customer:?} is no member"));
            }
            continue;
        };
        let balance = points::balance(&mut read, id, *member, app.clock.now()).await?;
        let has = balance.available.get() + balance.held.get();
        if has != expected || balance.pending.get() != 0 || balance.available.get() < 0 {
            losses.push(format!("{customer:?} should have {expected}, and has {balance:?}"));
        }
        let metafield = shop.metafield(&format!("gid://shopify/Customer/{}", customer.0), "$app", "account");
        let shown = metafield.map_or(Ok(Value::Null), |text| serde_json::from_str(&text.value))?;
        if shown["points"] != balance.available.get() || shown["seq"] != balance.seq {
            losses.push(format!("{customer:?} is shown {shown}, and has {balance:?}"));
        }
    }
    for (pick, customer) in &done.picks {
        let member = members.get(&CustomerId(*customer as i64));
        let hold = HoldId::parse(pick).zip(member.copied());
        let found = match hold {
            Some((hold, member)) => redemptions::lifecycle::get(&mut read, id, member, hold).await?.is_some(),
            None => false,
        };
        if !found {
            losses.push(format!("the pick {pick} was answered, and is not there"));
        }
    }
    ensure!(!done.picks.is_empty() && done.discounted > 0, "nobody used points: this proves nothing");
    Ok(losses)
}

/// What a customer should have: a point for each pound that was paid and kept, less what was spent on orders that stand.
/// Said by the shop's own orders, without a line of the backend's arithmetic.
fn expected(shop: &DevShop, customer: u64) -> i64 {
    let orders = shop.orders();
    let own = orders.iter().filter(|order| {
        order.customer.as_ref().is_some_and(|own| own.id == customer) && order.cancelled_at.is_none()
    });
    own.map(|order| {
        let kept: i64 = order.lines.iter().map(|line| line.kept().shop).sum();
        kept / 100 - if is_discounted(order) { PICKED } else { 0 }
    })
    .sum()
}
