//! How fast a million members' metafields are compared with the ledger, and how much memory that takes.
//!
//! The shop is played here: it answers the few operations of a bulk query, and writes the file on the fly while it is
//! read, so that no file of that size lies in anybody's memory.

use std::io;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use loyalnest::app::App;
use loyalnest::config::Secret;
use loyalnest::db;
use loyalnest::ids::ShopId;
use loyalnest::shopify::ShopDomain;
use loyalnest::shopify::admin::ShopDetails;
use loyalnest::sync::reconcile::{self, Report};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader, BufWriter};
use tokio::net::{TcpListener, TcpStream};

use crate::usage::Watched;

/// The number of the first customer.
const FIRST: i64 = 7_000_000_000;
/// One in so many metafields is wrong.
const WRONG: i64 = 1_000;
/// A reconcile that takes longer is none.
const PATIENCE: Duration = Duration::from_secs(3_600);

/// What is compared, and by whom.
pub struct Reconcile<'a> {
    /// The application, on the backend's database.
    pub app: &'a App,
    /// How many members there are.
    pub members: i64,
    /// The program that reads the file.
    pub backend: &'a Watched,
}

impl Reconcile<'_> {
    /// Makes the members, asks for a reconcile and waits for its end.
    ///
    /// # Errors
    /// When the report is not what was put into the file.
    pub async fn measure(&self) -> Result<Value> {
        let shop = self.make().await?;
        let before = self.backend.peak_memory().context("the backend's memory is not known")?;
        let started = Instant::now();
        let mut tx = self.app.db.begin(shop).await?;
        reconcile::ask(&mut tx, shop, self.app.clock.now()).await?;
        tx.commit().await?;
        let report = self.end(shop).await?;
        let seconds = started.elapsed().as_secs_f64();
        let counts = report.counts;
        ensure!(report.state == reconcile::State::Done, "the reconcile ended as {report:?}");
        ensure!(counts.members == self.members, "{} members of {} were seen", counts.members, self.members);
        ensure!(counts.different == (self.members + WRONG - 1) / WRONG, "{counts:?}");
        let peak = self.backend.peak_memory().context("the backend has ended")?;
        Ok(json!({
            "members": self.members,
            "seconds": (seconds * 10.0).round() / 10.0,
            "members_per_second": (self.members as f64 / seconds).round(),
            "drifted": counts.different,
            "peak_mb": megabytes(peak),
            "peak_before_mb": megabytes(before),
        }))
    }

    /// A shop with its members: each has points, and was published long ago.
    async fn make(&self) -> Result<ShopId> {
        let domain: ShopDomain = "reconcile.myshopify.com".parse()?;
        let details = ShopDetails {
            id: "gid://shopify/Shop/1".into(),
            name: "Reconcile".into(),
            domain: domain.to_string(),
            currency: "GBP".into(),
            time_zone: "Europe/London".into(),
        };
        let shop = self.app.shops.register(details, &domain, &Secret::new("none")).await?;
        let mut tx = self.app.db.begin(shop.id).await?;
        let program = loyalty::Program::standard(shop.currency);
        loyalnest::programs::set(&mut tx, shop.id, program, self.app.clock.now()).await?;
        let long_ago = self.app.clock.now() - jiff::SignedDuration::from_hours(24);
        let members: Vec<i64> = (0..self.members).collect();
        for some in members.chunks(50_000) {
            db!(tx.each some,
                sqlite: "insert into customers_members (shop_id, member_id, customer_id, enrolled_at) values ($1, $2, $3, $4)",
                postgres: "insert into customers_members (shop_id, member_id, customer_id, enrolled_at)
                           select * from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::timestamptz[])",
                |n| shop.id, uuid::Uuid::from_u128(*n as u128 + 1), FIRST + *n, long_ago)?;
            db!(tx.each some,
                sqlite: "insert into points_accounts (shop_id, member_id, available, pending, held, seq)
                         values ($1, $2, $3, 0, 0, 1)",
                postgres: "insert into points_accounts (shop_id, member_id, available, pending, held, seq)
                           select shop, member, points, 0, 0, 1
                           from unnest($1::uuid[], $2::uuid[], $3::bigint[]) as v (shop, member, points)",
                |n| shop.id, uuid::Uuid::from_u128(*n as u128 + 1), *n)?;
            db!(tx.each some,
                sqlite: "insert into sync_accounts (shop_id, member_id, wanted, published, attempts, gone, published_at)
                         values ($1, $2, 1, 1, 0, false, $3)",
                postgres: "insert into sync_accounts (shop_id, member_id, wanted, published, attempts, gone, published_at)
                           select shop, member, 1, 1, 0, false, at
                           from unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) as v (shop, member, at)",
                |n| shop.id, uuid::Uuid::from_u128(*n as u128 + 1), long_ago)?;
        }
        tx.commit().await?;
        Ok(shop.id)
    }

    async fn end(&self, shop: ShopId) -> Result<Report> {
        let until = Instant::now() + PATIENCE;
        loop {
            let last = reconcile::last(&mut self.app.db.read(shop).await?, shop).await?;
            if let Some(report) = last.filter(|report| report.ended_at.is_some()) {
                return Ok(report);
            }
            ensure!(Instant::now() < until, "the reconcile does not end");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

/// Plays the shop until the program ends: HTTP as far as one client of ours speaks it.
///
/// # Errors
/// When nobody can be let in.
pub async fn play_shop(listener: TcpListener, members: i64) -> Result<()> {
    let address = listener.local_addr()?;
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(async move {
            // Whoever hangs up has heard enough.
            let _ = serve(stream, &format!("http://{address}/file"), members).await;
        });
    }
}

async fn serve(stream: TcpStream, file: &str, members: i64) -> io::Result<()> {
    let (read, write) = stream.into_split();
    let (mut read, mut write) = (BufReader::new(read), BufWriter::with_capacity(1 << 16, write));
    loop {
        let (mut first, mut length) = (String::new(), 0);
        if read.read_line(&mut first).await? == 0 {
            return Ok(());
        }
        loop {
            let mut header = String::new();
            read.read_line(&mut header).await?;
            let Some((name, value)) = header.split_once(':') else { break };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().unwrap_or(0);
            }
        }
        let mut body = vec![0; length];
        read.read_exact(&mut body).await?;
        if first.starts_with("GET") {
            write_file(&mut write, members).await?;
            return write.shutdown().await;
        }
        let body = answer(&body, file).to_string();
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length:";
        write.write_all(format!("{head} {}\r\n\r\n{body}", body.len()).as_bytes()).await?;
        write.flush().await?;
    }
}

/// What the shop answers to an operation. It publishes whatever it is asked to, and knows the shop by no other name.
fn answer(request: &[u8], file: &str) -> Value {
    let request: Value = serde_json::from_slice(request).unwrap_or_default();
    let data = match request["operationName"].as_str() {
        Some("BulkOperationRunQuery") => json!({"bulkOperationRunQuery":
            {"bulkOperation": {"id": "gid://shopify/BulkOperation/1"}, "userErrors": []}}),
        Some("BulkOperation") => json!({"bulkOperation":
            {"status": "COMPLETED", "errorCode": null, "url": file, "partialDataUrl": null, "fileSize": null}}),
        Some("MetafieldsSet") => {
            let asked = request["variables"]["metafields"].as_array().map_or(0, Vec::len);
            let written = json!({"namespace": "app--1", "key": "account", "compareDigest": "d"});
            json!({"metafieldsSet": {"metafields": vec![written; asked], "userErrors": []}})
        }
        _ => return json!({"errors": [{"message": "this shop does not know that"}]}),
    };
    json!({"data": data})
}

/// The file: a line for each member, of whom some show the wrong points.
async fn write_file(to: &mut (impl AsyncWrite + Unpin), members: i64) -> io::Result<()> {
    to.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/jsonl\r\nconnection: close\r\n\r\n").await?;
    for n in 0..members {
        let (customer, points) = (FIRST + n, if n % WRONG == 0 { -1 } else { n });
        let account = format!(r#"{{\"v\":1,\"seq\":1,\"points\":{points},\"pending\":0}}"#);
        let line = format!(
            "{{\"id\":\"gid:\\/\\/shopify\\/Customer\\/{customer}\",\"metafield\":{{\"value\":\"{account}\"}}}}\n"
        );
        to.write_all(line.as_bytes()).await?;
    }
    Ok(())
}

fn megabytes(bytes: u64) -> f64 {
    (bytes as f64 / 1e5).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_file_has_a_line_for_each_member_and_one_in_a_thousand_is_wrong() {
        let mut file = Vec::new();
        write_file(&mut file, 1_001).await.unwrap();
        let file = String::from_utf8(file).unwrap();
        let lines: Vec<Value> = file
            .split("\r\n\r\n")
            .nth(1)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!((lines.len(), &lines[2]["id"]), (1_001, &json!("gid://shopify/Customer/7000000002")));
        let account = |at: usize| -> Value {
            serde_json::from_str(lines[at]["metafield"]["value"].as_str().unwrap()).unwrap()
        };
        assert_eq!(
            [account(0), account(1), account(1_000)].map(|account| account["points"].as_i64()),
            [Some(-1), Some(1), Some(-1)]
        );
    }
}
