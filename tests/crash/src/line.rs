//! A line to the database that can be cut and mended.

use std::io;
use std::sync::Arc;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A line to PostgreSQL.
pub struct Line {
    /// The same database, through this line.
    pub url: String,
    whole: Arc<watch::Sender<bool>>,
}

impl Line {
    /// A line to the server of a `postgres://USER@HOST:PORT/NAME` URL.
    ///
    /// # Errors
    /// When the URL is another one, or no port is free.
    pub async fn to(url: &str) -> io::Result<Self> {
        let parts = url.split_once('@').and_then(|(before, after)| Some((before, after.split_once('/')?)));
        let (before, (server, name)) = parts.ok_or(io::ErrorKind::InvalidInput)?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let through = format!("{before}@{}/{name}", listener.local_addr()?);
        let whole = Arc::new(watch::Sender::new(true));
        tokio::spawn(carry(listener, server.to_owned(), whole.clone()));
        Ok(Line { url: through, whole })
    }

    /// Every connection breaks, and none can be made.
    pub fn cut(&self) {
        self.whole.send_replace(false);
    }

    /// Connections can be made again.
    pub fn mend(&self) {
        self.whole.send_replace(true);
    }
}

async fn carry(listener: TcpListener, server: String, whole: Arc<watch::Sender<bool>>) {
    while let Ok((mut near, _)) = listener.accept().await {
        let mut whole = whole.subscribe();
        if !*whole.borrow() {
            continue; // dropped: the connection is closed at once
        }
        let server = server.clone();
        tokio::spawn(async move {
            let Ok(mut far) = TcpStream::connect(server).await else { return };
            tokio::select! {
                _ = copy_bidirectional(&mut near, &mut far) => {}
                _ = whole.wait_for(|whole| !whole) => {}
            }
        });
    }
}
