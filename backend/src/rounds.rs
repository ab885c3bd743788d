//! Work that comes round: every job is small, safe to run anywhere at any time, and tried again at its next turn.
//!
//! These are no tasks of the queue (`chores.rs`): somebody waits for them (set-ups, events, holds, tags come
//! within seconds, and a row of their own says what is due), or they must go on when the queue stands still (the
//! watch over the inbox), or they feed the queue.

use std::fmt::Display;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::{merchants, redemptions};

/// How often holds are looked for whose time has come.
const ADVANCE_EVERY: Duration = Duration::from_secs(5);
/// How often orders are looked for that are to be tagged.
const TAG_EVERY: Duration = Duration::from_secs(5);

/// How often shops are looked for that installed the app: a merchant is looking at it.
const SET_UP_EVERY: Duration = Duration::from_secs(1);
/// How often domain events are looked for that are to be delivered.
const DELIVER_EVERY: Duration = Duration::from_millis(500);
/// How often shops are looked for whose webhooks wait too long.
const WATCH_EVERY: Duration = Duration::from_secs(30);
/// How often the clock is looked at for tasks that it starts.
const TICK_EVERY: Duration = Duration::from_secs(15);

/// Works until asked to stop; then the jobs in hand finish.
pub async fn run(app: App, stop: CancellationToken) {
    let mut rounds = JoinSet::new();
    rounds.spawn(round(app.clone(), stop.clone(), ADVANCE_EVERY, "advance redemptions", |app| async move {
        redemptions::jobs::advance_due(&app.db, &app.clock).await
    }));
    rounds.spawn(round(app.clone(), stop.clone(), SET_UP_EVERY, "set up shops", |app| async move {
        merchants::set_up_due(&app).await
    }));
    rounds.spawn(round(app.clone(), stop.clone(), DELIVER_EVERY, "deliver events", |app| async move {
        app.events.deliver_due().await
    }));
    rounds.spawn(round(app.clone(), stop.clone(), TICK_EVERY, "start tasks", |app| async move {
        app.tasks.tick().await
    }));
    rounds.spawn(round(app.clone(), stop.clone(), WATCH_EVERY, "watch the inbox", |app| async move {
        app.inbox.watch().await
    }));
    rounds.spawn(round(app, stop, TAG_EVERY, "tag orders", |app| async move {
        redemptions::jobs::tag_flagged(&app).await
    }));
    while rounds.join_next().await.is_some() {}
}

/// Runs a job again and again: at once while it finds work, after a pause when it finds none or fails.
async fn round<Job, Turn, E>(app: App, stop: CancellationToken, pause: Duration, name: &'static str, job: Job)
where
    Job: Fn(App) -> Turn + Send,
    Turn: Future<Output = Result<usize, E>> + Send,
    E: Display,
{
    while !stop.is_cancelled() {
        match job(app.clone()).await {
            Ok(0) => {}
            Ok(count) => {
                tracing::debug!(job = name, count);
                continue;
            }
            Err(error) => tracing::error!(job = name, %error, "a job failed; it is tried again"),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = sleep(pause) => {}
        }
    }
}
