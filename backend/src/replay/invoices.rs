//! Order lines from a CSV file, gathered into invoices.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use serde::Deserialize;

/// The columns, in any order.
const COLUMNS: [&str; 6] = ["invoice", "time", "customer", "stock_code", "quantity", "price_pence"];

/// Why a file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// A column is missing.
    #[error("the file has no column `{0}`; it needs {columns}", columns = COLUMNS.join(","))]
    Column(&'static str),
    /// A row that is none.
    #[error("{0}")]
    Row(#[from] csv::Error),
    /// A value beyond reason.
    #[error("invoice {0}: a quantity or price is beyond range")]
    Range(String),
    /// No rows.
    #[error("the file has no rows")]
    Empty,
}

/// A row of the file.
#[derive(Debug, Deserialize)]
struct Row {
    invoice: String,
    time: jiff::civil::DateTime,
    customer: i64,
    stock_code: String,
    quantity: i64,
    price_pence: i64,
}

/// An invoice: an order, or where it cancels (`C…`), what came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Invoice {
    pub number: String,
    /// Local to the shop.
    pub time: jiff::civil::DateTime,
    pub customer: i64,
    pub lines: Vec<Line>,
}

/// A line of an invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub stock_code: String,
    pub quantity: i64,
    /// Of a unit, in minor units.
    pub price: i64,
}

impl Invoice {
    /// Whether it tells what came back.
    pub fn is_cancellation(&self) -> bool {
        self.number.starts_with('C')
    }
}

/// Reads a CSV file, gzipped or not, into invoices, in the order in which they first appear.
pub(super) fn read(path: &Path) -> Result<Vec<Invoice>, Error> {
    let file = BufReader::new(File::open(path)?);
    let is_gzip = path.extension().is_some_and(|extension| extension == "gz");
    gather(if is_gzip { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) as Box<dyn Read> })
}

fn gather(source: impl Read) -> Result<Vec<Invoice>, Error> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(source);
    let headers = reader.headers()?.clone();
    if let Some(missing) = COLUMNS.into_iter().find(|column| !headers.iter().any(|header| header == *column))
    {
        return Err(Error::Column(missing));
    }
    let mut invoices: Vec<Invoice> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for row in reader.deserialize() {
        let Row { invoice, time, customer, stock_code, quantity, price_pence } = row?;
        let value = quantity.checked_mul(price_pence).filter(|value| value.abs() <= loyalty::LIMIT);
        if value.is_none() || quantity == i64::MIN {
            return Err(Error::Range(invoice));
        }
        let place = *places.entry(invoice.clone()).or_insert_with(|| {
            invoices.push(Invoice { number: invoice, time, customer, lines: Vec::new() });
            invoices.len() - 1
        });
        invoices[place].lines.push(Line { stock_code, quantity, price: price_pence });
    }
    if invoices.is_empty() { Err(Error::Empty) } else { Ok(invoices) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "invoice,time,customer,stock_code,quantity,price_pence\n";

    fn gathered(rows: &str) -> Result<Vec<Invoice>, String> {
        gather(format!("{HEADER}{rows}").as_bytes()).map_err(|error| error.to_string())
    }

    #[test]
    fn rows_are_gathered_into_invoices() {
        let invoices = gathered(
            "1,2009-12-01T07:45:00,7,A,2,150\n2,2009-12-01T07:46:00,8,B,1,99\n1,2009-12-01T07:45:00,7,B,1,99\n\
             C3,2009-12-02T07:45:00,7,A,-1,150\n",
        )
        .unwrap();
        let shape: Vec<_> = invoices.iter().map(|i| (i.number.as_str(), i.customer, i.lines.len())).collect();
        assert_eq!(shape, [("1", 7, 2), ("2", 8, 1), ("C3", 7, 1)]);
        assert!(invoices[2].is_cancellation());
    }

    #[test]
    fn what_is_no_such_file_is_refused_with_its_line() {
        assert_eq!(gathered("").unwrap_err(), "the file has no rows");
        assert!(gathered("1,yesterday,7,A,2,150\n").unwrap_err().contains("line: 2"));
        assert!(gathered("1,2009-12-01T07:45:00,7,A,2\n").unwrap_err().contains("line: 2"));
        assert!(
            gathered("1,2009-12-01T07:45:00,7,A,9999999999,9999999999\n")
                .unwrap_err()
                .contains("beyond range")
        );
        let missing = gather("invoice,time\n1,2\n".as_bytes()).unwrap_err().to_string();
        assert!(missing.starts_with("the file has no column `customer`"), "{missing}");
    }
}
