//! A server that knows no HTTP: it answers with bytes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A server that answers every request with these bytes, piece after piece.
pub struct Raw {
    pub url: String,
    asked: Arc<AtomicUsize>,
}

impl Raw {
    pub async fn start(pieces: Vec<Vec<u8>>, pause: Duration) -> Raw {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (asked, pieces) = (Arc::new(AtomicUsize::new(0)), Arc::new(pieces));
        let count = asked.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (count, pieces) = (count.clone(), pieces.clone());
                tokio::spawn(async move {
                    read_request(&mut stream).await;
                    count.fetch_add(1, Ordering::SeqCst);
                    for piece in pieces.iter() {
                        if stream.write_all(piece).await.is_err() {
                            return;
                        }
                        tokio::time::sleep(pause).await;
                    }
                });
            }
        });
        Raw { url, asked }
    }

    /// One whole answer.
    pub async fn answering(status: &str, headers: &str, body: &str) -> Raw {
        let head = head(status, headers, body.len());
        Raw::start(vec![format!("{head}{body}").into_bytes()], Duration::ZERO).await
    }

    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

/// The head of an answer.
pub fn head(status: &str, headers: &str, length: usize) -> String {
    format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n")
}

async fn read_request(stream: &mut TcpStream) {
    let (mut request, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let read = stream.read(&mut buffer).await.unwrap_or(0);
        request.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&request);
        let whole = text.split_once("\r\n\r\n").is_some_and(|(head, body)| {
            let length = head.to_lowercase();
            let length = length.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
            body.len() >= length.unwrap_or(0)
        });
        if whole || read == 0 {
            return;
        }
    }
}
