//! The long-running roles: HTTP, workers, or both in one process; and how they stop.

use std::net::SocketAddr;

use clap::ValueEnum;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::config::duration;
use crate::error::Error;
use crate::rounds;
use crate::sync;
use crate::web;

/// What a process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Role {
    /// HTTP and workers.
    All,
    /// HTTP only.
    Web,
    /// Workers only.
    Work,
}

/// Serves at the configured address until the process is asked to stop (SIGTERM, SIGINT).
///
/// # Errors
/// When it cannot listen.
pub async fn serve(app: App, role: Role) -> Result<(), Error> {
    let stop = CancellationToken::new();
    tokio::spawn({
        let stop = stop.clone();
        async move {
            asked_to_stop().await;
            tracing::info!("stopping");
            stop.cancel();
        }
    });
    let listener = match role {
        Role::All | Role::Web => {
            let address = SocketAddr::new(app.config.web.address, app.config.web.port);
            let listening = TcpListener::bind(address).await;
            Some(listening.map_err(|source| Error::Listen { address, source })?)
        }
        Role::Work => None,
    };
    run(app, listener, role != Role::Web, stop).await
}

/// Serves HTTP on a listener, if there is one, and works, if asked to, until `stop`. Then no new connection is
/// taken, and requests and batches in hand may finish within `web.shutdown_timeout`.
///
/// # Errors
/// When the listener fails.
pub async fn run(
    app: App,
    listener: Option<TcpListener>,
    work: bool,
    stop: CancellationToken,
) -> Result<(), Error> {
    let mut tasks: JoinSet<Result<(), Error>> = JoinSet::new();
    if let Some(listener) = listener {
        tracing::info!(address = %listener.local_addr()?, "listening");
        let (router, settings, stop) = (app.router(), app.config.web.clone(), stop.clone());
        tasks.spawn(async move {
            web::serve(listener, router, &settings, stop).await;
            Ok(())
        });
    }
    if let Some(address) = app.config.metrics_address()? {
        let listening = TcpListener::bind(address).await;
        let listener = listening.map_err(|source| Error::Listen { address, source })?;
        let (router, settings, stop) = (web::metrics_router(&app), app.config.web.clone(), stop.clone());
        tasks.spawn(async move {
            web::serve(listener, router, &settings, stop).await;
            Ok(())
        });
    }
    if work {
        let (inbox, until) = (app.inbox.clone(), stop.clone());
        tasks.spawn(async move {
            inbox.work(until).await;
            Ok(())
        });
        tasks.spawn({
            let (app, until) = (app.clone(), stop.clone());
            async move {
                app.tasks.work(app.clone(), until).await;
                Ok(())
            }
        });
        tasks.spawn({
            let (app, until) = (app.clone(), stop.clone());
            async move {
                sync::work(app, until).await;
                Ok(())
            }
        });
        let (app, stop) = (app.clone(), stop.clone());
        tasks.spawn(async move {
            rounds::run(app, stop).await;
            Ok(())
        });
    }
    // Whatever ends first, by request or by failure, ends all.
    let first = tokio::select! {
        () = stop.cancelled() => Ok(()),
        ended = tasks.join_next() => flatten(ended),
    };
    stop.cancel();
    let finished = timeout(duration(app.config.web.shutdown_timeout), async {
        let mut result = first;
        while let Some(ended) = tasks.join_next().await {
            result = result.and(flatten(Some(ended)));
        }
        result
    });
    let result = finished.await.unwrap_or_else(|_| {
        tracing::warn!("stopped with work in hand; it will be done again");
        Ok(())
    });
    tasks.abort_all();
    app.db.close().await;
    result
}

fn flatten(ended: Option<Result<Result<(), Error>, tokio::task::JoinError>>) -> Result<(), Error> {
    match ended {
        None => Ok(()),
        Some(Ok(result)) => result,
        Some(Err(panic)) => Err(Error::Io(std::io::Error::other(panic))),
    }
}

async fn asked_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        let _ = tokio::signal::ctrl_c().await;
        return;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}
