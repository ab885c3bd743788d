//! A run in a task's hands: what each step does, and what comes after it.

use jiff::SignedDuration;
use uuid::Uuid;

use super::file::FileError;
use super::jobs::{Look, ReadFile, Start};
use super::read::{self, Reading};
use super::{Reader, Run, State, push, store};
use crate::app::App;
use crate::db::{self, Timestamp};
use crate::ids::ShopId;
use crate::merchants::{Shop, ShopError};
use crate::shopify::admin::{Admin, AdminError, BulkLook, BulkStart};
use crate::tasks::{self, TaskError};

/// How often an operation is asked for in one run, and the waits between.
const ATTEMPTS: i64 = 3;
const BETWEEN: [SignedDuration; 2] = [SignedDuration::from_mins(1), SignedDuration::from_mins(15)];
/// How long after Shopify began, or had no room, it is asked first; then twice as long each time, up to the longest.
const FIRST_LOOK: SignedDuration = SignedDuration::from_secs(15);
const LONGEST_LOOK: SignedDuration = SignedDuration::from_mins(10);
/// An operation that takes longer never ends.
const PATIENCE: SignedDuration = SignedDuration::from_hours(24);
/// Why a step comes to nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum StepError {
    /// Shopify.
    #[error(transparent)]
    Admin(#[from] AdminError),
    /// The shop's token.
    #[error(transparent)]
    Shop(#[from] ShopError),
    /// The file.
    #[error(transparent)]
    File(#[from] FileError),
    /// The database, or the reader; or the lease is over.
    #[error(transparent)]
    Task(#[from] TaskError),
}

impl From<db::Error> for StepError {
    fn from(error: db::Error) -> Self {
        StepError::Task(error.into())
    }
}

/// A run in a task's hands.
pub(super) struct Work<'a> {
    pub task: &'a tasks::Run,
    pub app: &'a App,
    pub shop: Shop,
    pub reader: &'a dyn Reader,
    pub run: Run,
}

impl<'a> Work<'a> {
    /// None if the run is not there any more, or further than that.
    pub async fn of(
        task: &'a tasks::Run,
        run: Uuid,
        attempt: i64,
        state: State,
    ) -> Result<Option<Self>, TaskError> {
        let app = &task.app;
        let Some(shop) = task.shop() else { return Ok(None) };
        let found = store::run(&mut app.db.read(shop).await?, shop, run).await?;
        let Some(run) = found.filter(|run| run.attempt == attempt && run.state == state) else {
            return Ok(None);
        };
        let shop = app.shops.find(shop).await.map_err(|error| TaskError::Failed(error.to_string()))?;
        let Some(shop) = shop else { return Ok(None) };
        let reader = app.bulk.reader(&run.purpose);
        let reader = reader.ok_or_else(|| TaskError::Dead(format!("nobody reads {}", run.purpose)))?;
        Ok(Some(Work { task, app, shop, reader, run }))
    }

    fn now(&self) -> Timestamp {
        self.task.now()
    }

    fn shop_id(&self) -> ShopId {
        self.shop.id
    }

    async fn admin(&self) -> Result<Admin, StepError> {
        Ok(self.app.admin_of(&self.shop).await?)
    }

    pub async fn start(&self, step: &Start) -> Result<(), StepError> {
        let admin = self.admin().await?;
        let query = self.query();
        if self.run.sent_at.is_some() {
            // Whether Shopify has begun is not known.
            let all = admin.bulk_operations().await?;
            if let Some(found) = all.into_iter().find(|listed| listed.query.contains(&self.token())) {
                return self.begun(found.id).await;
            }
        }
        let sent = Run { sent_at: Some(self.now()), ..self.run.clone() };
        let mut tx = self.task.begin().await?;
        if !store::change(&mut tx, self.shop_id(), &self.run, &sent).await? {
            return Ok(());
        }
        tx.commit().await?;
        let sent = Work { run: sent, shop: self.shop.clone(), ..*self };
        match admin.bulk_run_query(&query).await? {
            BulkStart::Begun(id) => sent.begun(id).await,
            BulkStart::Busy => {
                tracing::debug!(shop = %self.shop_id(), "no room for a bulk operation");
                let now = self.now();
                let mut tx = self.task.begin().await?;
                let next = Start { turn: step.turn + 1, ..*step };
                push(&mut tx, self.shop_id(), &next, now + pause(step.turn), now).await?;
                let unsent = Run { sent_at: None, ..sent.run.clone() };
                store::change(&mut tx, self.shop_id(), &sent.run, &unsent).await?;
                Ok(self.task.finish(tx).await?)
            }
            BulkStart::Refused(errors) => {
                let said: Vec<_> = errors.into_iter().map(|error| error.message).collect();
                tracing::error!(shop = %self.shop_id(), ?said, "Shopify refuses a bulk operation");
                sent.end(State::Failed, Some("refused")).await
            }
        }
    }

    /// What the run's query has in its name.
    fn token(&self) -> String {
        format!("Run{}x{}", self.run.run_id.simple(), self.run.attempt)
    }

    /// The query, under a name that tells it from all others.
    fn query(&self) -> String {
        let lines = self.reader.query().lines().filter(|line| !line.starts_with('#'));
        let query: String = lines.flat_map(|line| [line, "\n"]).collect();
        query.replacen("query ", &format!("query {}_", self.token()), 1)
    }

    /// Shopify is at it.
    async fn begun(&self, operation: String) -> Result<(), StepError> {
        let (shop, now) = (self.shop_id(), self.now());
        let running =
            Run { state: State::Running, operation_id: Some(operation.clone()), ..self.run.clone() };
        let mut tx = self.task.begin().await?;
        if !store::change(&mut tx, shop, &self.run, &running).await? {
            return Ok(());
        }
        self.reader.begins(&mut tx, shop, &running).await?;
        // The webhook of its end may have been faster than the answer.
        let is_over = store::finished(&mut tx, shop, &operation).await?.is_some();
        let look = Look { run: running.run_id, attempt: running.attempt, turn: 1 };
        push(&mut tx, shop, &look, if is_over { now } else { now + FIRST_LOOK }, now).await?;
        Ok(self.task.finish(tx).await?)
    }

    pub async fn look(&self, step: &Look) -> Result<(), StepError> {
        let now = self.now();
        let Some(look) = self.ask().await? else {
            return self.again(State::Expired, "unknown", None).await;
        };
        let is_late = self.run.sent_at.is_some_and(|sent| now - sent > PATIENCE);
        match look.status.as_str() {
            "COMPLETED" => self.completed(None).await,
            "FAILED" => {
                let code = look.error_code.clone().unwrap_or_default();
                self.again(State::Failed, &code, Some(&look)).await
            }
            "CANCELED" => self.again(State::Canceled, "canceled", Some(&look)).await,
            "EXPIRED" => self.again(State::Expired, "expired", None).await,
            _ if is_late => self.again(State::Failed, "never_ended", None).await,
            // Whoever came because of a webhook leaves the clock's looks alone.
            _ if step.turn == 0 => Ok(()),
            _ => {
                let mut tx = self.task.begin().await?;
                let next = Look { turn: step.turn + 1, ..*step };
                push(&mut tx, self.shop_id(), &next, now + pause(step.turn), now).await?;
                Ok(self.task.finish(tx).await?)
            }
        }
    }

    /// How far Shopify is.
    async fn ask(&self) -> Result<Option<BulkLook>, StepError> {
        let Some(operation) = &self.run.operation_id else { return Ok(None) };
        Ok(self.admin().await?.bulk_operation(operation).await?)
    }

    /// There is a file to be read: the whole, or what there is of it.
    async fn completed(&self, problem: Option<&str>) -> Result<(), StepError> {
        let (shop, now) = (self.shop_id(), self.now());
        let problem = problem.map(str::to_owned);
        let completed = Run { state: State::Completed, problem, ..self.run.clone() };
        let mut tx = self.task.begin().await?;
        if store::change(&mut tx, shop, &self.run, &completed).await? {
            let read = ReadFile { run: self.run.run_id, attempt: self.run.attempt };
            push(&mut tx, shop, &read, now, now).await?;
        }
        Ok(self.task.finish(tx).await?)
    }

    pub async fn read(&mut self) -> Result<(), StepError> {
        let Some(look) = self.ask().await? else {
            return self.again(State::Expired, "unknown", None).await;
        };
        let (url, size, outcome) = match look.status.as_str() {
            "COMPLETED" => (look.url, look.file_size, State::Read),
            "FAILED" => (look.partial_url, None, State::Failed),
            "CANCELED" => (look.partial_url, None, State::Canceled),
            _ => return self.again(State::Expired, "expired", None).await,
        };
        let problem = self.run.problem.clone();
        let Some(url) = url else { return self.end(outcome, problem.as_deref()).await };
        match read::through(self, &url, size).await {
            Ok(Reading::Whole) => self.end(outcome, problem.as_deref()).await,
            Ok(Reading::Cut) if outcome == State::Read => self.again(State::Cut, "cut", None).await,
            Ok(Reading::Cut) => self.end(outcome, problem.as_deref()).await,
            Err(read::Error::File(FileError::Gone(_))) => self.again(State::Expired, "gone", None).await,
            Err(read::Error::File(FileError::Address(_))) => self.end(State::Failed, Some("address")).await,
            Err(read::Error::File(error)) => Err(error.into()),
            Err(read::Error::Task(error)) => Err(error.into()),
        }
    }

    /// The operation came to nothing: another one is asked for, unless that would come to nothing, too. Then what there
    /// is of the file is read.
    async fn again(&self, outcome: State, problem: &str, look: Option<&BulkLook>) -> Result<(), StepError> {
        let (shop, now) = (self.shop_id(), self.now());
        tracing::warn!(
            %shop, purpose = self.run.purpose, attempt = self.run.attempt, outcome = outcome.as_str(), problem,
            "a bulk operation came to nothing"
        );
        let is_pointless = outcome == State::Canceled || problem == "ACCESS_DENIED";
        if self.run.attempt >= ATTEMPTS || is_pointless {
            return match look.is_some_and(|look| look.partial_url.is_some()) {
                true => self.completed(Some(problem)).await,
                false => self.end(outcome, Some(problem)).await,
            };
        }
        let next = Run {
            state: State::Asked,
            attempt: self.run.attempt + 1,
            sent_at: None,
            operation_id: None,
            problem: Some(problem.to_owned()),
            ..self.run.clone()
        };
        let next = Run { position: 0, lines: 0, odd: 0, ..next };
        let mut tx = self.task.begin().await?;
        if store::change(&mut tx, shop, &self.run, &next).await? {
            let start = Start { run: next.run_id, attempt: next.attempt, turn: 1 };
            let wait = BETWEEN[usize::try_from(self.run.attempt - 1).unwrap_or(0).min(BETWEEN.len() - 1)];
            push(&mut tx, shop, &start, now + wait, now).await?;
        }
        Ok(self.task.finish(tx).await?)
    }

    /// The run is over.
    async fn end(&self, state: State, problem: Option<&str>) -> Result<(), StepError> {
        let problem = problem.map(str::to_owned);
        let ended = Run { state, problem, ended_at: Some(self.now()), ..self.run.clone() };
        let mut tx = self.task.begin().await?;
        if store::change(&mut tx, self.shop_id(), &self.run, &ended).await? {
            self.reader.ends(&mut tx, self.shop_id(), &ended).await?;
        }
        Ok(self.task.finish(tx).await?)
    }

    /// A step that fails is tried again; the last time, the run is over.
    pub async fn or_end(&self, result: Result<(), StepError>) -> Result<(), TaskError> {
        let error = match result {
            Ok(()) => return Ok(()),
            Err(StepError::Task(error)) => return Err(error),
            Err(error) => error,
        };
        let is_last = self.task.attempt() > self.app.config.tasks.retry.len() as i64;
        if is_last {
            tracing::warn!(shop = %self.shop_id(), %error, "a bulk operation is given up");
            return match self.end(State::Failed, Some("unreachable")).await {
                Err(StepError::Task(error)) => Err(error),
                Err(error) => Err(TaskError::Failed(error.to_string())),
                Ok(()) => Ok(()),
            };
        }
        Err(TaskError::Failed(error.to_string()))
    }
}

/// The wait after the `turn`-th look, from 1.
fn pause(turn: i64) -> SignedDuration {
    let doubled = u32::try_from((turn - 1).clamp(0, 16)).unwrap_or_default();
    (FIRST_LOOK * 2_i32.pow(doubled)).min(LONGEST_LOOK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_come_at_growing_intervals() {
        let waits: Vec<_> = (1..=8).map(|turn| pause(turn).as_secs()).collect();
        assert_eq!(waits, [15, 30, 60, 120, 240, 480, 600, 600]);
        assert_eq!(pause(i64::MAX), LONGEST_LOOK);
    }
}
