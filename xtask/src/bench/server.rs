//! The backend in its release build, run for a benchmark.

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use crate::http;
use crate::release;
use crate::service::{Running, Service};
use crate::workspace::in_root;

/// How long a program may take to be ready.
pub const START: Duration = Duration::from_secs(60);
pub const SECRET: &str = "bench-secret";
pub const TOKEN: &str = "bench-token";

/// The backend's settings.
pub fn environment(database: &str, port: u16, shop_url: &str) -> Vec<(&'static str, String)> {
    vec![
        ("SHOPIFY_API_KEY", "bench".into()),
        ("SHOPIFY_API_SECRET", SECRET.into()),
        ("LOYALNEST_SHOP_TOKEN", TOKEN.into()),
        ("LOYALNEST_SHOPIFY_URL", shop_url.into()),
        ("LOYALNEST_ENCRYPTION_KEY", "5a".repeat(32)),
        ("DATABASE_URL", database.into()),
        ("PORT", port.to_string()),
        ("HOST", format!("http://127.0.0.1:{port}")),
    ]
}

/// A server that is ready for webhooks.
pub struct Server {
    pub running: Running,
    pub port: u16,
    pub environment: Vec<(&'static str, String)>,
}

impl Server {
    /// The backend in a role that serves HTTP.
    pub fn backend(role: &str, database: &str, folder: &Path, shop_url: &str) -> Result<Self> {
        let port = free_port()?;
        let environment = environment(database, port, shop_url);
        let mut serve = in_root(release::program("loyalnest"));
        serve.args(["serve", "--role", role]).envs(environment.iter().cloned());
        let mut running = Service::new(serve, folder.join("backend.log")).start()?;
        http::wait_for(&format!("http://127.0.0.1:{port}/readyz"), &mut running, START)?;
        Ok(Self { running, port, environment })
    }

    /// The loader, pointed at this server.
    pub fn load(&self, what: &str) -> Command {
        let mut load = in_root(release::program("load"));
        load.arg(what).args(["--server", &format!("127.0.0.1:{}", self.port)]);
        load.envs(self.environment.iter().cloned());
        load
    }
}

/// One that nobody listens on.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
