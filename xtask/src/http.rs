//! Just enough HTTP to see whether a program of ours answers on loopback.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::service::Running;

const TIMEOUT: Duration = Duration::from_secs(30);

/// Fetches `http://HOST:PORT/…`; returns the status and what follows the status line, headers included.
pub fn get(url: &str) -> Result<(u16, String)> {
    ask("GET", url)
}

/// Posts nothing to `http://HOST:PORT/…`; answers as [`get`].
pub fn post(url: &str) -> Result<(u16, String)> {
    ask("POST", url)
}

fn ask(method: &str, url: &str) -> Result<(u16, String)> {
    let address = url.strip_prefix("http://").with_context(|| format!("{url} is not plain HTTP"))?;
    let (host, path) = address.split_once('/').unwrap_or((address, ""));
    let mut stream = TcpStream::connect(host)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    let head = format!("{method} /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
    write!(stream, "{head}Content-Length: 0\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer);
    let (first, rest) = answer.split_once("\r\n").context("no HTTP answer")?;
    let status = first.split(' ').nth(1).and_then(|status| status.parse().ok()).context("no HTTP status")?;
    Ok((status, rest.to_owned()))
}

/// Waits until the service answers this address with 200.
pub fn wait_for(url: &str, service: &mut Running, timeout: Duration) -> Result<()> {
    let start = Instant::now();
    loop {
        if matches!(get(url), Ok((200, _))) {
            return Ok(());
        }
        if let Some(status) = service.ended()? {
            bail!("it ended with {status}. It said:\n{}", service.last_words());
        }
        if start.elapsed() > timeout {
            bail!("{url} does not answer. The program said:\n{}", service.last_words());
        }
        thread::sleep(Duration::from_millis(50));
    }
}
