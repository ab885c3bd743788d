//! Connections: how many there may be, and how slowly a client may speak.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::config::{self, duration};

/// The wait after the machine could not accept a connection: it has too many files open, say.
const AFTER_FAILURE: Duration = Duration::from_millis(100);

/// Serves until `stop`, then lets the requests in hand finish.
///
/// A client has `web.header_timeout` to send a request's headers, on a new connection and after each answer; headers
/// beyond `web.header_limit` bytes or `web.headers` in number are answered with 431.
pub async fn serve(listener: TcpListener, router: Router, settings: &config::Web, stop: CancellationToken) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(duration(settings.header_timeout))
        .max_headers(settings.headers)
        .max_header_size(settings.header_limit);
    let connections = Arc::new(Semaphore::new(settings.connections));
    let graceful = GracefulShutdown::new();
    loop {
        // Beyond the limit, connections wait in the machine's own queue.
        let permit = tokio::select! {
            () = stop.cancelled() => break,
            permit = connections.clone().acquire_owned() => permit,
        };
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "a connection was not accepted");
                tokio::time::sleep(AFTER_FAILURE).await;
                continue;
            }
        };
        // Answers are small and complete; waiting for more only delays them.
        let _ = stream.set_nodelay(true);
        let service = TowerToHyperService::new(router.clone());
        let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            // A client that hangs up or speaks nonsense is its own affair.
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended");
            }
            drop(permit);
        });
    }
    drop(listener);
    graceful.shutdown().await;
}
