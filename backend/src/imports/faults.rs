//! The file of rows that were refused: each with what is wrong with it, and as it was, so that it can be mended and
//! imported again.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use csv::StringRecord;

use super::columns::{Columns, Fields};
use super::row::Refusal;
use super::source::Source;

/// What stands before a refused row. A file that begins with these is read without them.
const TITLES: [&str; 4] = ["error_row", "error_column", "error_code", "error"];

/// How many columns before the others are these.
pub(super) fn columns(header: &StringRecord) -> usize {
    if header.iter().take(TITLES.len()).eq(TITLES) { TITLES.len() } else { 0 }
}

/// The file; there is none until a row is refused.
pub(super) struct Faults {
    path: PathBuf,
    delimiter: u8,
    header: StringRecord,
    writer: Option<csv::Writer<File>>,
}

impl Faults {
    /// A new file, in place of an older one of this name.
    pub fn new(path: &Path, source: &Source) -> io::Result<Faults> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        Ok(Faults {
            path: path.to_owned(),
            delimiter: source.delimiter,
            header: source.header.clone(),
            writer: None,
        })
    }

    /// The file of a run that broke, without what it says of rows after the last one that was committed.
    pub fn resume(path: &Path, source: &Source, last_row: i64) -> Result<Faults, csv::Error> {
        let old = path.with_added_extension("old");
        match fs::rename(path, &old) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Faults::new(path, source)?),
            other => other?,
        }
        let mut faults = Faults::new(path, source)?;
        let mut reader =
            csv::ReaderBuilder::new().delimiter(source.delimiter).flexible(true).from_path(&old)?;
        for record in reader.records() {
            // Only the last one can be half a row.
            let Ok(record) = record else { break };
            if record.get(0).and_then(|row| row.parse::<i64>().ok()).is_some_and(|row| row <= last_row) {
                faults.open()?.write_record(&record)?;
            }
        }
        faults.flush()?;
        fs::remove_file(&old)?;
        Ok(faults)
    }

    /// Writes a row down.
    pub fn write<F: Fields>(
        &mut self,
        (row, record): (i64, &StringRecord),
        columns: &Columns<F>,
        Refusal { field, fault }: Refusal<F>,
    ) -> Result<(), csv::Error> {
        let (row, words) = (row.to_string(), fault.to_string());
        let what = [row.as_str(), columns.title(field), fault.code(), words.as_str()];
        self.open()?.write_record(what.into_iter().chain(record))
    }

    /// What was written is in the file.
    pub fn flush(&mut self) -> io::Result<()> {
        self.writer.as_mut().map_or(Ok(()), csv::Writer::flush)
    }

    fn open(&mut self) -> Result<&mut csv::Writer<File>, csv::Error> {
        let writer = match self.writer.take() {
            Some(writer) => writer,
            None => {
                let mut builder = csv::WriterBuilder::new();
                let mut writer = builder.delimiter(self.delimiter).flexible(true).from_path(&self.path)?;
                writer.write_record(TITLES.into_iter().chain(&self.header))?;
                writer
            }
        };
        Ok(self.writer.insert(writer))
    }
}
