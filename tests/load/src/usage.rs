//! How much of the processor a program takes: the steady measure where a machine has other things to do.

use std::collections::HashMap;
use std::fs;
use std::time::Duration;

/// A program whose time is taken, by the process that started it; its children are counted with it.
#[derive(Debug, Clone)]
pub struct Watched {
    /// What it is called in the report.
    pub name: String,
    /// Its process.
    pub process: u32,
}

impl std::str::FromStr for Watched {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('=').and_then(|(name, id)| Some((name.to_owned(), id.parse().ok()?)));
        let (name, process) = parts.ok_or("NAME=PROCESS")?;
        Ok(Watched { name, process })
    }
}

impl Watched {
    /// Processor time that it and all below it have taken, those that have ended included. None where the system does
    /// not say (it does on Linux).
    pub fn processor_time(&self) -> Option<Duration> {
        let all = processes()?;
        let mut ticks = 0;
        let mut below = vec![self.process];
        while let Some(one) = below.pop() {
            ticks += all.get(&one)?.ticks;
            below.extend(all.iter().filter(|(_, process)| process.parent == one).map(|(id, _)| *id));
        }
        // Every Linux has 100 ticks to the second.
        Some(Duration::from_millis(ticks * 10))
    }
}

impl Watched {
    /// The most memory that it or any below it had in use, in bytes. None where the system does not say.
    pub fn peak_memory(&self) -> Option<u64> {
        let all = processes()?;
        let (mut below, mut most) = (vec![self.process], None);
        while let Some(one) = below.pop() {
            most = most.max(peak(one));
            below.extend(all.iter().filter(|(_, process)| process.parent == one).map(|(id, _)| *id));
        }
        most
    }
}

fn peak(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

struct Process {
    parent: u32,
    /// Its own and those of its children that have ended.
    ticks: u64,
}

fn processes() -> Option<HashMap<u32, Process>> {
    let mut all = HashMap::new();
    for entry in fs::read_dir("/proc").ok()?.flatten() {
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        // It may have ended meanwhile.
        let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else { continue };
        if let Some(process) = process(&stat) {
            all.insert(id, process);
        }
    }
    Some(all)
}

/// `ID (NAME) STATE PARENT …`, of which the name may hold anything.
fn process(stat: &str) -> Option<Process> {
    let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
    let ticks = fields.get(11..15)?.iter().map(|field| field.parse::<u64>());
    Some(Process { parent: fields.get(1)?.parse().ok()?, ticks: ticks.sum::<Result<u64, _>>().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_proc_is_read_whatever_the_program_is_called() {
        let process = process("7 (a) b) S 3 7 7 0 -1 4 0 0 0 0 10 20 30 40 20 0 1 0").unwrap();
        assert_eq!((process.parent, process.ticks), (3, 100));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_takes_time() {
        let this = Watched { name: "this".into(), process: std::process::id() };
        let start = this.processor_time().unwrap();
        while this.processor_time().unwrap() == start {}
        assert!(this.peak_memory().is_some_and(|bytes| bytes > 1_000_000));
        let nobody = Watched { process: u32::MAX, ..this };
        assert_eq!((nobody.processor_time(), nobody.peak_memory()), (None, None));
    }
}
