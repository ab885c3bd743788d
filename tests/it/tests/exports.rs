//! Everything that a shop has here, as files; on both engines.

use std::path::Path;

use loyalnest::db::Table;
use loyalnest::export::{self, Error, Manifest};
use serde_json::Value;

use crate::imports::Desk;
use crate::support::on_both_engines;
use crate::support::orders::Order;

impl Desk<'_> {
    async fn export(&self, name: &str) -> Result<Manifest, Error> {
        export::export(&self.app.app, &self.app.shop, &self.path(name)).await
    }

    /// The rows of a table's file.
    fn table(&self, export: &str, table: &str) -> Vec<Value> {
        let file = self.path(export).join("tables").join(table).with_extension("jsonl");
        std::fs::read_to_string(file)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

#[test]
fn members_who_are_exported_and_imported_elsewhere_have_the_same() {
    on_both_engines(async |test| {
        let here = Desk::open(test).await;
        here.bring(
            "customer_id,lots,tier,tier_since,birthday\n\
             101,30@2025-01-31>2027-01-31; 50@2025-06-01>never,gold,2025-02-01,1990-05-27\n\
             102,,,,\n103,7@2025-06-01,silver,,--02-29\n"
                .replace("102,,,,", "102,1,,,")
                .as_str(),
        )
        .await;
        let yesterday = || "2026-10-31T10:00:00Z".to_owned();
        let order = Order { placed_at: yesterday(), updated_at: yesterday(), ..Order::new(1, 102) };
        here.shop.take(vec![here.shop.order(&order)]).await;
        let manifest = here.export("everything").await.unwrap();
        assert_eq!(manifest.members, 3);
        let members = std::fs::read_to_string(here.path("everything").join("members.csv")).unwrap();
        // Another shop, in the same house.
        let there = here.neighbour().await;
        let report = there.bring(&members).await;
        assert_eq!((report.imported, report.points), (3, 80 + 101 + 7));
        for customer in [101, 102, 103] {
            assert_eq!(there.shop.points(customer).await, here.shop.points(customer).await, "{customer}");
            assert_eq!(there.lots(customer).await, here.lots(customer).await, "{customer}");
            assert_eq!(there.tier(customer).await, here.tier(customer).await, "{customer}");
        }
        there.export("again").await.unwrap();
        let mut again: Vec<_> = std::fs::read_to_string(there.path("again").join("members.csv"))
            .unwrap()
            .lines()
            .map(str::to_owned)
            .collect();
        let mut members: Vec<_> = members.lines().map(str::to_owned).collect();
        again.sort_unstable();
        members.sort_unstable();
        assert_eq!(again, members);
    });
}

#[test]
fn an_export_has_every_table_of_the_shop_and_nothing_of_another_or_sealed() {
    on_both_engines(async |test| {
        let here = Desk::open(test).await;
        here.bring("customer_id,points,tier\n101,500,gold\n").await;
        let there = here.neighbour().await;
        there.bring("customer_id,points\n777,90\n").await;
        let manifest = here.export("everything").await.unwrap();
        let written: Value =
            serde_json::from_slice(&std::fs::read(here.path("everything").join("manifest.json")).unwrap())
                .unwrap();
        assert_eq!(written, serde_json::to_value(&manifest).unwrap());
        for rows in &manifest.tables {
            assert_eq!(here.table("everything", rows.table).len() as u64, rows.rows, "{}", rows.table);
        }
        let left_out: Vec<_> = Table::all()
            .into_iter()
            .filter(|table| {
                table.is_a_shops() && !manifest.tables.iter().any(|rows| rows.table == table.name)
            })
            .map(|table| table.name.split('_').next().unwrap())
            .collect();
        assert!(
            left_out.iter().all(|room| ["inbox", "events", "tasks", "budgets", "bulk"].contains(room)),
            "{left_out:?}"
        );
        let entries = here.table("everything", "points_entries");
        assert_eq!((entries.len(), &entries[0]["kind"]), (1, &"import".into()));
        assert!(entries[0]["booked_at"].as_str().unwrap().starts_with("2026-11-01T12:00:00"));
        assert_eq!(here.table("everything", "customers_members")[0]["customer_id"], 101);
        assert_eq!(here.table("everything", "merchants_shops").len(), 1);
        assert_eq!(here.table("everything", "merchants_shops")[0].get("sealed_token"), None);
    });
}

#[test]
fn a_folder_that_is_in_use_is_left_alone() {
    on_both_engines(async |test| {
        let desk = Desk::open(test).await;
        std::fs::create_dir(desk.path("used")).unwrap();
        std::fs::write(desk.path("used").join("mine"), "mine").unwrap();
        assert!(matches!(desk.export("used").await, Err(Error::NotEmpty)));
        std::fs::create_dir(desk.path("empty")).unwrap();
        desk.export("empty").await.unwrap();
        assert!(matches!(desk.export("empty").await, Err(Error::NotEmpty)));
        assert!(Path::new(&desk.path("empty").join("manifest.json")).exists());
    });
}
