//! Orders that a merchant brings by a file of CSV.

use devshop::PlaceOptions;
use loyalnest::audit::{Actor, By};
use loyalnest::imports::orders::{Report, Request, import};
use loyalnest::imports::{self, Error, Progress};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Scene, place};
use crate::support::on_both_engines;
use crate::support::till::{ADA, BOB};

/// A scene with a folder for files.
struct Desk {
    scene: Scene,
    folder: TempDir,
}

impl Desk {
    fn at(scene: Scene) -> Desk {
        Desk { scene, folder: tempfile::tempdir().unwrap() }
    }

    fn file(&self, contents: &str) -> Request {
        let file = self.folder.path().join("orders.csv");
        std::fs::write(&file, contents).unwrap();
        Request { file, columns: Vec::new(), dates: None, errors: self.folder.path().join("errors.csv") }
    }

    async fn run(&self, request: &Request, resume: bool, dry: bool) -> Result<Report, Error> {
        let (app, shop) = (&self.scene.door.app, self.scene.shop);
        import(app, shop, request, (resume, dry), &By::from(Actor::Cli), Progress::hidden()).await
    }

    async fn import(&self, contents: &str) -> Report {
        self.run(&self.file(contents), false, false).await.unwrap()
    }

    /// Row, column and code of each that was refused.
    fn refused(&self) -> Vec<(i64, String, String)> {
        let file = std::fs::read_to_string(self.folder.path().join("errors.csv")).unwrap();
        let rows = file.lines().skip(1).map(|row| {
            let [row, column, code] = [0, 1, 2].map(|at| row.split(',').nth(at).unwrap());
            (row.parse().unwrap(), column.to_owned(), code.to_owned())
        });
        rows.collect()
    }
}

fn since(at: &str, orders: i64, spent: i64) -> super::Bought {
    (Some(format!("{at}T00:00:00Z")), orders, spent)
}

#[test]
fn orders_of_a_file_are_history_and_what_shopify_tells_of_them_is_newer() {
    on_both_engines(async |test| {
        let desk = Desk::at(Scene::empty(test).await);
        let file = format!(
            "Id,Name,Customer ID,Created at,Total,Refunded Amount,Currency,Cancelled at\n\
             1,#1,{ADA},2024-05-01T00:00:00Z,30.00,10.00,GBP,\n\
             ,#1,,,,,,\n\
             2,#2,{ADA},2024-06-01T00:00:00Z,5.00,0.00,GBP,\n\
             3,#3,{BOB},2024-06-01T00:00:00Z,5.00,5.00,GBP,\n\
             4,#4,{BOB},2024-06-02T00:00:00Z,7.00,0.00,GBP,2024-06-03\n\
             ,W-1,{BOB},2024-06-04T00:00:00Z,9.00,,,\n"
        );
        let said = desk.run(&desk.file(&file), false, true).await.unwrap();
        assert_eq!((said.batch, said.imported, said.new_members, said.refused), (None, 5, 2, 0));
        assert_eq!(desk.scene.bought(ADA).await, (None, 0, 0), "nothing was done");
        let report = desk.import(&file).await;
        assert_eq!((report.imported, report.new_members, report.refused), (5, 2, 0));
        assert_eq!(report.unread, Vec::<String>::new());
        assert_eq!(desk.scene.bought(ADA).await, since("2024-06-01", 2, 2_500));
        assert_eq!(desk.scene.bought(BOB).await, since("2024-06-04", 1, 900));
        assert_eq!(desk.scene.entries().await, 0, "history earns nothing");
        desk.scene.is_sound().await;
        assert!(matches!(desk.run(&desk.file(&file), false, false).await, Err(Error::Known(_))));

        // Shopify tells of one of them, and of another that the file had not.
        let scene = &desk.scene;
        let placed_at = json!("2024-06-01T00:00:00Z");
        scene.say(&[
            scene.line(2, ADA, &[("processedAt", placed_at.clone()), ("updatedAt", placed_at)]),
            scene.line(5, ADA, &[]),
        ]);
        scene.read().await;
        let all = (Some("2025-05-01T10:00:00Z".to_owned()), 3, 2_000 + 1_000 + 1_000);
        assert_eq!(scene.bought(ADA).await, all);
        // A file that comes after it says nothing new of them.
        let again = desk
            .import(&format!("order_id,customer_id,placed_at,total\n2,{ADA},2024-06-01T00:00:00Z,5.00\n"))
            .await;
        assert_eq!((again.imported, again.refused), (0, 1));
        assert_eq!(scene.bought(ADA).await, all);

        // Taken back is what is still as the file told it.
        let by = By::from(Actor::Cli);
        let batch = report.batch.unwrap();
        imports::revert(&scene.door.app, scene.shop, batch, &by).await.unwrap();
        assert_eq!(scene.bought(ADA).await.1, 2);
        assert_eq!(scene.bought(BOB).await, (None, 0, 0));
        let twice = imports::revert(&scene.door.app, scene.shop, batch, &by).await;
        assert!(matches!(twice, Err(Error::NotThere(_))));
        scene.is_sound().await;
    });
}

#[test]
fn rows_that_cannot_be_taken_are_refused_with_their_reason() {
    on_both_engines(async |test| {
        let desk = Desk::at(Scene::empty(test).await);
        let scene = &desk.scene;
        let bob = scene.door.shop.add_customer("Bob", "B", "bob@example.com").id;
        let booked = place(&scene.door.shop, bob, &[(scene.mug, 1)], PlaceOptions::default());
        let payload: Value = scene.door.shop.order_payload(&booked);
        let at = scene.door.now();
        assert!(scene.door.webhook("booked", "orders/create", at, &payload).await.is_success());
        let deleted = json!({"id": 55, "state": "enabled", "updated_at": at});
        assert!(scene.door.webhook("made", "customers/create", at, &deleted).await.is_success());
        assert!(scene.door.webhook("gone", "customers/delete", at, &json!({"id": 55})).await.is_success());
        let report = desk
            .import(&format!(
                "order_id,customer_id,email,placed_at,total,currency\n\
                 1,{ADA},,2024-05-01T00:00:00Z,30.00,GBP\n\
                 1,{ADA},,2024-05-01T00:00:00Z,30.00,GBP\n\
                 2,,ada@example.com,2024-05-01T00:00:00Z,30.00,GBP\n\
                 3,55,,2024-05-01T00:00:00Z,30.00,GBP\n\
                 {booked},{bob},,2024-05-01T00:00:00Z,30.00,GBP\n\
                 4,{ADA},,2024-05-01T00:00:00Z,30.00,EUR\n\
                 5,{ADA},,2027-05-01,30.00,GBP\n\
                 6,{ADA},,03/04/2024,30.00,GBP\n\
                 7,{ADA},,2024-05-01T00:00:00Z,thirty,GBP\n\
                 8,,,2024-05-01T00:00:00Z,30.00,GBP\n\
                 9,{ADA}\n",
                booked = booked.id
            ))
            .await;
        assert_eq!((report.imported, report.refused), (1, 10));
        let refused = desk.refused();
        let refused: Vec<(i64, &str, &str)> =
            refused.iter().map(|(row, column, code)| (*row, column.as_str(), code.as_str())).collect();
        assert_eq!(
            refused,
            [
                (3, "order_id", "known_order"),
                (4, "email", "emails_not_kept"),
                (5, "customer_id", "deleted"),
                (6, "order_id", "known_order"),
                (7, "currency", "other_currency"),
                (8, "placed_at", "future"),
                (9, "placed_at", "ambiguous_date"),
                (10, "total", "bad_amount"),
                (11, "customer_id", "no_customer"),
                (12, "order_id", "columns"),
            ]
        );
        assert_eq!(scene.bought(ADA).await, since("2024-05-01", 1, 3_000));
        assert_eq!(scene.bought(bob as i64).await.1, 1);
        scene.is_sound().await;
    });
}

#[test]
fn a_run_that_broke_goes_on_and_two_at_once_do_nothing_twice() {
    on_both_engines(async |test| {
        let desk = Desk::at(Scene::empty(test).await);
        let mut file = "order_id,customer_id,placed_at,total\n".to_owned();
        for order in 1..=4_500 {
            let total = if order == 3_000 { "ten" } else { "1.00" };
            file += &format!("{order},{},2024-05-01T00:00:00Z,{total}\n", 1 + order % 600);
        }
        // Nobody can write the refused row down where there is no folder.
        let folder = desk.folder.path().join("later");
        let request = Request { errors: folder.join("errors.csv"), ..desk.file(&file) };
        assert!(desk.run(&request, false, false).await.is_err());
        assert!(matches!(desk.run(&request, false, false).await, Err(Error::Begun(_))));
        std::fs::create_dir(&folder).unwrap();
        let (one, other) = tokio::join!(desk.run(&request, true, false), desk.run(&request, true, false));
        let done = one.as_ref().or(other.as_ref()).unwrap();
        assert!(one.is_err() || other.is_err(), "{one:?} {other:?}");
        assert_eq!((done.imported, done.refused, done.new_members), (4_499, 1, 600));
        let mut read = test.db.read(desk.scene.shop).await.unwrap();
        let (orders, spent): (i64, i64) = loyalnest::db!(
            read.one,
            "select cast(sum(orders) as bigint), cast(sum(spent) as bigint) from rfm_members where shop_id = $1",
            desk.scene.shop
        )
        .unwrap();
        assert_eq!((orders, spent), (4_499, 449_900));
        drop(read);
        desk.scene.is_sound().await;
    });
}
