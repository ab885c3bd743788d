//! Files of members: whatever is in one is booked or refused row by row, and can be taken back.

use std::cell::RefCell;

use loyalnest::audit::{Actor, By};
use loyalnest::imports::{self, Progress, Request, Template};

use crate::house::House;

/// The first byte says from which programme the file is said to come, the rest is the file.
pub fn members_csv(data: &[u8]) {
    thread_local!(static HOUSE: RefCell<House> = RefCell::new(House::open()));
    let Some((template, contents)) = data.split_first() else { return };
    let templates = [Template::Own, Template::Smile, Template::Loyaltylion, Template::Yotpo, Template::Rivo];
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("members.csv");
    std::fs::write(&file, contents).unwrap();
    let request = Request {
        file,
        template: templates[usize::from(*template) % templates.len()],
        columns: Vec::new(),
        dates: None,
        errors: folder.path().join("errors.csv"),
    };
    HOUSE.with_borrow_mut(|house| {
        let house = house.next();
        let (app, shop, by) = (&house.app, house.shop, By::from(Actor::Cli));
        // A file that was imported before is refused, which is right, too.
        let imported = house.run(imports::import(app, shop, &request, false, &by, Progress::hidden()));
        if let Ok(report) = imported {
            let batch = report.batch.expect("an import is known by its batch");
            if contents.len() % 2 == 0 {
                house.run(imports::revert(app, shop, batch, &by)).unwrap();
            }
        }
        if house.is_time_to_count() {
            house.assert_whole();
        }
    });
}
