//! Export: everything that a shop has here, as files of its own.
//!
//! ```text
//! FOLDER/manifest.json        the format's version, when, of whom, and how many rows each file has; written last
//! FOLDER/members.csv          members as `loyalnest import` reads them
//! FOLDER/tables/NAME.jsonl    a row to a line, of every table that is the shop's
//! ```
//!
//! All of it is one state of the database, read as it comes: memory does not grow with the shop. What is sealed (tokens,
//! addresses, bodies of webhooks) is left out, and so is what is only on its way (see `ON_ITS_WAY`).

pub mod command;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use serde::Serialize;

use crate::app::App;
use crate::db::{self, Table, Timestamp};
use crate::imports;
use crate::merchants::Shop;

/// The version of the files' shape. A change that old readers cannot read raises it.
pub const VERSION: u32 = 1;

/// Rooms whose tables are work in progress and no one's property: what they say is in other tables, or will be.
const ON_ITS_WAY: [&str; 5] = ["inbox_", "events_", "tasks", "budgets_", "bulk_"];

/// What an export holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Manifest {
    /// The version of the files' shape.
    pub version: u32,
    /// The shop's permanent domain.
    pub shop: String,
    /// Which state it is (UTC).
    pub made_at: Timestamp,
    /// Members in `members.csv`.
    pub members: u64,
    /// The tables.
    pub tables: Vec<Rows>,
}

/// A table's file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rows {
    /// The table's name.
    pub table: &'static str,
    /// How many rows it has.
    pub rows: u64,
    /// How long they are kept here, in words.
    pub kept: &'static str,
}

/// Why an export was not made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder is in use.
    #[error("the folder is not empty")]
    NotEmpty,
    /// The files cannot be written.
    #[error("the export cannot be written")]
    Io(#[from] std::io::Error),
    /// A row cannot be written.
    #[error("a row cannot be written")]
    Json(#[from] serde_json::Error),
    /// The members.
    #[error(transparent)]
    Members(#[from] imports::Error),
    /// The database.
    #[error(transparent)]
    Db(#[from] db::Error),
}

/// Writes everything that a shop has into a folder that is new or empty.
///
/// # Errors
/// [`Error`] says why not. Without a manifest a folder is no export.
pub async fn export(app: &App, shop: &Shop, folder: &Path) -> Result<Manifest, Error> {
    let tables = folder.join("tables");
    std::fs::create_dir_all(folder)?;
    if std::fs::read_dir(folder)?.next().is_some() {
        return Err(Error::NotEmpty);
    }
    std::fs::create_dir(&tables)?;
    let mut read = app.db.read(shop.id).await?;
    let made_at = app.clock.now();
    let members = BufWriter::new(File::create_new(folder.join("members.csv"))?);
    let members = imports::write_members(&mut read, shop.id, members, made_at).await?;
    let mut written = Vec::new();
    for table in Table::all().into_iter().filter(|table| is_the_shops(table)) {
        let mut file = BufWriter::new(File::create_new(tables.join(table.name).with_extension("jsonl"))?);
        let mut rows = 0;
        let line = |row: serde_json::Value| -> Result<(), Error> {
            rows += 1;
            serde_json::to_writer(&mut file, &row)?;
            Ok(file.write_all(b"\n")?)
        };
        table.each(&mut read, shop.id, line).await?;
        file.flush()?;
        written.push(Rows { table: table.name, rows, kept: table.kept });
    }
    let manifest =
        Manifest { version: VERSION, shop: shop.domain.to_string(), made_at, members, tables: written };
    let file = File::create_new(folder.join("manifest.json"))?;
    serde_json::to_writer_pretty(&file, &manifest)?;
    file.sync_all()?;
    Ok(manifest)
}

fn is_the_shops(table: &Table) -> bool {
    table.is_a_shops() && !ON_ITS_WAY.iter().any(|room| table.name.starts_with(room))
}
