//! What the backend has read of the files of customers and orders, by its own word; what stands in them the model takes from
//! the shop.

use anyhow::{Context, Result, bail};
use loyalnest::db::Db;
use serde_json::Value;

use super::{Shop, Trouble, World};
use crate::model::told;

/// How far the files were read, in bytes.
const READ: &str = "select operation_id, purpose, position from bulk_runs
    where shop_id = $1 and operation_id is not null and purpose like 'history.%' order by run_id";

/// Who is a member, and when one became one or signed up last.
const MEMBERS: &str = "select customer_id, max(max(enrolled_at, coalesce(signed_up_at, 0))) over ()
    from customers_members where shop_id = $1 and customer_id is not null and merged_into is null";

impl World {
    /// Tells the models what the backend has read since. Nothing else that was done meanwhile makes members.
    pub fn hear_of_files(&mut self) -> Result<(), Trouble> {
        let Db::Sqlite { readers, .. } = self.process.app.db.clone() else {
            return Err(anyhow::anyhow!("not on SQLite").into());
        };
        for shop in &mut self.shops {
            let read: Vec<(String, String, i64)> = self
                .process
                .finish(async { Ok(sqlx::query_as(READ).bind(shop.id.0).fetch_all(&readers).await?) })?;
            for (operation, purpose, position) in read {
                let lines = shop.read_since(&operation, usize::try_from(position).context("a position")?)?;
                if lines.is_empty() {
                    continue;
                }
                let members: Vec<(i64, i64)> = self.process.finish(async {
                    Ok(sqlx::query_as(MEMBERS).bind(shop.id.0).fetch_all(&readers).await?)
                })?;
                let last = members.first().map_or(0, |(_, at)| *at);
                // If nobody came by it, it does not matter when that was.
                let read_at = last.max(shop.heard_at).min(shop.model.now);
                let members: Vec<u64> = members.iter().map(|(number, _)| number.cast_unsigned()).collect();
                match purpose.as_str() {
                    "history.customers" => shop.hear_of_customers(&lines, read_at),
                    _ => shop.hear_of_orders(&lines, &members),
                }
            }
        }
        Ok(())
    }
}

impl Shop {
    /// The lines of a file up to there that the model has not heard of.
    fn read_since(&mut self, operation: &str, position: usize) -> Result<Vec<Value>> {
        let number = operation.rsplit('/').next().and_then(|number| number.parse().ok());
        let file = number.and_then(|number| self.local.bulk_file(number)).context("a file")?;
        let heard = self.files.entry(operation.to_owned()).or_default();
        let Some(lines) = file.get(*heard..position.max(*heard)) else {
            bail!("a file was read to byte {position} of {}", file.len());
        };
        *heard += lines.len();
        lines.lines().map(|line| serde_json::from_str(line).context("a line")).collect()
    }

    fn hear_of_customers(&mut self, lines: &[Value], read_at: i64) {
        let mut signed_up = Vec::new();
        self.model.as_of(read_at, |model| {
            for line in lines {
                let state = line["state"].as_str().unwrap_or_default().to_lowercase();
                let customer = number(&line["id"]);
                if model.told_by_a_file(customer, &state, told::time(&line["updatedAt"])) {
                    signed_up.push(customer);
                }
            }
            model.signed_up(&signed_up);
        });
    }

    /// Whether somebody is a member by an order depends on whether nothing may lead from it to them: the backend's word.
    fn hear_of_orders(&mut self, lines: &[Value], members: &[u64]) {
        for line in lines {
            let customer = number(&line["customer"]["id"]);
            if members.contains(&customer) {
                self.model.told_by_a_file_whose(number(&line["id"]), customer);
            }
        }
    }
}

fn number(id: &Value) -> u64 {
    let id = id.as_str().unwrap_or_default();
    id.rsplit('/').next().and_then(|number| number.parse().ok()).unwrap_or(0)
}
