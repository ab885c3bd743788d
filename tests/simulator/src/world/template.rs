//! What is prepared once for many worlds.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;
use devshop::Function;
use function_runner::Runner;
use loyalnest::config::Config;
use loyalnest::db::{Db, Options};
use loyalnest::outgoing::Outgoing;
use tempfile::TempDir;

use crate::native;

/// What worlds have in common: a migrated database, to be copied, and clients, which read the machine's certificates.
pub struct Template {
    folder: TempDir,
    shopify: Outgoing,
    function: Arc<Function>,
}

impl Template {
    /// Prepares it.
    ///
    /// # Errors
    /// When the database cannot be made.
    pub fn new() -> Result<Template> {
        let folder = in_memory()?;
        let url = format!("sqlite://{}", folder.path().join("empty.db").display());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let db = Db::connect(&url, &Options::default()).await?;
            db.migrate().await?;
            db.close().await;
            anyhow::Ok(())
        })?;
        let key = ("LOYALNEST_ENCRYPTION_KEY".to_owned(), "5a".repeat(32));
        let shopify = Outgoing::to_shops(&Config::load(None, &[key])?)?;
        let function = Arc::new(native::points_redemption()?);
        Ok(Template { folder, shopify, function })
    }

    /// The same with the real WebAssembly at checkout, which must be built (`cargo xtask build`).
    ///
    /// # Errors
    /// When it is not, or cannot be loaded.
    pub fn with_wasm(self) -> Result<Template> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../extensions/points-redemption");
        let wasm = function_runner::artefacts_folder().join("points-redemption.wasm");
        let function = Arc::new(Function::load(&Runner::new()?, &folder, &wasm)?);
        Ok(Template { function, ..self })
    }

    /// A copy of the database, and the folder that it lives in.
    pub fn database(&self) -> Result<(TempDir, PathBuf)> {
        let folder = in_memory()?;
        let file = folder.path().join("world.db");
        std::fs::copy(self.folder.path().join("empty.db"), &file)?;
        Ok((folder, file))
    }

    /// Clients, which send nothing before somebody answers them.
    pub fn shopify(&self) -> Outgoing {
        self.shopify.clone()
    }

    /// The Function at checkout.
    pub fn function(&self) -> Arc<Function> {
        self.function.clone()
    }
}

/// A folder that is gone when it is dropped: in memory, where the machine has such a place.
fn in_memory() -> Result<TempDir> {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    Ok(folder?)
}
