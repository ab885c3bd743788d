//! Members as an import reads them.

use std::io::Write;

use uuid::Uuid;

use super::{Error, Field};
use crate::db::{Read, Timestamp};
use crate::ids::{MemberId, ShopId};
use crate::points::OpenLot;
use crate::{campaigns, customers, points};

/// Members that are read at once.
const TOGETHER: i64 = 2_000;

/// Writes a shop's members down, and says how many: who they are, what they have to spend with its dates, their tiers, their birthdays. What a
/// member owes is a number below zero, which an import refuses. Points that wait or are held are not among it.
///
/// # Errors
/// When it cannot be written, or any error of the database.
pub async fn write_members(
    read: &mut Read,
    shop: ShopId,
    to: impl Write,
    now: Timestamp,
) -> Result<u64, Error> {
    let mut file = csv::Writer::from_writer(to);
    let fields =
        [Field::Customer, Field::Points, Field::Lots, Field::Tier, Field::TierSince, Field::Birthday];
    file.write_record(fields.map(Field::name))?;
    let (mut after, mut written) = (MemberId(Uuid::nil()), 0);
    loop {
        let members = customers::after(read, shop, after, TOGETHER).await?;
        let Some((last, _)) = members.last() else { break };
        after = *last;
        let ids: Vec<MemberId> = members.iter().map(|(member, _)| *member).collect();
        let balances = points::balances(read, shop, &ids, now).await?;
        let lots = points::open_lots(read, shop, &ids, now).await?;
        let tiers = campaigns::tiers_since(read, shop, &ids).await?;
        let birthdays = customers::birthdays::of_all(read, shop, &ids).await?;
        for (member, customer) in members {
            let points = balances.get(&member).map_or(0, |balance| balance.available.get());
            let lots: Vec<String> = lots.get(&member).into_iter().flatten().map(lot).collect();
            let (tier, since) = match tiers.get(&member) {
                Some((tier, since)) => (tier.as_str(), since.to_string()),
                None => ("", String::new()),
            };
            let (customer, points, lots) = (customer.to_string(), points.to_string(), lots.join("; "));
            let birthday =
                birthdays.get(&member).map_or_else(String::new, |birthday| format!("--{birthday}"));
            file.write_record([customer.as_str(), &points, &lots, tier, &since, &birthday])?;
            written += 1;
        }
    }
    file.flush()?;
    Ok(written)
}

fn lot(lot: &OpenLot) -> String {
    let until = lot.expires_at.map_or_else(|| "never".to_owned(), |at| at.to_string());
    format!("{}@{}>{until}", lot.points, lot.earned_at)
}
