//! The parts of a test run, what each found, and the closing line.

use std::fmt;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::progress::{self, seconds};

/// How many tests passed, failed and were skipped. A check that is no test counts as one.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Count {
    pub passed: u64,
    pub failed: u64,
    pub skipped: u64,
}

impl Count {
    pub const PASSED: Self = Self { passed: 1, failed: 0, skipped: 0 };
    pub const SKIPPED: Self = Self { passed: 0, failed: 0, skipped: 1 };
}

impl std::ops::AddAssign for Count {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

/// What every part of a run found.
pub struct Report {
    parts: Vec<(&'static str, Count, Duration)>,
    start: Instant,
}

impl Report {
    pub fn new() -> Self {
        Self { parts: Vec::new(), start: Instant::now() }
    }

    /// Runs a part; its failure is recorded and the next part still runs.
    pub fn part(&mut self, name: &'static str, work: impl FnOnce(&mut Count) -> Result<()>) {
        let start = Instant::now();
        let mut count = Count::default();
        let result = progress::step(name, || work(&mut count));
        if let Err(error) = &result {
            eprintln!("    {error:#}");
            // A part can fail without a failed test: it did not compile, or a tool is missing.
            count.failed = count.failed.max(1);
        }
        self.parts.push((name, count, start.elapsed()));
    }

    /// Runs a part that is one check.
    pub fn check(&mut self, name: &'static str, work: impl FnOnce() -> Result<()>) {
        self.part(name, |count| {
            work()?;
            *count = Count::PASSED;
            Ok(())
        });
    }

    /// Runs a part that only prepares: it counts when it fails.
    pub fn preparation(&mut self, name: &'static str, work: impl FnOnce() -> Result<()>) {
        self.part(name, |_| work());
    }

    /// Whether any part ran something.
    pub fn found_tests(&self) -> bool {
        self.parts.iter().any(|(_, count, _)| count.passed + count.failed > 0)
    }

    /// Prints the parts and, as the last line, the totals.
    pub fn finish(self) -> ExitCode {
        let mut total = Count::default();
        println!();
        for (name, count, time) in &self.parts {
            println!("{name:<28} {count} ({})", seconds(*time));
            total += *count;
        }
        println!("in {}:", seconds(self.start.elapsed()));
        println!("{total}");
        if total.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// The counts of a line such as `test result: ok. 3 passed; 0 failed; 1 ignored; …`, which cargo's tests print.
pub fn cargo_line(line: &str) -> Option<Count> {
    let counts = line.strip_prefix("test result: ")?;
    let number = |word: &str| {
        let end = counts.find(word)?;
        counts[..end].trim_end().rsplit([' ', ';', '.']).next()?.parse().ok()
    };
    Some(Count { passed: number("passed")?, failed: number("failed")?, skipped: number("ignored")? })
}

/// The count of one of the closing lines of `node --test`: `ℹ pass 3`.
pub fn node_line(line: &str) -> Option<Count> {
    let mut words = line.strip_prefix("ℹ ")?.split_whitespace();
    let (kind, number) = (words.next()?, words.next()?.parse().ok()?);
    match kind {
        "pass" => Some(Count { passed: number, ..Count::default() }),
        "fail" | "cancelled" => Some(Count { failed: number, ..Count::default() }),
        "skipped" | "todo" => Some(Count { skipped: number, ..Count::default() }),
        _ => None,
    }
}

/// The counts of vitest's closing line: `Tests  1 failed | 12 passed | 3 skipped (16)`.
pub fn vitest_line(line: &str) -> Option<Count> {
    let counts = line.trim_start().strip_prefix("Tests ")?;
    let mut count = Count::default();
    for part in counts.split('(').next()?.split('|') {
        let (number, kind) = part.trim().split_once(' ')?;
        let number = number.parse().ok()?;
        match kind {
            "passed" => count.passed = number,
            "failed" => count.failed = number,
            _ => count.skipped += number,
        }
    }
    Some(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counts_of_vitest_are_read() {
        let count = |line| vitest_line(line);
        assert_eq!(count("      Tests  76 passed (76)"), Some(Count { passed: 76, ..Count::default() }));
        let mixed = Count { passed: 12, failed: 1, skipped: 5 };
        assert_eq!(count("      Tests  1 failed | 12 passed | 3 skipped | 2 todo (18)"), Some(mixed));
        assert_eq!(count(" Test Files  4 passed (4)"), None);
        assert_eq!(count(" Tests of something"), None);
    }

    #[test]
    fn the_counts_of_cargo_are_read() {
        let line = "test result: FAILED. 12 passed; 1 failed; 3 ignored; 0 measured; 7 filtered out; finished in 0.05s";
        assert_eq!(cargo_line(line), Some(Count { passed: 12, failed: 1, skipped: 3 }));
        assert_eq!(cargo_line("test points::are_whole ... ok"), None);
    }

    #[test]
    fn the_counts_of_node_are_read() {
        let mut total = Count::default();
        for line in
            ["ℹ tests 6", "ℹ pass 3", "ℹ fail 1", "ℹ cancelled 1", "ℹ skipped 1", "ℹ duration_ms 12.5"]
        {
            total += node_line(line).unwrap_or_default();
        }
        assert_eq!(total, Count { passed: 3, failed: 2, skipped: 1 });
    }

    #[test]
    fn a_part_that_fails_without_tests_still_counts() {
        let mut report = Report::new();
        report.part("nothing", |_| anyhow::bail!("did not compile"));
        report.check("after it", || Ok(()));
        assert_eq!(report.parts.len(), 2);
        assert_eq!(report.finish(), ExitCode::FAILURE);
    }
}
