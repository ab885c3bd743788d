//! How far a file is: a bar on a terminal, a line now and then elsewhere.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// How often there is a line.
const LINES: Duration = Duration::from_secs(5);

/// Shows how far a file is.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    /// When the last line was written; none where nothing is to be shown.
    last: Option<Instant>,
}

impl Progress {
    /// Shown to whoever runs a command, on standard error.
    pub fn shown() -> Progress {
        let bar = ProgressBar::new(0);
        let style = ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {msg}, {eta} left");
        Progress {
            bar: bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())),
            last: Some(Instant::now()),
        }
    }

    /// Not shown.
    pub fn hidden() -> Progress {
        Progress { bar: ProgressBar::hidden(), last: None }
    }

    /// So many bytes of so many are read, and so many rows are done.
    pub(super) fn at(&mut self, read: u64, size: u64, rows: i64) {
        self.bar.set_length(size);
        self.bar.set_position(read.min(size));
        self.bar.set_message(format!("{rows} rows"));
        if self.bar.is_hidden() && self.last.is_some_and(|last| last.elapsed() > LINES) {
            self.last = Some(Instant::now());
            eprintln!("{rows} rows, {} of {} MB", read / 1_000_000, size / 1_000_000);
        }
    }

    /// It is over.
    pub(super) fn end(&self) {
        self.bar.finish_and_clear();
    }
}
