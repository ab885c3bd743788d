//! `cargo xtask demo`: the local shop with the real Function, and the backend on SQLite, both on loopback.

use std::fs::{self, File};
use std::io::Read;
use std::net::{Ipv4Addr, TcpListener};
use std::process::Command;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

use crate::service::{Running, Service};
use crate::workspace::{cargo, debug_binary, in_root, root, target_dir};
use crate::{extensions, functions, http, process, progress};

/// Where the storefront is, if nobody else is there.
const PORT: u16 = 9393;
const API_KEY: &str = "demo-client-id";
/// What the automatic discount is called, by which the backend knows it on orders.
const DISCOUNT: &str = "Loyalty points";
const START: Duration = Duration::from_secs(60);

/// Options of `cargo xtask demo`.
#[derive(clap::Args)]
pub struct Args {
    /// The storefront's port; 0 takes a free one [default: 9393, or a free one when that is taken]
    #[arg(long)]
    port: Option<u16>,
    /// Print one JSON object with the addresses as the last line of standard output
    #[arg(long)]
    json: bool,
    /// Start everything, fetch the page, and stop
    #[arg(long)]
    once: bool,
}

/// Starts the demo and keeps it until Ctrl-C.
pub fn run(args: &Args) -> Result<()> {
    build()?;
    let mut demo = progress::step("start", || Demo::start(args.port))?;
    if args.once {
        return demo.fetch();
    }
    if args.json {
        println!("{}", serde_json::json!({ "url": demo.shop_url, "backend": demo.backend_url }));
    } else {
        let url = &demo.shop_url;
        println!("\n  The shop is open:  {url}/\n  As a theme:        {url}/store\n  Ctrl-C closes it.\n");
    }
    demo.keep()
}

/// Builds what the demo runs.
pub fn build() -> Result<()> {
    progress::step("Functions", functions::build)?;
    extensions::build()?;
    progress::step("local shop and backend", || {
        // Of the whole workspace: with the same features as for the tests, so nothing is compiled twice.
        process::run(cargo().args(["build", "--locked", "--workspace", "--bins"]))
    })
}

/// Both programs; dropping it stops them.
pub struct Demo {
    // In this order: the backend ends before the shop that it talks to.
    backend: Running,
    shop: Running,
    backend_url: String,
    shop_url: String,
}

/// What the local shop says when it is ready.
#[derive(Deserialize)]
struct Ready {
    url: String,
    /// Its domain.
    shop: String,
}

impl Demo {
    /// Starts both, with their past: on this port, on a free one for 0.
    pub fn start(port: Option<u16>) -> Result<Self> {
        let shop_port = match port {
            Some(port) => free_port(port).with_context(|| format!("port {port} cannot be had"))?,
            None => free_port(PORT).or_else(|_| free_port(0))?,
        };
        // One folder for each port: a demo under test does not take the files of the one that somebody looks at.
        let folder = target_dir().join("demo").join(shop_port.to_string());
        fs::remove_dir_all(&folder).ok();
        fs::create_dir_all(&folder)?;
        let backend_port = free_port(0)?;
        let backend_url = format!("http://127.0.0.1:{backend_port}");
        let (secret, token) = (random_hex()?, random_hex()?);

        let mut shop = Command::new(debug_binary("devshop"));
        shop.args(["--port", &shop_port.to_string(), "--app-url", &backend_url, "--api-key", API_KEY]);
        shop.args(["--api-secret", &secret, "--admin-token", &token]);
        shop.arg("--functions").arg(root().join("extensions")).args(["--discount", DISCOUNT]);
        shop.arg("--bundles").arg(extensions::folder());
        let (shop, line) = Service::new(shop, folder.join("shop.log")).start_and_read_line(START)?;
        let Ready { url: shop_url, shop: domain } =
            serde_json::from_str(&line).with_context(|| format!("the local shop said {line:?}"))?;
        let shop_url = shop_url.trim_end_matches('/').to_owned();

        let environment = [
            ("SHOPIFY_API_KEY", API_KEY.to_owned()),
            ("SHOPIFY_API_SECRET", secret),
            ("HOST", backend_url.clone()),
            ("PORT", backend_port.to_string()),
            ("DATABASE_URL", format!("sqlite://{}", folder.join("loyalnest.db").display())),
            ("LOYALNEST_ENCRYPTION_KEY", random_hex()?),
            ("LOYALNEST_SHOPIFY_URL", shop_url.clone()),
            ("LOYALNEST_SHOP_TOKEN", token),
        ];
        let loyalnest = |args: &[&str]| {
            let mut command = in_root(debug_binary("loyalnest"));
            command.args(args).envs(environment.iter().cloned());
            command
        };
        process::output(&mut loyalnest(&["migrate"]))?;
        process::output(&mut loyalnest(&["shop", "add", &domain]))?;
        let mut backend = Service::new(loyalnest(&["serve"]), folder.join("backend.log")).start()?;
        http::wait_for(&format!("{backend_url}/readyz"), &mut backend, START)
            .context("the backend is not ready")?;
        let (status, answer) = http::post(&format!("{shop_url}/demo/api/history"))?;
        ensure!(status == 200, "the past orders were answered with {status}:\n{answer}");
        progress::note(format!("logs: {}", folder.display()));
        Ok(Self { backend, shop, backend_url, shop_url })
    }

    /// Where the shop's pages are.
    pub fn shop_url(&self) -> &str {
        &self.shop_url
    }

    /// Fetches the page once.
    fn fetch(&self) -> Result<()> {
        let (status, page) = http::get(&format!("{}/", self.shop_url))?;
        ensure!(
            status == 200 && page.contains("<html"),
            "the shop's page was answered with {status}:\n{page}"
        );
        progress::note(format!("{}/ answers", self.shop_url));
        Ok(())
    }

    /// Waits; returns only when one of the programs has ended, which it should not.
    fn keep(&mut self) -> Result<()> {
        loop {
            for (name, service) in [("shop", &mut self.shop), ("backend", &mut self.backend)] {
                if let Some(status) = service.ended()? {
                    bail!("the {name} ended with {status}. It said:\n{}", service.last_words());
                }
            }
            thread::sleep(Duration::from_millis(200));
        }
    }
}

/// The port itself if it is free; a free one for 0.
fn free_port(port: u16) -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, port))?.local_addr()?.port())
}

/// 32 random bytes as 64 hexadecimal digits.
fn random_hex() -> Result<String> {
    let mut bytes = [0; 32];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
