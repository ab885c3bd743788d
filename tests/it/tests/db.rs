//! The two engines behave as one.

use jiff::SignedDuration;
use loyalnest::db;
use loyalnest::db::{Db, Engine, Error, OnConstraint, Timestamp, prepare_all};
use uuid::Uuid;

use crate::support::{on_both_engines, on_engine};

#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
struct Shop {
    shop_id: Uuid,
    domain: String,
    sealed_token: Option<Vec<u8>>,
    installed_at: Timestamp,
    uninstalled_at: Option<Timestamp>,
}

fn shop(number: u32) -> Shop {
    let installed_at = "2026-11-01T12:00:00.123456Z".parse::<Timestamp>().unwrap();
    Shop {
        shop_id: Uuid::from_u128(number.into()),
        domain: format!("shop-{number}.myshopify.com"),
        sealed_token: number.is_multiple_of(2).then(|| vec![0, 255, 7]),
        installed_at: installed_at + SignedDuration::from_micros(number.into()),
        uninstalled_at: number.is_multiple_of(3).then_some(installed_at),
    }
}

async fn insert(db: &Db, shops: &[Shop]) -> Result<u64, Error> {
    let mut tx = db.begin_outside().await?;
    let written = db!(tx.each shops,
        sqlite: "insert into merchants_shops (shop_id, domain, name, currency, time_zone, sealed_token, installed_at,
                                    uninstalled_at, updated_at)
                 values ($1, $2, 'n', 'GBP', 'UTC', $3, $4, $5, $4)",
        postgres: "insert into merchants_shops (shop_id, domain, name, currency, time_zone, sealed_token, installed_at,
                                      uninstalled_at, updated_at)
                   select shop_id, domain, 'n', 'GBP', 'UTC', token, installed, uninstalled, installed
                   from unnest($1::uuid[], $2::text[], $3::bytea[], $4::timestamptz[], $5::timestamptz[])
                     as v (shop_id, domain, token, installed, uninstalled)",
        |shop| shop.shop_id, shop.domain.as_str(), shop.sealed_token.as_deref(), shop.installed_at,
               shop.uninstalled_at)?;
    tx.commit().await?;
    Ok(written)
}

async fn shops(db: &Db) -> Vec<Shop> {
    let mut read = db.read_across().await.unwrap();
    db!(
        read.all,
        "select shop_id, domain, sealed_token, installed_at, uninstalled_at from merchants_shops order by shop_id"
    )
    .unwrap()
}

#[test]
fn every_statement_in_the_program_is_understood() {
    on_both_engines(async |test| {
        let failures = prepare_all(&test.db).await.unwrap();
        let failures: Vec<_> = failures.iter().map(ToString::to_string).collect();
        assert!(failures.is_empty(), "{}", failures.join("\n"));
    });
}

#[test]
fn many_rows_keep_every_value() {
    on_both_engines(async |test| {
        // 64 + 64 + 16 + 4 + 1 + 1 rows on SQLite, one statement on PostgreSQL
        let written: Vec<_> = (1..=150).map(shop).collect();
        assert_eq!(insert(&test.db, &written).await.unwrap(), 150);
        assert_eq!(shops(&test.db).await, written);
        assert_eq!(insert(&test.db, &[]).await.unwrap(), 0);

        let wanted = ["shop-7.myshopify.com", "shop-149.myshopify.com", "nobody.myshopify.com"];
        let mut read = test.db.read_across().await.unwrap();
        let mut found: Vec<Shop> = db!(read.all each wanted,
            sqlite: "with v (domain) as (values ($1))
                     select shop_id, domain, sealed_token, installed_at, uninstalled_at
                     from merchants_shops join v using (domain)",
            postgres: "with v (domain) as (select * from unnest($1::text[]))
                       select shop_id, domain, sealed_token, installed_at, uninstalled_at
                       from merchants_shops join v using (domain)",
            |domain| *domain)
        .unwrap();
        found.sort_by_key(|shop| shop.shop_id);
        assert_eq!(found, [shop(7), shop(149)]);
    });
}

#[test]
fn constraints_have_one_name() {
    on_both_engines(async |test| {
        let first = shop(1);
        insert(&test.db, std::slice::from_ref(&first)).await.unwrap();

        let same_id = Shop { domain: "other.myshopify.com".into(), ..first.clone() };
        let error = insert(&test.db, &[same_id]).await.unwrap_err();
        assert_eq!(error.unique_violation(), Some("merchants_shops_pkey"));

        let same_domain = Shop { shop_id: Uuid::from_u128(2), ..first };
        let error = insert(&test.db, std::slice::from_ref(&same_domain)).await.unwrap_err();
        assert_eq!(error.unique_violation(), Some("merchants_shops_domain_key"));

        let translated: Result<u64, Error> = insert(&test.db, &[same_domain])
            .await
            .on_constraint("merchants_shops_domain_key", || Error::NoRow);
        assert!(matches!(translated, Err(Error::NoRow)));
    });
}

#[test]
fn what_is_not_committed_never_happened() {
    on_both_engines(async |test| {
        let mut tx = test.db.begin_outside().await.unwrap();
        let deleted = db!(tx.execute, "delete from merchants_shops").unwrap();
        assert_eq!(deleted, 0);
        let name = "n".to_owned();
        db!(
            tx.execute,
            "insert into merchants_shops (shop_id, domain, name, currency, time_zone, installed_at, updated_at)
             values ($1, $2, $3, 'GBP', 'UTC', $4, $4)",
            Uuid::from_u128(1),
            "a.myshopify.com",
            name,
            Timestamp::UNIX_EPOCH
        )
        .unwrap();
        let missing: Result<(String,), _> =
            db!(tx.one, "select domain from merchants_shops where name = $1", "other");
        assert!(matches!(missing, Err(Error::NoRow)));
        let seen: Option<(String,)> =
            db!(tx.optional, "select domain from merchants_shops where name = $1", name).unwrap();
        assert_eq!(seen.unwrap().0, "a.myshopify.com");
        drop(tx);
        assert_eq!(shops(&test.db).await, []);
    });
}

#[test]
fn a_reader_cannot_write_and_does_not_wait_for_the_writer() {
    on_both_engines(async |test| {
        insert(&test.db, &[shop(1)]).await.unwrap();
        let mut tx = test.db.begin_outside().await.unwrap();
        db!(tx.execute, "update merchants_shops set name = 'renamed'").unwrap();

        let mut read = test.db.read_across().await.unwrap();
        let (name,): (String,) = db!(read.one, "select name from merchants_shops").unwrap();
        assert_eq!(name, "n");
        let refused: Result<(String,), _> =
            db!(read.one, "update merchants_shops set name = 'x' returning name");
        assert!(refused.is_err());
        tx.commit().await.unwrap();
    });
}

#[test]
fn a_database_knows_whether_it_is_migrated() {
    on_both_engines(async |test| {
        assert!(test.db.is_migrated().await.unwrap());
        test.db.migrate().await.unwrap();
        let Db::Sqlite { writer, .. } = &test.db else { return };
        sqlx::query("delete from _sqlx_migrations").execute(writer).await.unwrap();
        assert!(!test.db.is_migrated().await.unwrap());
        sqlx::query("drop table _sqlx_migrations").execute(writer).await.unwrap();
        assert!(!test.db.is_migrated().await.unwrap());
    });
}

#[test]
fn every_sqlite_connection_is_durable_and_checks_foreign_keys() {
    on_engine(Engine::Sqlite, async |test| {
        let Db::Sqlite { writer, readers } = &test.db else { unreachable!() };
        let mut held = vec![writer.acquire().await.unwrap()];
        for _ in 0..readers.options().get_max_connections() {
            held.push(readers.acquire().await.unwrap());
        }
        for connection in &mut held {
            let (synchronous,): (i64,) =
                sqlx::query_as("pragma synchronous").fetch_one(&mut **connection).await.unwrap();
            let (foreign_keys,): (i64,) =
                sqlx::query_as("pragma foreign_keys").fetch_one(&mut **connection).await.unwrap();
            let (journal,): (String,) =
                sqlx::query_as("pragma journal_mode").fetch_one(&mut **connection).await.unwrap();
            assert_eq!((synchronous, foreign_keys, journal.as_str()), (2, 1, "wal"));
        }
    });
}
