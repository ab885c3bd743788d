//! The processes, each with a line of its own to the database.

use std::fs::{self, File};
use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};

use crate::line::Line;

/// How long a process may take to serve.
const START: Duration = Duration::from_secs(60);

/// What they are started with.
pub struct Orders {
    /// The backend.
    pub program: PathBuf,
    /// Its settings, but for the port and the database's address.
    pub settings: Vec<(&'static str, String)>,
    /// The database.
    pub database: String,
    /// The folder for what they say, each since it was started last.
    pub logs: PathBuf,
}

/// All of them.
pub struct Crew {
    orders: Orders,
    posts: Vec<Post>,
}

struct Post {
    port: u16,
    line: Line,
    child: Child,
}

impl Crew {
    /// Starts so many.
    ///
    /// # Errors
    /// When one does not come up.
    pub async fn start(orders: Orders, count: usize) -> Result<Crew> {
        let mut crew = Crew { orders, posts: Vec::new() };
        for _ in 0..count {
            let port = TcpListener::bind("127.0.0.1:0").await?.local_addr()?.port();
            let line = Line::to(&crew.orders.database).await?;
            let child = crew.spawn(port, &line)?;
            crew.posts.push(Post { port, line, child });
        }
        for post in &crew.posts {
            post.wait_until_it_serves().await?;
        }
        Ok(crew)
    }

    /// Where they listen.
    pub fn ports(&self) -> Vec<u16> {
        self.posts.iter().map(|post| post.port).collect()
    }

    /// Kills one and starts another in its place.
    ///
    /// # Errors
    /// When none can be started.
    pub async fn kill(&mut self, which: usize) -> Result<()> {
        self.posts[which].child.kill().await?; // SIGKILL
        self.again(which)
    }

    /// Starts those again that ended by themselves, as whoever watches over processes does. Only one that cannot reach
    /// its database when it starts may do that.
    ///
    /// # Errors
    /// When one ended that had served, or none can be started.
    pub fn look_after(&mut self) -> Result<()> {
        for which in 0..self.posts.len() {
            let Some(status) = self.posts[which].child.try_wait()? else { continue };
            let said = fs::read_to_string(self.log(self.posts[which].port))?;
            ensure!(!said.contains("listening"), "a process ended by itself: {status}\n{said}");
            self.again(which)?;
        }
        Ok(())
    }

    fn log(&self, port: u16) -> PathBuf {
        self.orders.logs.join(format!("{port}.log"))
    }

    fn again(&mut self, which: usize) -> Result<()> {
        self.posts[which].child = self.spawn(self.posts[which].port, &self.posts[which].line)?;
        Ok(())
    }

    /// Cuts one off its database for a while.
    pub async fn cut_off(&self, which: usize, time: Duration) {
        let line = &self.posts[which].line;
        line.cut();
        tokio::time::sleep(time).await;
        line.mend();
    }

    fn spawn(&self, port: u16, line: &Line) -> io::Result<Child> {
        let mut command = Command::new(&self.orders.program);
        command.arg("serve").env_clear().envs(self.orders.settings.iter().map(|(name, value)| (name, value)));
        command.env("PORT", port.to_string()).env("DATABASE_URL", &line.url);
        let log = File::create(self.log(port))?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).kill_on_drop(true).spawn()
    }
}

impl Post {
    async fn wait_until_it_serves(&self) -> Result<()> {
        let connects = async {
            while TcpStream::connect(("127.0.0.1", self.port)).await.is_err() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(START, connects).await.context("a process does not come up")
    }
}
