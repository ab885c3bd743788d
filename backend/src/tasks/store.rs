//! The tasks' SQL. The table belongs to no domain and may cross tenants: a worker runs all shops' tasks together.

use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

use super::NewTask;
use crate::db;
use crate::db::{Read, Timestamp, Tx};
use crate::ids::ShopId;
use crate::rota::Passed;

crate::holds! {
    tasks [shop_id, task_id] of Nobody, kept "for `tasks.kept` after they are settled" {
        shop_id: Id, task_id: Id, kind: Plain, key: Plain, payload: Json, priority: Plain, run_at: Time,
        due_at: Time, state: Plain, attempts: Plain, reason: Plain, token: Id, created_at: Time, settled_at: Time,
    }
}

crate::text_enum! {
    /// How far a task has come.
    #[derive(serde::Serialize)]
    #[serde(rename_all = "lowercase")]
    pub enum State {
        /// To be done; a worker may have it in hand.
        Ready = "ready",
        /// Done.
        Done = "done",
        /// Given up; a person should look.
        Dead = "dead",
    }
}

/// Writes down the tasks that are new by shop, kind and key, and gives their ids.
pub(super) async fn insert(tx: &mut Tx, tasks: &[NewTask], now: Timestamp) -> Result<Vec<Uuid>, db::Error> {
    let new: Vec<(Uuid,)> = db!(tx.all each tasks,
        sqlite: "insert into tasks (shop_id, task_id, kind, key, payload, priority, run_at, due_at, state, created_at)
                 values ($1, $2, $3, $4, $5, $6, $7, $8, 'ready', $9)
                 on conflict (shop_id, kind, key) do nothing returning task_id",
        postgres: "insert into tasks (shop_id, task_id, kind, key, payload, priority, run_at, due_at, state,
                       created_at)
                   select shop_id, task_id, kind, key, payload, priority, run_at, due_at, 'ready', created_at
                   from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::jsonb[], $6::bigint[],
                       $7::timestamptz[], $8::timestamptz[], $9::timestamptz[])
                       as v (shop_id, task_id, kind, key, payload, priority, run_at, due_at, created_at)
                   on conflict (shop_id, kind, key) do nothing returning task_id",
        |task| task.shop, task.id, task.kind, task.key.as_str(), Json(&task.payload), task.priority, task.run_at,
               task.run_at, now)?;
    Ok(new.into_iter().map(|(id,)| id).collect())
}

/// The task with this key, and its payload.
pub(super) async fn by_key(
    tx: &mut Tx,
    shop: ShopId,
    kind: &str,
    key: &str,
) -> Result<(Uuid, Json<Value>), db::Error> {
    db!(
        tx.one,
        "select task_id, payload from tasks where shop_id = $1 and kind = $2 and key = $3",
        shop,
        kind,
        key
    )
}

/// The greatest priority, at most this, of which a task of these kinds is due.
///
/// Priority by priority, because each look is then one step into an index, however many tasks wait for their time.
pub(super) async fn due(
    read: &mut Read,
    most: i64,
    kinds: &[&str],
    now: Timestamp,
) -> Result<Option<i64>, db::Error> {
    let mut most = most;
    while let Some((priority,)) = priority(read, most).await? {
        let due: Option<(Uuid,)> = db!(read.optional,
            sqlite: "select task_id from tasks
                     where state = 'ready' and priority = $1 and due_at <= $2
                       and kind in (select value from json_each($3)) limit 1",
            postgres: "select task_id from tasks
                       where state = 'ready' and priority = $1 and due_at <= $2
                         and kind = any (array (select jsonb_array_elements_text($3))) limit 1",
            priority, now, Json(kinds))?;
        if due.is_some() {
            return Ok(Some(priority));
        }
        let Some(next) = priority.checked_sub(1) else { break };
        most = next;
    }
    Ok(None)
}

/// The greatest priority, at most this, that a task has which is to be done.
async fn priority(read: &mut Read, most: i64) -> Result<Option<(i64,)>, db::Error> {
    db!(
        read.optional,
        "select priority from tasks where state = 'ready' and priority <= $1 order by priority desc limit 1",
        most
    )
}

/// A task that a worker has in hand.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct Claimed {
    pub shop_id: ShopId,
    pub task_id: Uuid,
    pub kind: String,
    pub payload: Json<Value>,
    pub attempts: i64,
    /// Stands in the table for as long as the task is this worker's.
    pub token: Uuid,
}

/// The shops that have tasks of a priority to be done, from this one on, and whether one of these kinds is due.
///
/// Each step goes to the next shop in the index, past everything else of the shop before.
pub(super) async fn pass(
    read: &mut Read,
    priority: i64,
    from: ShopId,
    kinds: &[&str],
    now: Timestamp,
    most: i64,
) -> Result<Vec<Passed>, db::Error> {
    db!(read.all,
        sqlite: "with recursive circle (shop_id, step) as (
                     select (select shop_id from tasks where state = 'ready' and priority = $1 and shop_id >= $2
                             order by shop_id limit 1), 1
                     union all
                     select (select t.shop_id from tasks t
                             where t.state = 'ready' and t.priority = $1 and t.shop_id > circle.shop_id
                             order by t.shop_id limit 1), circle.step + 1
                     from circle where circle.shop_id is not null and circle.step < $5)
                 select circle.shop_id, exists (
                     select 1 from tasks t
                     where t.state = 'ready' and t.priority = $1 and t.shop_id = circle.shop_id and t.due_at <= $4
                       and t.kind in (select value from json_each($3))) as is_ready
                 from circle where circle.shop_id is not null order by circle.step",
        postgres: "with recursive circle (shop_id, step) as (
                       select (select shop_id from tasks where state = 'ready' and priority = $1 and shop_id >= $2
                               order by shop_id limit 1), 1
                       union all
                       select (select t.shop_id from tasks t
                               where t.state = 'ready' and t.priority = $1 and t.shop_id > circle.shop_id
                               order by t.shop_id limit 1), circle.step + 1
                       from circle where circle.shop_id is not null and circle.step < $5)
                   select circle.shop_id, exists (
                       select 1 from tasks t
                       where t.state = 'ready' and t.priority = $1 and t.shop_id = circle.shop_id and t.due_at <= $4
                         and t.kind = any (array (select jsonb_array_elements_text($3)))) as is_ready
                   from circle where circle.shop_id is not null order by circle.step",
        priority, from, Json(kinds), now, most)
}

/// Takes the task of these kinds that has been due for longest among those of a shop and a priority.
pub(super) async fn claim(
    tx: &mut Tx,
    token: Uuid,
    (priority, shop): (i64, ShopId),
    kinds: &[&str],
    (now, until): (Timestamp, Timestamp),
) -> Result<Option<Claimed>, db::Error> {
    db!(tx.optional,
        sqlite: "update tasks set token = $1, due_at = $4, attempts = attempts + 1
                 where (shop_id, task_id) in (
                     select shop_id, task_id from tasks
                     where state = 'ready' and priority = $5 and shop_id = $6 and due_at <= $3
                       and kind in (select value from json_each($2))
                     order by due_at, task_id limit 1)
                 returning shop_id, task_id, kind, payload, attempts, token",
        postgres: "with due as materialized (
                       select shop_id, task_id from tasks
                       where state = 'ready' and priority = $5 and shop_id = $6 and due_at <= $3
                         and kind = any (array (select jsonb_array_elements_text($2)))
                       order by due_at, task_id limit 1 for update skip locked)
                   update tasks t set token = $1, due_at = $4, attempts = attempts + 1
                   from due where t.shop_id = due.shop_id and t.task_id = due.task_id
                   returning t.shop_id, t.task_id, t.kind, t.payload, t.attempts, t.token",
        token, Json(kinds), now, until, priority, shop)
}

/// Renews a lease, and thereby proves, until the transaction ends, that nobody took the task over.
pub(super) async fn renew(tx: &mut Tx, claimed: &Claimed, until: Timestamp) -> Result<bool, db::Error> {
    let renewed = db!(
        tx.execute,
        "update tasks set due_at = $4
         where shop_id = $1 and task_id = $2 and token = $3 and state = 'ready'",
        claimed.shop_id,
        claimed.task_id,
        claimed.token,
        until
    )?;
    Ok(renewed == 1)
}

/// What became of a run.
pub(super) struct Settled<'a> {
    pub state: State,
    pub reason: Option<&'a str>,
    /// If it is to be tried again: when.
    pub due_at: Timestamp,
}

/// Settles a run; false if the lease is another's.
pub(super) async fn settle(
    tx: &mut Tx,
    claimed: &Claimed,
    settled: &Settled<'_>,
    now: Timestamp,
) -> Result<bool, db::Error> {
    let settled_at = (settled.state != State::Ready).then_some(now);
    let written = db!(
        tx.execute,
        "update tasks set state = $4, reason = $5, due_at = $6, settled_at = $7, token = null
         where shop_id = $1 and task_id = $2 and token = $3 and state = 'ready'",
        claimed.shop_id,
        claimed.task_id,
        claimed.token,
        settled.state,
        settled.reason,
        settled.due_at,
        settled_at
    )?;
    Ok(written == 1)
}

/// A task as people see it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Listed {
    /// Whose it is; the nil uuid where it is the installation's own.
    pub shop_id: ShopId,
    /// Ours.
    pub task_id: Uuid,
    /// What is to be done.
    pub kind: String,
    /// What makes pushing it again the same task.
    pub key: String,
    /// How far it has come.
    pub state: State,
    /// Whether a worker has it in hand.
    pub running: bool,
    /// How often a worker took it.
    pub attempts: i64,
    /// Why it failed last.
    pub reason: Option<String>,
    /// When it was pushed (UTC).
    pub created_at: Timestamp,
    /// When it is to be done (UTC).
    pub run_at: Timestamp,
    /// When a worker may take it next (UTC).
    pub due_at: Timestamp,
    /// When it was done or given up (UTC).
    pub settled_at: Option<Timestamp>,
}

impl Listed {
    /// `waiting`, `running`, `done` or `dead`.
    pub fn status(&self) -> &'static str {
        match self.state {
            State::Ready if self.running => "running",
            State::Ready => "waiting",
            State::Done => "done",
            State::Dead => "dead",
        }
    }
}

/// A shop's tasks, newest first, from before one of them.
pub(super) async fn of_shop(
    read: &mut Read,
    shop: ShopId,
    before: Uuid,
    most: i64,
) -> Result<Vec<Listed>, db::Error> {
    db!(
        read.all,
        "select shop_id, task_id, kind, key, state, token is not null as running, attempts, reason, created_at,
                run_at, due_at, settled_at
         from tasks where shop_id = $1 and task_id < $2 order by task_id desc limit $3",
        shop,
        before,
        most
    )
}

/// All shops' tasks, newest first, from before one of them; only those in this state, if one is given.
pub(super) async fn of_all(
    read: &mut Read,
    state: Option<State>,
    before: Uuid,
    most: i64,
) -> Result<Vec<Listed>, db::Error> {
    db!(
        read.all,
        "select shop_id, task_id, kind, key, state, token is not null as running, attempts, reason, created_at,
                run_at, due_at, settled_at
         from tasks where state = coalesce($1, state) and task_id < $2 order by task_id desc limit $3",
        state,
        before,
        most
    )
}

/// The oldest dead tasks, of one shop or of all.
pub(super) async fn dead(read: &mut Read, shop: Option<ShopId>, most: i64) -> Result<Vec<Listed>, db::Error> {
    db!(
        read.all,
        "select shop_id, task_id, kind, key, state, token is not null as running, attempts, reason, created_at,
                run_at, due_at, settled_at
         from tasks where state = 'dead' and shop_id = coalesce($1, shop_id) order by shop_id, task_id limit $2",
        shop,
        most
    )
}

/// Makes dead tasks ready again, all their tries ahead of them.
pub(super) async fn requeue(
    tx: &mut Tx,
    shop: Option<ShopId>,
    task: Option<Uuid>,
    now: Timestamp,
) -> Result<u64, db::Error> {
    db!(
        tx.execute,
        "update tasks set state = 'ready', attempts = 0, due_at = $3, reason = null, settled_at = null
         where state = 'dead' and shop_id = coalesce($1, shop_id) and task_id = coalesce($2, task_id)",
        shop,
        task,
        now
    )
}

/// Forgets up to `most` tasks that were done before the first time, or given up before the second.
pub(super) async fn forget(
    tx: &mut Tx,
    (done, dead): (Timestamp, Timestamp),
    most: i64,
) -> Result<u64, db::Error> {
    db!(
        tx.execute,
        "delete from tasks where (shop_id, task_id) in (
             select shop_id, task_id from tasks
             where (state = 'done' and settled_at < $1) or (state = 'dead' and settled_at < $2)
             limit $3)",
        done,
        dead,
        most
    )
}

/// What waits of a kind, and what is dead of it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Backlog {
    /// The kind.
    pub kind: String,
    /// How many are to be done, those in hand and those of a later time included.
    pub waiting: i64,
    /// When the first of them may be taken (UTC).
    pub due_at: Option<Timestamp>,
    /// How many were given up.
    pub dead: i64,
}

pub(super) async fn backlog(read: &mut Read) -> Result<Vec<Backlog>, db::Error> {
    db!(
        read.all,
        "select kind,
                cast(sum(case when state = 'ready' then 1 else 0 end) as bigint) as waiting,
                min(case when state = 'ready' then due_at end) as due_at,
                cast(sum(case when state = 'dead' then 1 else 0 end) as bigint) as dead
         from tasks where state in ('ready', 'dead') group by kind"
    )
}
