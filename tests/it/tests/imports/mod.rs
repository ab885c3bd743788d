//! Members whom a shop brings along from another programme, on both engines.

mod reverted;

use std::path::PathBuf;

use jiff::SignedDuration;
use loyalnest::audit::{Actor, By};
use loyalnest::config::Secret;
use loyalnest::customers::birthdays;
use loyalnest::db;
use loyalnest::db::{Db, Timestamp};
use loyalnest::ids::CustomerId;
use loyalnest::imports::{self, Error, Fault, Order, Progress, Report, Request, State, Template};
use loyalnest::shopify::ShopDomain;
use loyalnest::shopify::admin::ShopDetails;
use loyalnest::{campaigns, customers};
use loyalty::multiplier::Factor;
use loyalty::tier::Tier;

use crate::support::app::TestApp;
use crate::support::till::Shop;
use crate::support::{TestDb, on_both_engines};

/// A shop with a tier, and a folder for its files.
pub struct Desk<'a> {
    pub app: TestApp,
    pub shop: Shop<'a>,
    folder: tempfile::TempDir,
}

impl<'a> Desk<'a> {
    pub async fn open(test: &'a TestDb) -> Desk<'a> {
        Desk::of(TestApp::new(&test.db).await, &test.db).await
    }

    /// Another shop in the same house.
    pub async fn neighbour(&self) -> Desk<'a> {
        let domain: ShopDomain = "coffee.myshopify.com".parse().unwrap();
        let details = ShopDetails {
            id: "gid://shopify/Shop/2".into(),
            name: "Coffee".into(),
            domain: domain.to_string(),
            currency: "GBP".into(),
            time_zone: "Europe/London".into(),
        };
        let app = self.app.app.clone();
        let shop = app.shops.register(details, &domain, &Secret::new("shpat_2")).await.unwrap();
        Desk::of(TestApp { app, shop, recorder: self.app.recorder.clone() }, self.shop.db).await
    }

    async fn of(app: TestApp, db: &'a Db) -> Desk<'a> {
        let shop = Shop { db, id: app.shop.id, now: app.now() };
        shop.set_program(|program| {
            program.tiers = ["silver", "gold"]
                .map(|id| Tier {
                    id: id.into(),
                    name: id.to_uppercase(),
                    threshold: None,
                    earn_factor: Factor::ONE,
                    perks: Vec::new(),
                })
                .into();
        })
        .await;
        Desk { app, shop, folder: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A request for a file of these contents; refused rows go to `errors.csv`.
    pub fn file(&self, contents: impl AsRef<[u8]>) -> Request {
        let file = self.path("members.csv");
        std::fs::write(&file, contents).unwrap();
        let (template, columns) = (Template::Own, Vec::new());
        Request { file, template, columns, dates: None, errors: self.path("errors.csv") }
    }

    pub async fn import(&self, request: &Request, resume: bool) -> Result<Report, Error> {
        let by = By::from(Actor::Cli);
        imports::import(&self.app.app, self.shop.id, request, resume, &by, Progress::hidden()).await
    }

    pub async fn check(&self, request: &Request) -> Result<Report, Error> {
        imports::check(&self.app.app, self.shop.id, request, Progress::hidden()).await
    }

    /// Imports a file of which no row is refused.
    pub async fn bring(&self, contents: &str) -> Report {
        let report = self.import(&self.file(contents), false).await.unwrap();
        assert_eq!(report.refused, 0, "{:?}", report.faults);
        report
    }

    /// The refused rows: number, column, code, and what the row was.
    fn refused(&self) -> Vec<(i64, String, String, Vec<String>)> {
        let Ok(mut reader) = csv_of(&self.path("errors.csv")) else { return Vec::new() };
        let rows = reader.drain(1..).map(|row| {
            assert!(!row[3].is_empty(), "in words, too");
            (row[0].parse().unwrap(), row[1].clone(), row[2].clone(), row[4..].to_vec())
        });
        rows.collect()
    }

    async fn count(&self, table: &'static str) -> i64 {
        let mut read = self.shop.db.read(self.shop.id).await.unwrap();
        let (count,): (i64,) = match table {
            "members" => {
                db!(read.one, "select count(*) from customers_members where shop_id = $1", self.shop.id)
            }
            "entries" => {
                db!(read.one, "select count(*) from points_entries where shop_id = $1", self.shop.id)
            }
            "batches" => {
                db!(read.one, "select count(*) from imports_batches where shop_id = $1", self.shop.id)
            }
            "rows" => db!(read.one, "select count(*) from imports_rows where shop_id = $1", self.shop.id),
            "marks" => db!(read.one, "select count(*) from sync_accounts where shop_id = $1", self.shop.id),
            "audit" => db!(read.one, "select count(*) from audit_entries where shop_id = $1", self.shop.id),
            _ => unreachable!("{table}"),
        }
        .unwrap();
        count
    }

    /// Original and remaining points of a customer's lots, when they were earned and until when they live.
    pub async fn lots(&self, customer: i64) -> Vec<(i64, i64, Timestamp, Option<Timestamp>)> {
        let member = self.shop.member(customer).await;
        let mut read = self.shop.db.read(self.shop.id).await.unwrap();
        db!(
            read.all,
            "select original, remaining, earned_at, expires_at from points_lots
             where shop_id = $1 and member_id = $2 order by earned_at, original",
            self.shop.id,
            member
        )
        .unwrap()
    }

    pub async fn tier(&self, customer: i64) -> Option<String> {
        let member = self.shop.member(customer).await;
        campaigns::tier_of(&mut self.shop.db.read(self.shop.id).await.unwrap(), self.shop.id, member)
            .await
            .unwrap()
    }

    /// The payloads of events of a kind.
    pub async fn told(&self, kind: &str) -> Vec<serde_json::Value> {
        let mut read = self.shop.db.read_across().await.unwrap();
        let told: Vec<(sqlx::types::Json<serde_json::Value>,)> = db!(
            read.all,
            "select payload from events_outbox where shop_id = $1 and kind = $2 order by written",
            self.shop.id,
            kind
        )
        .unwrap();
        told.into_iter().map(|(payload,)| payload.0).collect()
    }
}

/// The fields of a file of CSV.
fn csv_of(path: &std::path::Path) -> std::io::Result<Vec<Vec<String>>> {
    let text = std::fs::read_to_string(path)?;
    // The tests' values hold neither commas nor quotation marks, but for the sentences.
    let fields = |line: &str| {
        let (mut fields, mut is_quoted) = (vec![String::new()], false);
        for c in line.chars() {
            match c {
                '"' => is_quoted = !is_quoted,
                ',' if !is_quoted => fields.push(String::new()),
                c => fields.last_mut().unwrap().push(c),
            }
        }
        fields
    };
    Ok(text.lines().map(fields).collect())
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn members_come_along_with_their_points_dates_and_tiers() {
    on_both_engines(async |test| {
        let desk = Desk::open(test).await;
        let report = desk
            .bring(
                "customer_id,points,earned_at,expires_at,lots,tier,tier_since,referral_code,birthday,name\n\
                 101,500,2025-01-31,2027-01-31,,gold,2025-02-01,ADA7,1990-05-27,Ada\n\
                 102,90,,,40@2025-02-01>2027-02-01; 50@2025-03-01>never,,,,,Bob\n\
                 gid://shopify/Customer/103,0,,,,Silver,,,--02-29,Eve\n",
            )
            .await;
        assert_eq!((report.imported, report.new_members, report.points, report.before), (3, 3, 590, 0));
        assert_eq!(report.unread, ["name"]);
        assert_eq!(desk.shop.points(101).await, (500, 0, 0));
        let midnight = |day| at(&format!("{day}T00:00:00Z"));
        let lot = (500, 500, midnight("2025-01-31"), Some(midnight("2027-01-31")));
        assert_eq!(desk.lots(101).await, [lot]);
        let lots = [
            (40, 40, midnight("2025-02-01"), Some(midnight("2027-02-01"))),
            (50, 50, midnight("2025-03-01"), None),
        ];
        assert_eq!(desk.lots(102).await, lots);
        assert_eq!(desk.tier(101).await.as_deref(), Some("gold"));
        assert_eq!(desk.tier(102).await, None);
        assert_eq!(desk.tier(103).await.as_deref(), Some("silver"));
        let mut read = test.db.read(desk.shop.id).await.unwrap();
        let since: Vec<(Timestamp,)> = db!(
            read.all,
            "select assigned_at from campaigns_member_tiers where shop_id = $1 order by assigned_at",
            desk.shop.id
        )
        .unwrap();
        assert_eq!(since, [(midnight("2025-02-01"),), (desk.app.now(),)]);
        let told: Vec<(i64, Option<String>)> = db!(
            read.all,
            "select customer_id, referral_code from imports_rows where shop_id = $1 order by line",
            desk.shop.id
        )
        .unwrap();
        assert_eq!(told, [(101, Some("ADA7".into())), (102, None), (103, None)]);
        for (customer, birthday) in [(101, Some("05-27")), (102, None), (103, Some("02-29"))] {
            let member =
                customers::member(&mut read, desk.shop.id, CustomerId(customer)).await.unwrap().unwrap();
            let known = birthdays::of(&mut read, desk.shop.id, member).await.unwrap();
            assert_eq!(known.map(|known| known.to_string()).as_deref(), birthday, "{customer}");
        }
        drop(read);
        // Their metafields are to be written, the merchant reads who did it, and others hear of it.
        assert_eq!((desk.count("marks").await, desk.count("audit").await), (3, 1));
        let completed = desk.told("import.completed").await;
        assert_eq!((completed.len(), &completed[0]["points"]), (1, &590.into()));
        assert_eq!(desk.told("customer.created").await.len(), 3);
        desk.shop.is_sound().await;
    });
}

#[test]
fn a_dry_run_says_what_would_be_and_leaves_nothing() {
    on_both_engines(async |test| {
        let desk = Desk::open(test).await;
        desk.bring("customer_id,points\n101,70\n").await;
        let counted = async || {
            let mut counts = Vec::new();
            for table in ["members", "entries", "batches", "rows", "marks", "audit"] {
                counts.push(desk.count(table).await);
            }
            counts
        };
        let before = counted().await;
        let file = desk.file("customer_id,points,tier\n101,500,gold\n102,30,\n102,30,\n103,many,\n");
        let checked = desk.check(&file).await.unwrap();
        assert_eq!(counted().await, before);
        assert_eq!((checked.batch, checked.imported, checked.refused), (None, 2, 2));
        assert_eq!((checked.new_members, checked.before, checked.points), (1, 70, 530));
        let sample = &checked.samples[0];
        assert_eq!((sample.row, sample.is_new, sample.points), (2, false, (70, 570)));
        assert_eq!(sample.tier, (None, Some("gold".into())));
        let refused = desk.refused();
        // And then it is what it said.
        let imported = desk.import(&file, false).await.unwrap();
        assert_eq!(Report { batch: None, ..imported.clone() }.samples, checked.samples);
        assert_eq!(imported.faults, checked.faults);
        assert_eq!((imported.imported, imported.new_members), (checked.imported, checked.new_members));
        assert_eq!((imported.before, imported.points), (checked.before, checked.points));
        assert_eq!(desk.refused(), refused);
        desk.shop.is_sound().await;
    });
}

#[test]
fn refused_rows_are_mended_in_their_file_and_imported() {
    on_both_engines(async |test| {
        let desk = Desk::open(test).await;
        let report = desk
            .import(
                &desk.file("customer_id,points,earned_at\n101,1e9,\n102,20,03/04/2025\n103,30,\n104,5,1,2\n"),
                false,
            )
            .await
            .unwrap();
        assert_eq!((report.imported, report.refused), (1, 3));
        let row = |row, column: &str, code: &str, was: &[&str]| {
            (row, column.to_owned(), code.to_owned(), was.iter().map(|text| text.to_string()).collect())
        };
        assert_eq!(
            desk.refused(),
            [
                row(2, "points", "bad_points", &["101", "1e9", ""]),
                row(3, "earned_at", "ambiguous_date", &["102", "20", "03/04/2025"]),
                row(5, "customer_id", "columns", &["104", "5", "1", "2"]),
            ]
        );
        let text = std::fs::read_to_string(desk.path("errors.csv")).unwrap();
        let mended = text.replace("1e9", "1000000000").replace("104,5,1,2", "104,5,");
        let file = Request { dates: Some(Order::Dmy), ..desk.file(mended) };
        let report = desk.import(&file, false).await.unwrap();
        assert_eq!((report.imported, report.refused, report.unread), (3, 0, Vec::new()));
        assert!(!desk.path("errors.csv").exists(), "nothing is refused any more");
        for (customer, points) in [(101, 1_000_000_000), (102, 20), (103, 30), (104, 5)] {
            assert_eq!(desk.shop.points(customer).await, (points, 0, 0));
        }
        // The 3rd of April began an hour before it did in UTC.
        assert_eq!(desk.lots(102).await[0].2, at("2025-04-02T23:00:00Z"));
    });
}

#[test]
fn a_customer_counts_once_wherever_the_file_has_them_again() {
    on_both_engines(async |test| {
        let desk = Desk::open(test).await;
        let mut file = "customer_id,points\n1,10\n1,10\n".to_owned();
        (2..=2_500).for_each(|customer| file += &format!("{customer},10\n"));
        // In another transaction than the first.
        file += "gid://shopify/Customer/1,99\n";
        let report = desk.import(&desk.file(file), false).await.unwrap();
        assert_eq!((report.imported, report.refused, report.points), (2_500, 2, 25_000));
        let twice: Vec<_> = desk.refused().into_iter().map(|(row, _, code, _)| (row, code)).collect();
        assert_eq!(twice, [(3, "twice".to_owned()), (2_503, "twice".to_owned())]);
        assert_eq!(desk.shop.points(1).await, (10, 0, 0));
        desk.shop.is_sound().await;
    });
}

#[test]
fn a_file_is_imported_once() {
    on_both_engines(async |test| {
        let desk = Desk::open(test).await;
        let file = desk.file("customer_id,points\n101,500\n");
        assert!(matches!(desk.import(&file, true).await, Err(Error::NotBegun)));
        let batch = desk.import(&file, false).await.unwrap().batch.unwrap();
        for resume in [false, true] {
            assert!(matches!(desk.import(&file, resume).await, Err(Error::Known(known)) if known == batch));
        }
        assert_eq!(desk.shop.points(101).await, (500, 0, 0));
        // Two at once.
        let file = desk.file("customer_id,points\n101,7\n102,7\n");
        let (one, other) = tokio::join!(desk.import(&file, false), desk.import(&file, false));
        assert!(one.is_ok() || other.is_ok(), "{one:?} {other:?}");
        assert!(one.is_err() || other.is_err());
        assert_eq!((desk.shop.points(101).await.0, desk.shop.points(102).await.0), (507, 7));
        desk.shop.is_sound().await;
    });
}

#[test]
fn a_run_that_broke_goes_on_where_it_was() {
    on_both_engines(async |test| {
        let desk = Desk::open(test).await;
        let mut file = "customer_id,points\n".to_owned();
        (1..=5_000).for_each(|customer| file += &format!("{customer},10\n"));
        // Nobody can write this down where there is no folder.
        file = file.replace("\n3000,10\n", "\n3000,ten\n");
        let (file, folder) = (desk.file(file), desk.path("later"));
        let file = Request { errors: folder.join("errors.csv"), ..file };
        assert!(matches!(desk.import(&file, false).await, Err(Error::Csv(_))));
        assert_eq!(desk.count("members").await, 2_000);
        let begun = desk.import(&file, false).await;
        assert!(matches!(begun, Err(Error::Begun(_))), "{begun:?}");
        std::fs::create_dir(folder).unwrap();
        // What was written down of rows that were not committed is not written twice.
        std::fs::write(
            &file.errors,
            "error_row,error_column,error_code,error,customer_id,points\n3001,points,bad_points,x,3000,ten\n",
        )
        .unwrap();
        let report = desk.import(&file, true).await.unwrap();
        assert_eq!((report.imported, report.refused, report.points), (4_999, 1, 49_990));
        assert_eq!(csv_of(&file.errors).unwrap().len(), 2);
        assert_eq!((desk.count("members").await, desk.count("entries").await), (4_999, 4_999));
        let batches =
            imports::batches(&mut test.db.read(desk.shop.id).await.unwrap(), desk.shop.id).await.unwrap();
        assert_eq!((batches.len(), batches[0].state, batches[0].last_row), (1, State::Done, 5_001));
        desk.shop.is_sound().await;
    });
}

#[test]
fn whoever_cannot_be_told_or_is_gone_is_refused() {
    on_both_engines(async |test| {
        let desk = Desk::open(test).await;
        let full = loyalty::LIMIT;
        desk.bring(&format!("customer_id,points\n101,{full}\n102,5\n103,5\n")).await;
        let mut tx = test.db.begin(desk.shop.id).await.unwrap();
        db!(
            tx.execute,
            "update customers_members set deleted_at = $2 where shop_id = $1 and customer_id = 102",
            desk.shop.id,
            desk.app.now()
        )
        .unwrap();
        tx.commit().await.unwrap();
        let file = desk.file("customer_id,email,points\n101,,1\n102,,1\n,ada@example.com,1\n");
        for run in [desk.check(&file).await, desk.import(&file, false).await] {
            assert_eq!((run.unwrap().imported, desk.refused().len()), (0, 3));
            let codes: Vec<_> = desk.refused().into_iter().map(|(_, _, code, _)| code).collect();
            assert_eq!(codes, ["too_many_points", "deleted", "emails_not_kept"]);
        }
        // Where addresses are kept, they lead to members.
        let (cipher, id) = (&desk.app.app.cipher, desk.shop.id);
        let mut tx = test.db.begin(id).await.unwrap();
        db!(
            tx.execute,
            "insert into customers_email_settings (shop_id, kept, changed_at) values ($1, $2, $3)",
            id,
            true,
            desk.app.now()
        )
        .unwrap();
        for (customer, email) in
            [(101, "ada@example.com"), (103, "eve@example.com"), (102, "eve@example.com")]
        {
            let member = customers::member(&mut tx, id, CustomerId(customer)).await.unwrap();
            let index = cipher.index("customers_emails.email_index", id.0, email.as_bytes()).unwrap();
            db!(
                tx.execute,
                "insert into customers_emails (shop_id, member_id, sealed_email, email_index, kept_at)
                 values ($1, $2, $3, $3, $4)",
                id,
                member,
                index,
                desk.app.now()
            )
            .unwrap();
        }
        tx.commit().await.unwrap();
        let file = desk.file("email,points\nADA@example.com,0\nbob@example.com,1\neve@example.com,1\n@,1\n");
        let report = desk.import(&file, false).await.unwrap();
        assert_eq!((report.imported, report.samples[0].customer.0), (1, 101));
        assert_eq!(
            report.faults.into_keys().collect::<Vec<_>>(),
            [Fault::BadEmail, Fault::UnknownEmail, Fault::AmbiguousEmail]
        );
        desk.shop.is_sound().await;
    });
}

#[test]
fn files_of_other_programmes_and_encodings_are_read() {
    on_both_engines(async |test| {
        let desk = Desk::open(test).await;
        let utf16: Vec<u8> =
            "\u{feff}customer_id\tpoints\r\n9\t90\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        for (customer, template, bytes) in [
            (1, Template::Smile, b"customer_id,email,points,vip_tier,date_of_birth\n1,a@b.c,90,GOLD,1004-05-27\n".to_vec()),
            (2, Template::Loyaltylion, b"merchant_id,email,points_approved,tier_name\n2,a@b.c,90,gold\n".to_vec()),
            (3, Template::Yotpo, b"Customer ID,Email,Points Balance,Birthday (MM/DD) or (MM/DD/YYYY)\n3,a@b.c,90,05/06\n".to_vec()),
            (4, Template::Rivo, b"Shopify Customer ID,Points Balance,Birthdate,VIP Tier,Activation Date\n4,90,1990-05-27,Gold,\n".to_vec()),
            (5, Template::Own, "\u{feff}customer_id;points\r\n5;90\r\n".into()),
            (6, Template::Own, b"customer_id,points,name\n6,90,Ren\xe9\n".to_vec()),
            (9, Template::Own, utf16),
        ] {
            let file = Request { template, ..desk.file(bytes) };
            let report = desk.import(&file, false).await.unwrap();
            assert_eq!((report.imported, report.refused), (1, 0), "{template:?}");
            assert_eq!(desk.shop.points(customer).await.0, 90, "{template:?}");
        }
        assert_eq!(desk.tier(4).await.as_deref(), Some("gold"));
    });
}

#[test]
fn what_fills_a_debt_and_what_expires_is_booked_like_other_points() {
    on_both_engines(async |test| {
        let mut desk = Desk::open(test).await;
        desk.bring("customer_id,points,expires_at\n101,100,2026-12-01\n").await;
        desk.shop.now = desk.shop.now + SignedDuration::from_hours(31 * 24);
        desk.shop.expire().await;
        assert_eq!(desk.shop.points(101).await, (0, 0, 0));
        desk.shop.is_sound().await;
    });
}

/// The most memory that this process had in use since it was last asked, in bytes.
#[cfg(target_os = "linux")]
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    line.trim().strip_suffix("kB").unwrap().trim().parse::<u64>().unwrap() * 1024
}

#[test]
#[cfg(target_os = "linux")]
#[ignore = "writes 2 GB to the disk, and wants to be alone in its process"]
fn a_file_of_two_gigabytes_is_imported_in_little_memory() {
    crate::support::on_engine(db::Engine::Sqlite, async |test| {
        use std::io::Write;
        let desk = Desk::open(test).await;
        let file = desk.file("");
        let mut writer = std::io::BufWriter::new(std::fs::File::create(&file.file).unwrap());
        writeln!(writer, "customer_id,points,note").unwrap();
        let note = "x".repeat(500_000);
        for customer in 1..=4_300 {
            writeln!(writer, "{customer},10,{note}").unwrap();
        }
        writer.flush().unwrap();
        assert!(std::fs::metadata(&file.file).unwrap().len() > 2 << 30);
        peak();
        let before = peak();
        let report = desk.import(&file, false).await.unwrap();
        assert_eq!((report.imported, report.refused), (4_300, 0));
        let more = peak().saturating_sub(before);
        assert!(more < 100 << 20, "{more} bytes more");
        desk.shop.is_sound().await;
    });
}

#[test]
fn an_erased_customer_leaves_nothing_of_their_own_in_an_import() {
    on_both_engines(async |test| {
        let desk = Desk::open(test).await;
        desk.bring("customer_id,points,referral_code\n101,100,ADA7\n102,5,BOB\n").await;
        let mut tx = test.db.begin(desk.shop.id).await.unwrap();
        imports::redact(&mut tx, desk.shop.id, CustomerId(101)).await.unwrap();
        tx.commit().await.unwrap();
        let mut read = test.db.read(desk.shop.id).await.unwrap();
        let left: Vec<(Option<i64>, Option<String>)> = db!(
            read.all,
            "select customer_id, referral_code from imports_rows where shop_id = $1 order by line",
            desk.shop.id
        )
        .unwrap();
        assert_eq!(left, [(None, None), (Some(102), Some("BOB".into()))]);
    });
}
