//! From bytes to lines: whole ones of bounded length, each an object or nothing that can be read.

use std::io::{self, Write};

use serde_json::Value;

/// No object of ours comes near it, in bytes.
const LONGEST_LINE: usize = 1 << 20;
/// A batch is full with this many lines,
const LINES: u64 = 2_000;
/// or with this many bytes of them.
const BYTES: u64 = 2 << 20;

/// A global id: `gid://shopify/Customer/1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gid {
    /// The type.
    pub kind: String,
    /// The number.
    pub number: i64,
}

/// An object of the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Whose line it is.
    pub id: Gid,
    /// Below which object it stands; that one's line comes before or after.
    pub parent: Option<Gid>,
    /// All of it.
    pub object: Value,
}

impl Gid {
    fn of(value: &Value) -> Option<Gid> {
        let (kind, number) = value.as_str()?.strip_prefix("gid://shopify/")?.split_once('/')?;
        Some(Gid { kind: kind.to_owned(), number: number.parse().ok()? })
    }
}

impl Line {
    /// Reads a line; none if it is no object with a global id.
    pub fn read(text: &[u8]) -> Option<Line> {
        let object: Value = serde_json::from_slice(text).ok()?;
        let id = Gid::of(object.get("id")?)?;
        let parent = object.get("__parentId").and_then(Gid::of);
        Some(Line { id, parent, object })
    }
}

/// Lines that are acted upon together.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub lines: Vec<Line>,
    /// How many were there, whatever they were; empty ones are none.
    pub count: i64,
    /// How many could not be read.
    pub odd: i64,
    /// Where in the file the next line begins.
    pub position: u64,
    /// Where the first began.
    from: u64,
}

impl Batch {
    pub fn is_full(&self) -> bool {
        self.lines.len() as u64 >= LINES || self.position - self.from >= BYTES
    }

    /// Takes a line whose end is at `position`; of one that is too long, nothing is known.
    fn take(&mut self, line: Option<&[u8]>, position: u64) {
        self.position = position;
        let text = line.map(<[u8]>::trim_ascii);
        if text.is_some_and(<[u8]>::is_empty) {
            return;
        }
        self.count += 1;
        match text.and_then(Line::read) {
            Some(line) => self.lines.push(line),
            None => self.odd += 1,
        }
    }
}

/// Cuts a file into lines, from a position on.
pub(super) struct Splitter {
    /// Bytes to pass by first.
    skip: u64,
    at: u64,
    line: Vec<u8>,
    is_too_long: bool,
    pub batch: Batch,
}

impl Splitter {
    /// The bytes that come begin at `begin`, lines are wanted from `from` on, where one begins.
    pub fn new(begin: u64, from: u64) -> Self {
        let batch = Batch { position: from, from, ..Batch::default() };
        Splitter { skip: from - begin, at: begin, line: Vec::new(), is_too_long: false, batch }
    }

    /// How many bytes came, those before the first one included.
    pub fn at(&self) -> u64 {
        self.at
    }

    /// What was cut so far; the next batch begins after it.
    pub fn take(&mut self) -> Batch {
        let from = self.batch.position;
        std::mem::replace(&mut self.batch, Batch { position: from, from, ..Batch::default() })
    }

    /// The file is over. Its last line may have no end; false if it was cut in two.
    pub fn finish(&mut self) -> bool {
        if self.skip > 0 {
            return false;
        }
        let line = std::mem::take(&mut self.line);
        if self.is_too_long
            || (!line.trim_ascii().is_empty() && serde_json::from_slice::<Value>(&line).is_err())
        {
            return false;
        }
        self.batch.take(Some(&line), self.at);
        true
    }

    fn push(&mut self, part: &[u8]) {
        if self.line.len() + part.len() > LONGEST_LINE {
            self.is_too_long = true;
            self.line = Vec::new();
        }
        if !self.is_too_long {
            self.line.extend_from_slice(part);
        }
    }
}

impl Write for Splitter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let skipped = bytes.len().min(usize::try_from(self.skip).unwrap_or(usize::MAX));
        self.skip -= skipped as u64;
        self.at += skipped as u64;
        for part in bytes[skipped..].split_inclusive(|byte| *byte == b'\n') {
            self.at += part.len() as u64;
            self.push(part);
            if part.ends_with(b"\n") {
                let line = (!self.is_too_long).then_some(self.line.as_slice());
                self.batch.take(line, self.at);
                self.line.clear();
                self.is_too_long = false;
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(file: &str, pieces: usize, from: u64) -> (Batch, bool) {
        let mut splitter = Splitter::new(0, from);
        for piece in file.as_bytes().chunks(pieces) {
            splitter.write_all(piece).unwrap();
        }
        let whole = splitter.finish();
        (splitter.take(), whole)
    }

    fn ids(batch: &Batch) -> Vec<i64> {
        batch.lines.iter().map(|line| line.id.number).collect()
    }

    const FILE: &str = "{\"id\":\"gid://shopify/Metafield/1\",\"__parentId\":\"gid://shopify/Customer/2\"}\r\n\n\
                        no json\n[1]\n{\"id\":7}\n{\"id\":\"gid://shopify/Customer/2\"}\n";

    #[test]
    fn lines_are_the_same_however_the_bytes_come() {
        for pieces in 1..FILE.len() {
            let (batch, whole) = split(FILE, pieces, 0);
            assert_eq!((ids(&batch), batch.count, batch.odd, whole), (vec![1, 2], 5, 3, true));
            assert_eq!(batch.position, FILE.len() as u64);
            let parent = Gid { kind: "Customer".into(), number: 2 };
            assert_eq!(
                (batch.lines[0].parent.as_ref(), batch.lines[0].id.kind.as_str()),
                (Some(&parent), "Metafield")
            );
        }
    }

    #[test]
    fn a_file_is_read_on_from_where_a_line_begins() {
        let from = FILE.find("no json").unwrap() as u64;
        let (batch, whole) = split(FILE, 5, from);
        assert_eq!((ids(&batch), batch.odd, whole), (vec![2], 3, true));
        let (_, whole) = split(FILE, 5, FILE.len() as u64 + 1);
        assert!(!whole, "it is shorter than it was");
    }

    #[test]
    fn a_file_that_is_cut_in_a_line_is_not_whole_and_that_line_is_not_acted_upon() {
        let cut = &FILE[..FILE.len() - 5];
        let (batch, whole) = split(cut, 7, 0);
        assert_eq!((ids(&batch), whole), (vec![1], false));
        assert_eq!(batch.position as usize, cut.rfind('\n').unwrap() + 1);
        let (batch, whole) = split(&FILE[..FILE.len() - 1], 7, 0);
        assert_eq!((ids(&batch), whole), (vec![1, 2], true), "only the last end is missing");
    }

    #[test]
    fn a_line_without_an_end_takes_no_memory() {
        let mut splitter = Splitter::new(0, 0);
        for _ in 0..64 {
            splitter.write_all(&[b'x'; 1 << 16]).unwrap();
            assert!(splitter.line.capacity() <= 2 * LONGEST_LINE);
        }
        splitter.write_all(b"\n{\"id\":\"gid://shopify/Customer/9\"}\n").unwrap();
        let batch = splitter.take();
        assert_eq!((ids(&batch), batch.odd), (vec![9], 1));
    }
}
