//! What a shop sold before the app came has its name, too.

use devshop::NewProduct;
use jiff::SignedDuration;
use loyalnest::db;
use loyalnest::merchants::set_up_due;
use loyalnest::products;
use loyalnest::tasks::{self, Order};
use serde_json::json;

use super::Scene;
use crate::support::on_both_engines;

/// More than one run reads.
const MANY: usize = 1_010;

impl Scene {
    async fn titles(&self, ids: &[i64]) -> Vec<Option<String>> {
        let mut read = self.door.app.db.read(self.shop).await.unwrap();
        let mut titles = products::titles(&mut read, self.shop, ids).await.unwrap();
        ids.iter().map(|id| titles.remove(id)).collect()
    }

    async fn tasks_run(&self) {
        while self.door.app.tasks.run_due(&self.door.app).await.unwrap() > 0 {}
    }
}

#[test]
fn what_a_shop_sold_before_has_its_name_and_whatever_is_newer_stays() {
    on_both_engines(async |test| {
        let mut sold = Vec::new();
        let scene = Scene::of(test, |shop, _, _| {
            let new = |n| shop.add_product(NewProduct::simple(&format!("Tea {n}"), 500)).id as i64;
            sold = (0..MANY).map(new).collect();
        })
        .await;
        assert_eq!(scene.titles(&sold[..1]).await, [None], "nobody has told of it");
        // Two change before they are read: one is renamed, one is gone.
        let at = scene.door.now().to_string();
        let renamed = json!({"id": sold[3], "title": "Green Tea", "updated_at": at});
        scene.tell("renamed", "products/update", &renamed).await;
        scene.tell("deleted", "products/delete", &json!({"id": sold[4]})).await;
        assert_eq!(set_up_due(&scene.door.app).await.unwrap(), 1);
        scene.tasks_run().await;
        let titles = scene.titles(&sold).await;
        for (n, title) in titles.iter().enumerate() {
            let expected = if n == 3 { "Green Tea".to_owned() } else { format!("Tea {n}") };
            match n {
                4 => assert_eq!(*title, None, "it was gone"),
                _ => assert_eq!(title.as_ref(), Some(&expected)),
            }
        }
        let mut read = scene.door.app.db.read(scene.shop).await.unwrap();
        let one = products::find(&mut read, scene.shop, sold[0]).await.unwrap().unwrap();
        assert_eq!((one.handle.as_deref(), one.status.as_deref()), (Some("tea-0"), Some("active")));
        let gone = products::find(&mut read, scene.shop, sold[4]).await.unwrap().unwrap();
        assert!(gone.deleted_at.is_some());
        drop(read);

        // The webhook of a change that was read already is acted upon, late as it is.
        let listed =
            scene.door.shop.products().into_iter().find(|product| product.id as i64 == sold[6]).unwrap();
        let late = json!({"id": sold[6], "title": "Assam", "updated_at": listed.updated_at.to_string()});
        scene.tell("late", "products/update", &late).await;
        assert_eq!(scene.titles(&sold[6..7]).await, [Some("Assam".to_owned())]);

        // It comes back, and one was renamed meanwhile without a word.
        scene.door.advance(SignedDuration::from_mins(1));
        scene.gone_for(SignedDuration::from_hours(30)).await;
        scene.door.shop.update_product(sold[5] as u64, |product| product.title = "Oolong".into()).unwrap();
        scene.comes_back().await;
        assert_eq!(set_up_due(&scene.door.app).await.unwrap(), 1);
        scene.tasks_run().await;
        assert_eq!(scene.titles(&sold[5..6]).await, [Some("Oolong".to_owned())]);
    });
}

#[test]
fn a_list_that_does_not_end_is_given_up() {
    on_both_engines(async |test| {
        let scene = Scene::empty(test).await;
        let endless = products::ReadCatalogue { after: None, pages: 4_000 };
        let mut tx = scene.door.app.db.begin(scene.shop).await.unwrap();
        tasks::push(&mut tx, scene.shop, &endless, Order::new("endless"), scene.door.now()).await.unwrap();
        tx.commit().await.unwrap();
        scene.tasks_run().await;
        let mut read = scene.door.app.db.read_across().await.unwrap();
        let (state, reason): (String, Option<String>) =
            db!(read.one, "select state, reason from tasks where key = 'endless'").unwrap();
        assert_eq!((state.as_str(), reason.as_deref()), ("dead", Some("the list of products has no end")));
    });
}
