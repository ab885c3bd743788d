//! A line to PostgreSQL that stops for good at one commit: just before it reaches the server, or just after the server has
//! done it and before the program hears of that.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::OwnedReadHalf;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// A commit as the driver sends it: a simple query.
const COMMIT: &[u8] = b"COMMIT\0";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stops {
    /// The commit is lost.
    Before,
    /// The commit is done, and nobody hears of it.
    After,
}

pub struct Tripwire {
    /// The same database, through this line.
    pub url: String,
    state: Arc<State>,
}

struct State {
    commits: AtomicU64,
    at: u64,
    stops: Stops,
    tripped: Notify,
}

impl Tripwire {
    /// A line to the server of a `postgres://USER@HOST:PORT/NAME` URL that stops at its commit with this number, from 1.
    pub async fn at(url: &str, at: u64, stops: Stops) -> Self {
        let (before, after) = url.split_once('@').unwrap();
        let (server, name) = after.split_once('/').unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let through = format!("{before}@{}/{name}", listener.local_addr().unwrap());
        let state = Arc::new(State { commits: AtomicU64::new(0), at, stops, tripped: Notify::new() });
        tokio::spawn(carry(listener, server.to_owned(), state.clone()));
        Tripwire { url: through, state }
    }

    /// Waits until it has stopped.
    pub async fn tripped(&self) {
        self.state.tripped.notified().await;
    }
}

async fn carry(listener: TcpListener, server: String, state: Arc<State>) {
    while let Ok((near, _)) = listener.accept().await {
        let Ok(far) = TcpStream::connect(&server).await else { return };
        let (mut from_near, mut to_near) = near.into_split();
        let (mut from_far, mut to_far) = far.into_split();
        let state = state.clone();
        tokio::spawn(async move {
            let mut asked = vec![0; 64 * 1024];
            let mut answered = vec![0; 64 * 1024];
            loop {
                tokio::select! {
                    count = from_near.read(&mut asked) => {
                        let Ok(count @ 1..) = count else { return };
                        let is_commit = asked[..count].windows(COMMIT.len()).any(|window| window == COMMIT);
                        let trips = is_commit && state.commits.fetch_add(1, Ordering::SeqCst) + 1 == state.at;
                        if trips && state.stops == Stops::Before {
                            return stop(&state, &mut from_near).await;
                        }
                        if to_far.write_all(&asked[..count]).await.is_err() { return }
                        if trips {
                            // What the server answers to a commit is that it is done.
                            let _ = from_far.read(&mut answered).await;
                            return stop(&state, &mut from_near).await;
                        }
                    }
                    count = from_far.read(&mut answered) => {
                        let Ok(count @ 1..) = count else { return };
                        if to_near.write_all(&answered[..count]).await.is_err() { return }
                    }
                }
            }
        });
    }
}

/// Says so and keeps the line open until the program is gone: it is to be killed, not to be told.
async fn stop(state: &State, from_near: &mut OwnedReadHalf) {
    state.tripped.notify_one();
    let mut rest = [0; 1024];
    while from_near.read(&mut rest).await.is_ok_and(|count| count > 0) {}
}
