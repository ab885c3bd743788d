//! How long a night's refresh of a large shop takes, and how much memory: everyone in another segment than before, then one
//! in a hundred, then nobody. Marks for sync follow a night, and are no part of this.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use loyalnest::app::App;
use loyalnest::db;
use loyalnest::ids::ShopId;
use loyalnest::rfm::{AT_ONCE, End, Refreshing};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::Watched;
use crate::rfm::made_up;

/// How many members are made in one transaction.
const TOGETHER: usize = 20_000;
/// One in so many changes.
const FEW: usize = 100;

/// A shop's night.
pub struct Night<'a> {
    /// The application whose members they are.
    pub app: &'a App,
    /// Whose.
    pub shop: ShopId,
    /// How many there are.
    pub members: usize,
}

impl Night<'_> {
    /// Makes members who have bought and were never scored, and refreshes them three times.
    ///
    /// # Errors
    /// When the database fails, or other members changed than should.
    pub async fn measure(&self) -> Result<Value> {
        self.make().await?;
        let all = self.refresh(self.members).await?;
        self.change().await?;
        let few = self.refresh(self.members / FEW).await?;
        let none = self.refresh(0).await?;
        let this = Watched { name: "this".into(), process: std::process::id() };
        let peak = this.peak_memory().context("the system does not say")?;
        Ok(json!({
            "members": self.members, "all_seconds": all, "one_percent_seconds": few, "unchanged_seconds": none,
            "peak_mb": peak / 1_000_000,
        }))
    }

    async fn make(&self) -> Result<()> {
        let now = self.app.clock.now();
        let histories: Vec<_> = made_up(self.members).into_iter().enumerate().collect();
        for some in histories.chunks(TOGETHER) {
            let mut tx = self.app.db.begin(self.shop).await?;
            db!(tx.each some,
                sqlite: "insert into customers_members (shop_id, member_id, customer_id, enrolled_at) values ($1, $2, $3, $4)",
                postgres: "insert into customers_members (shop_id, member_id, customer_id, enrolled_at)
                           select * from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::timestamptz[])",
                |one| self.shop, id(one.0), one.0 as i64 + 1, now)?;
            db!(tx.each some,
                sqlite: "insert into rfm_members (shop_id, member_id, last_order_at, orders, spent) values ($1, $2, $3, $4, $5)",
                postgres: "insert into rfm_members (shop_id, member_id, last_order_at, orders, spent)
                           select * from unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::bigint[], $5::bigint[])",
                |one| self.shop, id(one.0), db::Timestamp::from_microsecond(one.1.last_order).ok(), one.1.orders, one.1.spent)?;
            tx.commit().await?;
        }
        // As the database does by itself, a minute later; only whoever owns the tables may.
        let mut tx = self.app.db.begin_outside().await?;
        db!(tx.execute, sqlite: "select 1", postgres: "select set_config('role', 'none', true)")?;
        db!(tx.execute, "analyze")?;
        Ok(tx.commit().await?)
    }

    /// Some members stand in a segment in which nobody is.
    async fn change(&self) -> Result<()> {
        let some: Vec<Uuid> = (0..self.members).step_by(FEW).map(id).collect();
        let mut tx = self.app.db.begin(self.shop).await?;
        db!(tx.each some,
            sqlite: "with v (shop_id, member_id) as (values ($1, $2)) update rfm_members set segment = 100 from v
                     where rfm_members.shop_id = v.shop_id and rfm_members.member_id = v.member_id",
            postgres: "update rfm_members m set segment = 100 from unnest($1::uuid[], $2::uuid[]) as v (shop, member)
                       where m.shop_id = v.shop and m.member_id = v.member",
            |member| self.shop, *member)?;
        Ok(tx.commit().await?)
    }

    /// How long a refresh takes, in seconds; so many change by it.
    async fn refresh(&self, change: usize) -> Result<f64> {
        let before = self.changes().await?;
        let (started, now) = (Instant::now(), self.app.clock.now());
        let db = &self.app.db;
        let refresh = Refreshing::prepare(db, self.shop, now).await?.context("there is no program")?;
        let mut tx = db.begin(self.shop).await?;
        refresh.begin(&mut tx).await?;
        tx.commit().await?;
        let from = async |end| -> Result<()> {
            while refresh.next(db, end, AT_ONCE).await? {}
            Ok(())
        };
        tokio::try_join!(from(End::First), from(End::Last))?;
        refresh.end(db).await?;
        let seconds = started.elapsed().as_secs_f64();
        let changed = self.changes().await? - before;
        ensure!(changed == change as i64, "{changed} members changed, not {change}");
        Ok((seconds * 100.0).round() / 100.0)
    }

    async fn changes(&self) -> Result<i64> {
        let mut read = self.app.db.read(self.shop).await?;
        let (changes,): (i64,) =
            db!(read.one, "select count(*) from rfm_history where shop_id = $1", self.shop)?;
        Ok(changes)
    }
}

fn id(member: usize) -> Uuid {
    Uuid::from_u128(member as u128 + 1)
}
