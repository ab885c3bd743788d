//! Where webhooks should have arrived.

use std::collections::HashSet;

use anyhow::{Result, ensure};
use loyalnest::app::App;
use loyalnest::config::Secret;
use loyalnest::db;
use loyalnest::shopify::ShopDomain;
use loyalnest::shopify::admin::ShopDetails;
use sqlx::postgres::PgPool;

/// Makes shops known to the backend and gives their domains. Nobody is asked anything, so their tokens open nothing.
///
/// # Errors
/// When the database refuses.
pub async fn add_shops(app: &App, count: usize) -> Result<Vec<String>> {
    let mut shops = Vec::with_capacity(count);
    for number in 1..=count {
        let domain: ShopDomain = format!("load-{number}.myshopify.com").parse()?;
        let details = ShopDetails {
            id: format!("gid://shopify/Shop/{number}"),
            name: format!("Load {number}"),
            domain: domain.to_string(),
            currency: "GBP".into(),
            time_zone: "Europe/London".into(),
        };
        let shop = app.shops.register(details, &domain, &Secret::new("none")).await?;
        let mut tx = app.db.begin(shop.id).await?;
        let program = loyalty::Program::standard(shop.currency);
        loyalnest::programs::set(&mut tx, shop.id, program, app.clock.now()).await?;
        tx.commit().await?;
        shops.push(domain.to_string());
    }
    Ok(shops)
}

/// The ids of all webhooks that the backend has, with their bodies.
///
/// # Errors
/// When the database fails.
pub async fn in_the_inbox(db: &db::Db) -> Result<Vec<String>> {
    let mut read = db.read_across().await?;
    let stored: Vec<(String,)> = db!(
        read.all,
        "select m.webhook_id from inbox_messages m
         join inbox_payloads p on p.shop_id = m.shop_id and p.message_id = m.message_id"
    )?;
    Ok(stored.into_iter().map(|(id,)| id).collect())
}

/// The ids of all webhooks that the Node stack has (`tests/node-stack`).
///
/// # Errors
/// When the database fails.
pub async fn in_the_node_stack(url: &str) -> Result<Vec<String>> {
    let pool = PgPool::connect(url).await?;
    let stored: Vec<(String,)> =
        sqlx::query_as("select webhook_id from webhooks where payload <> ''").fetch_all(&pool).await?;
    pool.close().await;
    Ok(stored.into_iter().map(|(id,)| id).collect())
}

/// Whether what was answered with 200 is stored, each once, and nothing else is.
///
/// # Errors
/// When it is not.
pub fn each_once(answered: &[String], stored: &[String]) -> Result<()> {
    let (wanted, found): (HashSet<_>, HashSet<_>) = (answered.iter().collect(), stored.iter().collect());
    ensure!(wanted.len() == answered.len(), "two webhooks had the same id");
    ensure!(found.len() == stored.len(), "{} webhooks are stored twice", stored.len() - found.len());
    let (lost, foreign) = (wanted.difference(&found).count(), found.difference(&wanted).count());
    ensure!(lost == 0, "{lost} webhooks were answered with 200 and are not stored");
    ensure!(foreign == 0, "{foreign} webhooks are stored that were not answered with 200");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lost_doubled_and_foreign_webhooks_are_found() {
        let ids = |all: &[&str]| all.iter().map(|&id| id.to_owned()).collect::<Vec<_>>();
        let verdict = |stored: &[&str]| each_once(&ids(&["a", "b"]), &ids(stored)).map_err(|e| e.to_string());
        assert_eq!(verdict(&["b", "a"]), Ok(()));
        assert!(verdict(&["a"]).unwrap_err().contains("not stored"));
        assert!(verdict(&["a", "b", "b"]).unwrap_err().contains("twice"));
        assert!(verdict(&["a", "b", "c"]).unwrap_err().contains("not answered"));
    }
}
