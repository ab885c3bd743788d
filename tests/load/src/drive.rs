//! Connections that are kept open and send one request after the other.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use jiff::Timestamp;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::webhook::Webhook;

/// Longer answers are not of a server that takes webhooks.
const LONGEST_ANSWER: usize = 64 * 1024;

/// How requests are sent.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Connections, each with one request at a time.
    pub connections: usize,
    /// No request is begun later than this.
    pub at_most: Duration,
    /// So many requests a second; none: each as soon as its connection is free.
    pub rate: Option<u32>,
}

/// What came of some requests.
#[derive(Debug)]
pub struct Driven {
    /// From the first request to the last answer.
    pub time: Duration,
    /// Those that were answered, all with 200.
    pub answers: Vec<Answer>,
}

/// An answer of 200.
#[derive(Debug, Clone, Copy)]
pub struct Answer {
    /// Which of the webhooks was answered.
    pub webhook: usize,
    /// How long it took; at a rate, from when it was due, so that a server which keeps requests waiting shows it.
    pub latency: Duration,
    /// When it came.
    pub at: Timestamp,
}

/// Sends webhooks, each once, until all are answered or the time is up.
///
/// # Errors
/// When an answer is anything but 200, or a connection fails.
pub async fn drive(server: SocketAddr, webhooks: &Arc<Vec<Webhook>>, pace: Pace) -> Result<Driven> {
    let next = Arc::new(AtomicUsize::new(0));
    let mut streams = Vec::with_capacity(pace.connections);
    for _ in 0..pace.connections {
        let stream = TcpStream::connect(server).await.with_context(|| format!("{server} does not answer"))?;
        stream.set_nodelay(true)?;
        streams.push(stream);
    }
    let start = Instant::now();
    let mut connections = JoinSet::new();
    for stream in streams {
        connections.spawn(connection(stream, webhooks.clone(), next.clone(), start, pace));
    }
    let mut answers = Vec::with_capacity(webhooks.len());
    while let Some(ended) = connections.join_next().await {
        answers.append(&mut ended??);
    }
    Ok(Driven { time: start.elapsed(), answers })
}

async fn connection(
    mut stream: TcpStream,
    webhooks: Arc<Vec<Webhook>>,
    next: Arc<AtomicUsize>,
    start: Instant,
    pace: Pace,
) -> Result<Vec<Answer>> {
    let mut answers = Vec::new();
    let mut buffer = Vec::with_capacity(4_096);
    while start.elapsed() < pace.at_most {
        let at = next.fetch_add(1, Ordering::Relaxed);
        let Some(webhook) = webhooks.get(at) else { break };
        let mut begun = Instant::now();
        if let Some(rate) = pace.rate {
            let due = start + Duration::from_secs_f64(at as f64 / f64::from(rate));
            tokio::time::sleep_until(due.into()).await;
            begun = due;
        }
        stream.write_all(&webhook.request).await?;
        let status = answer(&mut stream, &mut buffer).await?;
        let latency = begun.elapsed();
        if status != 200 {
            bail!("webhook {} was answered with {status}: {}", webhook.id, String::from_utf8_lossy(&buffer));
        }
        answers.push(Answer { webhook: at, latency, at: Timestamp::now() });
    }
    Ok(answers)
}

/// Reads one answer to its end and gives its status.
async fn answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Result<u16> {
    buffer.clear();
    loop {
        ensure!(stream.read_buf(buffer).await? > 0, "the server hung up");
        if let Some((status, length)) = head(buffer)? {
            ensure!(buffer.len() <= length, "more than was asked for");
            if buffer.len() == length {
                return Ok(status);
            }
        }
        ensure!(buffer.len() < LONGEST_ANSWER, "the answer has no end");
    }
}

/// The status of an answer and how long it is in all; none while its head is not there.
fn head(answer: &[u8]) -> Result<Option<(u16, usize)>> {
    let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
    let head = str::from_utf8(&answer[..end])?;
    let mut lines = head.split("\r\n");
    let first = lines.next().unwrap_or_default();
    let status = first.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.with_context(|| format!("no HTTP answer: {first}"))?;
    let length = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    Ok(Some((status, end + 4 + length.with_context(|| format!("an answer of unknown length: {head}"))?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answers_head_says_its_status_and_length() {
        let answer = b"HTTP/1.1 200 OK\r\nX: 1\r\ncontent-length: 2\r\n\r\nOK";
        assert_eq!(head(answer).unwrap(), Some((200, answer.len())));
        assert_eq!(head(b"HTTP/1.1 200 OK\r\ncontent-le").unwrap(), None);
        assert!(head(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
        assert!(head(b"SSH-2.0\r\n\r\n").is_err());
    }
}
