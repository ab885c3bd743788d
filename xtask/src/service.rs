//! Programs that run beside a command for as long as their guard lives.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use std::{fs, io, thread};

use anyhow::{Context, Result, bail};

use crate::process::shown;

/// Starts the program, and stops it when standard input closes. The system closes that pipe however this process
/// ends (return, panic, Ctrl-C, kill -9), so nothing is ever left running and no signal handler is needed.
const KEEPER: &str = r#"
signal=$1; remove=$2; shift 2
exec 3<&0
"$@" 3<&- </dev/null &
child=$!
(read -r _ <&3; kill -s "$signal" "$child") >/dev/null 2>&1 &
watcher=$!
exec 3<&-
wait "$child"; status=$?
kill "$watcher" 2>/dev/null
if [ -n "$remove" ]; then rm -rf "$remove"; fi
exit "$status"
"#;

/// How long a program may take to stop before it is killed.
const STOP_TIMEOUT: Duration = Duration::from_secs(30);

/// What to start, and how it is stopped.
pub struct Service {
    command: Command,
    /// The signal that asks the program to stop, without `SIG`.
    signal: &'static str,
    /// A folder to remove after it has stopped.
    remove: Option<PathBuf>,
    /// The user and group to run as; needs root.
    user: Option<(u32, u32)>,
    log: PathBuf,
}

impl Service {
    /// A service whose standard error goes to the file `log`.
    pub fn new(command: Command, log: impl Into<PathBuf>) -> Self {
        Self { command, signal: "TERM", remove: None, user: None, log: log.into() }
    }

    /// Stops with this signal instead of TERM.
    pub fn stop_with(mut self, signal: &'static str) -> Self {
        self.signal = signal;
        self
    }

    /// Removes this folder after the end.
    pub fn then_remove(mut self, folder: impl Into<PathBuf>) -> Self {
        self.remove = Some(folder.into());
        self
    }

    /// Runs as another user; only root may.
    pub fn run_as(mut self, user: Option<(u32, u32)>) -> Self {
        self.user = user;
        self
    }

    /// Starts it; its standard output goes to the log too.
    pub fn start(self) -> Result<Running> {
        let stdout = self.log_file()?;
        self.spawn(stdout.into())
    }

    /// Starts it and waits for its first line on standard output, which is how our programs say that they are ready.
    pub fn start_and_read_line(self, timeout: Duration) -> Result<(Running, String)> {
        let name = shown(&self.command);
        let log = self.log.clone();
        let mut log_file = self.log_file()?;
        let mut running = self.spawn(Stdio::piped())?;
        let stdout = running.keeper.stdout.take().context("no standard output")?;
        let (sender, receiver) = mpsc::sync_channel(1);
        thread::spawn(move || {
            let mut reader = BufReader::new(stdout);
            let mut line = String::new();
            if reader.read_line(&mut line).is_ok_and(|length| length > 0) {
                sender.send(line).ok();
            }
            drop(sender);
            io::copy(&mut reader, &mut log_file).ok();
        });
        match receiver.recv_timeout(timeout) {
            Ok(line) => Ok((running, line)),
            Err(_) => bail!("{name} did not become ready. It said:\n{}", tail(&log)),
        }
    }

    fn log_file(&self) -> Result<fs::File> {
        let file = fs::OpenOptions::new().create(true).append(true).open(&self.log);
        file.with_context(|| format!("cannot write {}", self.log.display()))
    }

    fn spawn(self, stdout: Stdio) -> Result<Running> {
        let mut keeper = Command::new("sh");
        keeper.args(["-c", KEEPER, "sh", self.signal]).arg(self.remove.as_deref().unwrap_or(Path::new("")));
        keeper.env("NO_COLOR", "1"); // the output is a file
        keeper.arg(self.command.get_program()).args(self.command.get_args());
        for (name, value) in self.command.get_envs() {
            match value {
                Some(value) => keeper.env(name, value),
                None => keeper.env_remove(name),
            };
        }
        if let Some(folder) = self.command.get_current_dir() {
            keeper.current_dir(folder);
        }
        if let Some((user, group)) = self.user {
            keeper.uid(user).gid(group);
        }
        // Its own process group: Ctrl-C in the terminal reaches us alone, and the closing pipe does the rest in order.
        keeper.process_group(0).stdin(Stdio::piped()).stdout(stdout).stderr(self.log_file()?);
        let child = keeper.spawn().with_context(|| format!("cannot start {}", shown(&self.command)))?;
        Ok(Running { keeper: child, remove: self.remove, log: self.log })
    }
}

/// A running service; dropping it stops the program and waits for its end.
pub struct Running {
    keeper: Child,
    remove: Option<PathBuf>,
    log: PathBuf,
}

impl Running {
    /// How it ended, if it has.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.keeper.try_wait()?)
    }

    /// The process that everything of it descends from.
    pub fn id(&self) -> u32 {
        self.keeper.id()
    }

    /// The last lines of its log.
    pub fn last_words(&self) -> String {
        tail(&self.log)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let start = Instant::now();
        while let Ok(None) = self.keeper.try_wait() {
            if start.elapsed() > STOP_TIMEOUT {
                let group = format!("-{}", self.keeper.id());
                Command::new("kill").args(["-KILL", "--", &group]).status().ok();
                self.keeper.wait().ok();
                break;
            }
            thread::sleep(Duration::from_millis(10));
        }
        if let Some(folder) = &self.remove {
            fs::remove_dir_all(folder).ok();
        }
    }
}

fn tail(log: &Path) -> String {
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(30)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sleeper(remove: &Path, log: &Path) -> Service {
        let mut command = Command::new("sh");
        command.args(["-c", "echo $$; exec sleep 600"]);
        Service::new(command, log).then_remove(remove)
    }

    fn alive(pid: &str) -> bool {
        Command::new("kill")
            .args(["-0", pid])
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    }

    #[test]
    fn a_dropped_service_is_stopped_and_its_folder_removed() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        fs::create_dir(&data).unwrap();
        let service = sleeper(&data, &folder.path().join("log"));
        let (running, line) = service.start_and_read_line(Duration::from_secs(10)).unwrap();
        assert!(alive(line.trim()));
        drop(running);
        assert!(!alive(line.trim()));
        assert!(!data.exists());
    }

    #[test]
    fn a_service_stops_when_the_pipe_closes_without_its_guard() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        fs::create_dir(&data).unwrap();
        let service = sleeper(&data, &folder.path().join("log"));
        let (mut running, line) = service.start_and_read_line(Duration::from_secs(10)).unwrap();
        drop(running.keeper.stdin.take()); // what the system does when this process is killed
        running.keeper.wait().unwrap();
        assert!(!alive(line.trim()));
        assert!(!data.exists());
        std::mem::forget(running);
    }

    #[test]
    fn a_program_that_ends_early_is_reported_with_what_it_said() {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", "echo no such luck >&2; exit 3"]);
        let service = Service::new(command, folder.path().join("log"));
        let error = service.start_and_read_line(Duration::from_secs(10)).err().unwrap();
        assert!(error.to_string().contains("no such luck"), "{error}");
    }
}
