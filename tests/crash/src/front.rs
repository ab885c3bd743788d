//! The one address of all processes: each connection goes to one that takes it, as a load balancer does.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};

/// Listens, and hands connections to the processes at these ports, in turn. It ends only when it fails.
///
/// # Errors
/// When no connection can be taken.
pub async fn open(listener: TcpListener, ports: Vec<u16>) -> io::Result<()> {
    let (ports, turn) = (Arc::new(ports), Arc::new(AtomicUsize::new(0)));
    loop {
        let (mut near, _) = listener.accept().await?;
        let (ports, first) = (ports.clone(), turn.fetch_add(1, Ordering::Relaxed));
        tokio::spawn(async move {
            for at in 0..ports.len() {
                let port = ports[(first + at) % ports.len()];
                if let Ok(mut far) = TcpStream::connect(("127.0.0.1", port)).await {
                    // It breaks when the process does.
                    copy_bidirectional(&mut near, &mut far).await.ok();
                    return;
                }
            }
        });
    }
}
