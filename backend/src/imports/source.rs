//! A file of CSV: what it is written in, and its rows one after the other, in constant memory however large it is.

use std::cell::Cell;
use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use csv::StringRecord;
use encoding_rs::{UTF_8, WINDOWS_1252};
use encoding_rs_io::{DecodeReaderBytes, DecodeReaderBytesBuilder};
use sha2::{Digest, Sha256};

use super::{Error, faults};

/// How much is read at once.
const BUFFER: usize = 64 * 1024;
/// The longest row: what is longer has a quotation mark that nobody closed.
const LONGEST_ROW: usize = 1024 * 1024;
/// What may stand between columns.
const DELIMITERS: [u8; 3] = [b',', b';', b'\t'];

/// What a file is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8, with or without a mark at its start.
    Utf8,
    /// UTF-16, either way round, by the mark at its start.
    Utf16,
    /// No valid UTF-8: taken for what Windows writes in the west.
    Windows1252,
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Encoding::Utf8 => "UTF-8",
            Encoding::Utf16 => "UTF-16",
            Encoding::Windows1252 => "Windows-1252 (it is not UTF-8)",
        })
    }
}

/// A file that was looked at.
#[derive(Debug, Clone)]
pub(super) struct Source {
    path: PathBuf,
    /// SHA-256.
    pub digest: Vec<u8>,
    /// In bytes.
    pub size: u64,
    pub encoding: Encoding,
    pub delimiter: u8,
    /// The names of its columns; those that a file of refused rows has before them are left out.
    pub header: StringRecord,
    skipped: usize,
}

impl Source {
    /// Reads the file once, to know what it is.
    pub fn look(path: &Path) -> Result<Source, Error> {
        let (digest, size, encoding) = scan(File::open(path)?)?;
        let mut source = Source {
            path: path.to_owned(),
            digest,
            size,
            encoding,
            delimiter: b',',
            header: StringRecord::new(),
            skipped: 0,
        };
        let mut start = Vec::new();
        source.decoded(Arc::default())?.take(BUFFER as u64).read_to_end(&mut start)?;
        source.delimiter = delimiter(&start);
        let mut records = source.records(Arc::default())?;
        source.header = records.reader.headers()?.clone();
        if source.header.iter().all(str::is_empty) {
            return Err(Error::Empty);
        }
        source.skipped = faults::columns(&source.header);
        source.header = source.header.iter().skip(source.skipped).collect();
        Ok(source)
    }

    /// Its rows from the first one on. How many bytes are read by then can be seen from outside.
    pub fn records(&self, read: Arc<AtomicU64>) -> Result<Records, Error> {
        let since = Rc::new(Cell::new(0));
        let bounded = Bounded { inner: self.decoded(read)?, since: Rc::clone(&since) };
        let reader = csv::ReaderBuilder::new()
            .delimiter(self.delimiter)
            .flexible(true)
            .buffer_capacity(BUFFER)
            .from_reader(bounded);
        Ok(Records { reader, since, skipped: self.skipped, row: 0 })
    }

    fn decoded(&self, read: Arc<AtomicU64>) -> io::Result<Decoded> {
        let counted = BufReader::with_capacity(BUFFER, Counted { inner: File::open(&self.path)?, read });
        let encoding = match self.encoding {
            Encoding::Windows1252 => WINDOWS_1252,
            // A mark says more than this does.
            Encoding::Utf8 | Encoding::Utf16 => UTF_8,
        };
        Ok(DecodeReaderBytesBuilder::new().encoding(Some(encoding)).bom_override(true).build(counted))
    }
}

type Decoded = DecodeReaderBytes<BufReader<Counted>, Vec<u8>>;

/// The rows of a file.
pub(super) struct Records {
    reader: csv::Reader<Bounded>,
    since: Rc<Cell<usize>>,
    skipped: usize,
    row: i64,
}

impl Records {
    /// The next row and its number: the header is 1, as in a spreadsheet; empty lines are not counted.
    pub fn next(&mut self) -> Result<Option<(i64, StringRecord)>, Error> {
        let mut record = StringRecord::new();
        self.since.set(0);
        self.row += 1;
        match self.reader.read_record(&mut record) {
            Ok(false) => Ok(None),
            Ok(true) if self.skipped > 0 => {
                Ok(Some((self.row + 1, record.iter().skip(self.skipped).collect())))
            }
            Ok(true) => Ok(Some((self.row + 1, record))),
            Err(error) => Err(match error.kind() {
                csv::ErrorKind::Io(io) if io.kind() == io::ErrorKind::QuotaExceeded => {
                    Error::Endless(self.row)
                }
                _ => error.into(),
            }),
        }
    }
}

/// Counts what is read.
struct Counted {
    inner: File,
    read: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.read.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// Ends a row that has no end.
struct Bounded {
    inner: Decoded,
    since: Rc<Cell<usize>>,
}

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.since.get() > LONGEST_ROW {
            return Err(io::ErrorKind::QuotaExceeded.into());
        }
        let read = self.inner.read(buffer)?;
        self.since.set(self.since.get() + read);
        Ok(read)
    }
}

/// Its digest, its size, and what it is written in.
fn scan(mut file: File) -> Result<(Vec<u8>, u64, Encoding), Error> {
    let (mut digest, mut size, mut encoding) = (Sha256::new(), 0, Encoding::Utf8);
    let (mut buffer, mut kept) = (vec![0; BUFFER], 0);
    loop {
        let read = file.read(&mut buffer[kept..])?;
        if size == 0 && (buffer.starts_with(b"\xff\xfe") || buffer.starts_with(b"\xfe\xff")) {
            encoding = Encoding::Utf16;
        }
        digest.update(&buffer[kept..kept + read]);
        size += read as u64;
        if read == 0 {
            // What is left is half of a character.
            let cut = encoding == Encoding::Utf8 && kept > 0;
            return Ok((
                digest.finalize().to_vec(),
                size,
                if cut { Encoding::Windows1252 } else { encoding },
            ));
        }
        let there = kept + read;
        kept = 0;
        if encoding != Encoding::Utf16 && buffer[..there].contains(&0) {
            return Err(Error::NotText);
        }
        if encoding == Encoding::Utf8 {
            let valid = encoding_rs::Encoding::utf8_valid_up_to(&buffer[..there]);
            // A character may go on in what is read next.
            match std::str::from_utf8(&buffer[valid..there]) {
                Err(error) if error.error_len().is_some() => encoding = Encoding::Windows1252,
                _ => {
                    buffer.copy_within(valid..there, 0);
                    kept = there - valid;
                }
            }
        }
    }
}

/// The delimiter that the header has most of, outside of quotation marks.
fn delimiter(start: &[u8]) -> u8 {
    let mut counts = [0; DELIMITERS.len()];
    let mut is_quoted = false;
    for byte in start {
        match byte {
            b'"' => is_quoted = !is_quoted,
            b'\n' | b'\r' if !is_quoted => break,
            _ if is_quoted => {}
            _ => DELIMITERS.iter().zip(&mut counts).for_each(|(one, count)| *count += i32::from(one == byte)),
        }
    }
    // The first of equals.
    let most = counts.iter().zip(DELIMITERS).rev().max_by_key(|(count, _)| **count);
    most.map_or(b',', |(_, delimiter)| delimiter)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn look(bytes: &[u8]) -> Result<(Source, Vec<Vec<String>>), Error> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        let source = Source::look(file.path())?;
        let (mut records, mut rows) = (source.records(Arc::default())?, Vec::new());
        while let Some((row, record)) = records.next()? {
            assert_eq!(row, rows.len() as i64 + 2);
            rows.push(record.iter().map(str::to_owned).collect());
        }
        Ok((source, rows))
    }

    fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn the_same_rows_are_read_whatever_the_file_is_written_in() {
        let text = "email,tier\nada@example.com,Café\n";
        let crlf = text.replace('\n', "\r\n");
        let windows: Vec<u8> = text.chars().map(|c| c as u8).collect();
        for (name, bytes, encoding) in [
            ("plain", text.as_bytes().to_vec(), Encoding::Utf8),
            ("with a mark", format!("\u{feff}{text}").into_bytes(), Encoding::Utf8),
            ("CRLF", crlf.into_bytes(), Encoding::Utf8),
            ("CR", text.replace('\n', "\r").into_bytes(), Encoding::Utf8),
            ("no end of line", text.trim_end().as_bytes().to_vec(), Encoding::Utf8),
            ("empty lines", text.replace('\n', "\n\n").into_bytes(), Encoding::Utf8),
            ("quoted", "\"email\",\"tier\"\n\"ada@example.com\",\"Café\"".into(), Encoding::Utf8),
            ("semicolons", text.replace(',', ";").into_bytes(), Encoding::Utf8),
            ("tabs", text.replace(',', "\t").into_bytes(), Encoding::Utf8),
            (
                "UTF-16, little end first",
                utf16(&format!("\u{feff}{text}"), u16::to_le_bytes),
                Encoding::Utf16,
            ),
            ("UTF-16, big end first", utf16(&format!("\u{feff}{text}"), u16::to_be_bytes), Encoding::Utf16),
            ("Windows", windows, Encoding::Windows1252),
        ] {
            let (source, rows) = look(&bytes).unwrap();
            assert_eq!(source.encoding, encoding, "{name}");
            assert_eq!(source.header, vec!["email", "tier"], "{name}");
            assert_eq!(rows, [["ada@example.com", "Café"]], "{name}");
        }
    }

    #[test]
    fn a_character_is_valid_wherever_the_buffer_ends() {
        for shift in 0..4 {
            let text = format!("email\n{}{}", "x".repeat(shift), "é€😀\n".repeat(BUFFER / 8));
            assert_eq!(look(text.as_bytes()).unwrap().0.encoding, Encoding::Utf8, "{shift}");
        }
        // At the very end there is half of one.
        assert_eq!(look(b"email\ncaf\xc3").unwrap().0.encoding, Encoding::Windows1252);
    }

    #[test]
    fn what_is_no_csv_is_refused() {
        assert!(matches!(look(b""), Err(Error::Empty)));
        assert!(matches!(look(b"\n\n"), Err(Error::Empty)));
        assert!(matches!(look(b"PK\x03\x04\0\0"), Err(Error::NotText)));
        let unmarked = utf16("email,points\n", u16::to_le_bytes);
        assert!(matches!(look(&unmarked), Err(Error::NotText)));
        assert!(matches!(Source::look(Path::new("/nowhere.csv")), Err(Error::Io(_))));
    }

    #[test]
    fn a_quotation_mark_that_nobody_closes_does_not_swallow_the_file() {
        let file = format!(
            "email,points\na@example.com,1\n\"b@example.com,2\n{}",
            "c@example.com,3\n".repeat(200_000)
        );
        assert!(matches!(look(file.as_bytes()), Err(Error::Endless(2))));
    }

    #[test]
    fn the_delimiter_is_the_headers() {
        for (start, found) in [
            ("a,b;c,d\n;;;;;", b','),
            ("\"a,b,c\";d\n", b';'),
            ("a\tb\tc", b'\t'),
            ("email", b','),
            ("", b','),
        ] {
            assert_eq!(delimiter(start.as_bytes()), found, "{start:?}");
        }
    }
}
