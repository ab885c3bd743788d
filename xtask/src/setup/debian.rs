//! The last resort for programs that are not Rust's or npm's: Debian's packages.

use std::process::Command;

use anyhow::Result;

use crate::workspace::on_path;
use crate::{process, progress};

/// Installs a Debian package; false where that is not possible (another system, no rights).
pub fn install(package: &str) -> Result<bool> {
    if on_path("apt-get").is_none() {
        return Ok(false);
    }
    if !is_root()? && !may_sudo() {
        return Ok(false);
    }
    progress::step(format!("Debian package {package}"), || {
        process::run(apt_get()?.arg("update").arg("-qq"))?;
        process::run(apt_get()?.args(["install", "-y", "-qq", "--no-install-recommends", package]))
    })?;
    Ok(true)
}

/// Whether this process runs as root.
pub fn is_root() -> Result<bool> {
    Ok(process::output(Command::new("id").arg("-u"))?.trim() == "0")
}

fn may_sudo() -> bool {
    on_path("sudo").is_some() && process::output(Command::new("sudo").args(["-n", "true"])).is_ok()
}

fn apt_get() -> Result<Command> {
    let mut command = if is_root()? {
        Command::new("apt-get")
    } else {
        let mut sudo = Command::new("sudo");
        sudo.args(["-n", "DEBIAN_FRONTEND=noninteractive", "apt-get"]);
        sudo
    };
    command.env("DEBIAN_FRONTEND", "noninteractive").stdin(std::process::Stdio::null());
    Ok(command)
}
