//! Why a command failed.

use std::net::SocketAddr;

use crate::config::ConfigError;
use crate::db;
use crate::export;
use crate::imports;
use crate::merchants::ShopError;
use crate::programs;
use crate::proof;
use crate::replay;
use crate::shopify::OAuthError;
use crate::shopify::admin::AdminError;

/// A command's failure, told to the person who ran it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A setting cannot be right.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] db::Error),
    /// A shop cannot be added.
    #[error(transparent)]
    Shop(#[from] ShopError),
    /// A program cannot be used or published.
    #[error(transparent)]
    Program(#[from] programs::Error),
    /// Shopify's Admin API failed.
    #[error(transparent)]
    Admin(#[from] AdminError),
    /// Shops cannot be asked for tokens.
    #[error(transparent)]
    OAuth(#[from] OAuthError),
    /// The address is taken, or not ours.
    #[error("cannot listen on {address}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// A file cannot be replayed.
    #[error(transparent)]
    Replay(#[from] replay::Error),
    /// A shop cannot be exported.
    #[error(transparent)]
    Export(#[from] export::Error),
    /// A file of members cannot be imported.
    #[error(transparent)]
    Import(#[from] imports::Error),
    /// The ledger contradicts itself.
    #[error("{0} violations of the ledger's invariants")]
    Violations(i64),
    /// The books could not be read.
    #[error(transparent)]
    Proof(#[from] proof::Error),
    /// Whether the books hold is not known.
    #[error("the books could not be proven")]
    NotProven(#[source] Box<Error>),
    /// The machine failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// What was asked makes no sense.
    #[error("{0}")]
    Usage(String),
}

impl Error {
    /// What the process ends with.
    pub fn exit_code(&self) -> u8 {
        match self {
            Error::NotProven(_) => 2,
            _ => 1,
        }
    }

    /// The failure and its causes, in one line.
    pub fn chain(&self) -> String {
        let mut line = self.to_string();
        let mut source = std::error::Error::source(self);
        while let Some(cause) = source {
            let text = cause.to_string();
            // Wrappers often repeat what they wrap.
            if !line.ends_with(&text) {
                line = format!("{line}: {text}");
            }
            source = cause.source();
        }
        line
    }
}
