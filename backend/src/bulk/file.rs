//! A file that Shopify made, over HTTP: not from the shop, but from wherever its storage is.

use std::io::{self, Write};
use std::time::Duration;

use flate2::write::GzDecoder;
use reqwest::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_RANGE, HeaderMap, RANGE};
use reqwest::{Method, StatusCode};

use super::lines::Splitter;
use crate::outgoing::{self, AddressError, Outgoing};

/// How long a file may take in all; no part of it may take long (`outgoing`).
const IN_ALL: Duration = Duration::from_secs(6 * 3_600);
/// What a part unpacks to is cut into lines before the next is unpacked: at most a thousand times as much.
const PACKED: usize = 4 << 10;

/// Why a file cannot be read on. The address is a secret for as long as it is good, and is not told.
#[derive(Debug, thiserror::Error)]
pub(super) enum FileError {
    /// The address is none that may be asked.
    #[error("the file's address: {0}")]
    Address(AddressError),
    /// There is no such file (any more).
    #[error("the file is gone: {0}")]
    Gone(StatusCode),
    /// Something else was answered.
    #[error("the file was answered with {0}")]
    Answer(StatusCode),
    /// The connection broke, or took too long.
    #[error("the file's connection broke")]
    Broken(#[source] outgoing::Error),
    /// It is packed, and cannot be unpacked.
    #[error("the file cannot be unpacked")]
    Packed(#[source] io::Error),
}

/// A file on its way.
pub(super) struct File {
    response: reqwest::Response,
    unpacker: Unpacker,
    /// What came and is not yet cut into lines.
    part: Vec<u8>,
    done: usize,
}

enum Unpacker {
    Plain(Splitter),
    Gzip(Box<GzDecoder<Splitter>>),
}

impl File {
    /// Opens it, to be read from a position on; none if nothing comes after that. Where the middle cannot be had, what is
    /// before it is passed by.
    pub async fn open(files: &Outgoing, url: &str, from: u64) -> Result<Option<File>, FileError> {
        let request = files.request(Method::GET, url).map_err(FileError::Address)?.timeout(IN_ALL);
        let request = match from {
            0 => request.header(ACCEPT_ENCODING, "gzip"),
            from => request.header(ACCEPT_ENCODING, "identity").header(RANGE, format!("bytes={from}-")),
        };
        let response = files.send(request).await.map_err(broken)?;
        let begin = match response.status() {
            StatusCode::OK => 0,
            StatusCode::PARTIAL_CONTENT if begins_at(response.headers(), from) => from,
            StatusCode::RANGE_NOT_SATISFIABLE => return Ok(None),
            status @ (StatusCode::FORBIDDEN | StatusCode::NOT_FOUND | StatusCode::GONE) => {
                return Err(FileError::Gone(status));
            }
            status => return Err(FileError::Answer(status)),
        };
        let splitter = Splitter::new(begin, from);
        let unpacker = match response.headers().get(CONTENT_ENCODING).map(|encoding| encoding.as_bytes()) {
            None | Some(b"identity") => Unpacker::Plain(splitter),
            Some(_) => Unpacker::Gzip(Box::new(GzDecoder::new(splitter))),
        };
        Ok(Some(File { response, unpacker, part: Vec::new(), done: 0 }))
    }

    /// Reads on until a batch is full; false if the file is over.
    pub async fn fill(&mut self) -> Result<bool, FileError> {
        while !self.splitter().batch.is_full() {
            if self.done == self.part.len() {
                let Some(part) = self.response.chunk().await.map_err(|error| broken(error.into()))? else {
                    self.unpacker.finish()?;
                    return Ok(false);
                };
                (self.part, self.done) = (part.into(), 0);
            }
            let end = self.part.len().min(self.done + PACKED);
            self.unpacker.write(&self.part[self.done..end])?;
            self.done = end;
        }
        Ok(true)
    }

    /// What was read, as lines.
    pub fn splitter(&mut self) -> &mut Splitter {
        match &mut self.unpacker {
            Unpacker::Plain(splitter) => splitter,
            Unpacker::Gzip(decoder) => decoder.get_mut(),
        }
    }
}

impl Unpacker {
    fn write(&mut self, bytes: &[u8]) -> Result<(), FileError> {
        match self {
            Unpacker::Plain(splitter) => splitter.write_all(bytes),
            Unpacker::Gzip(decoder) => decoder.write_all(bytes),
        }
        .map_err(FileError::Packed)
    }

    fn finish(&mut self) -> Result<(), FileError> {
        match self {
            Unpacker::Plain(_) => Ok(()),
            Unpacker::Gzip(decoder) => decoder.try_finish().map_err(FileError::Packed),
        }
    }
}

fn broken(error: outgoing::Error) -> FileError {
    match error {
        outgoing::Error::Address(error) => FileError::Address(error),
        error => FileError::Broken(error),
    }
}

/// Whether a part of the file is the one that was asked for: `Content-Range: bytes FROM-TO/ALL`.
fn begins_at(headers: &HeaderMap, from: u64) -> bool {
    let range = headers.get(CONTENT_RANGE).and_then(|range| range.to_str().ok());
    let begin = range.and_then(|range| range.strip_prefix("bytes ")?.split_once('-')?.0.parse::<u64>().ok());
    begin == Some(from)
}
