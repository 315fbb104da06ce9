//! A place where a server is installed: configuration, setup, data directory, log.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::console;
use crate::server::{Launch, Server};
use crate::setup::{Account, Carrier, setup_toml};

/// An installation in a temporary folder; removed when dropped.
pub struct Site {
    folder: TempDir,
    data: PathBuf,
}

impl Site {
    /// Writes the files and applies the setup.
    ///
    /// # Errors
    /// The binary refuses what was written.
    pub async fn install(carrier: &Carrier, accounts: &[Account]) -> Result<Self> {
        Self::install_at(None, "", carrier, accounts).await
    }

    /// The same with the data elsewhere, and more keys for the section `[store]`.
    ///
    /// # Errors
    /// The binary refuses what was written.
    pub async fn install_at(
        data: Option<&Path>,
        store_keys: &str,
        carrier: &Carrier,
        accounts: &[Account],
    ) -> Result<Self> {
        let folder = TempDir::with_prefix("posthorn-story-")?;
        let data = data.map_or_else(|| folder.path().join("data"), Path::to_path_buf);
        let site = Self { folder, data };
        std::fs::write(
            site.config(),
            format!(
                "[http]\nlisten = \"127.0.0.1:0\"\n\n[store]\ndata_dir = \"{}\"\n{store_keys}\n\n\
                 [tell]\nallow_private_addresses = [\"127.0.0.0/8\"]\n\n[operations]\nlisten = \"127.0.0.1:0\"\n",
                site.data.display()
            ),
        )?;
        site.apply(carrier, accounts).await?;
        Ok(site)
    }

    /// Applies a setup.
    ///
    /// # Errors
    /// The binary refuses it.
    pub async fn apply(&self, carrier: &Carrier, accounts: &[Account]) -> Result<String> {
        let setup = self.folder.path().join("setup.toml");
        std::fs::write(&setup, setup_toml(carrier, accounts))?;
        let (setup, config) = (setup.display().to_string(), self.config().display().to_string());
        console::posthorn_ok(&["apply", &setup, "--config", &config]).await.context("applying the setup of the story")
    }

    /// Starts the server.
    ///
    /// # Errors
    /// It does not get ready.
    pub async fn start(&self) -> Result<Server> {
        self.start_with(&[]).await
    }

    /// Starts it behind other words, such as strace with its options.
    ///
    /// # Errors
    /// It does not get ready.
    pub async fn start_with(&self, before: &[&str]) -> Result<Server> {
        let before = before.iter().map(ToString::to_string).collect();
        Server::start(&Launch { before, config: self.config(), log: self.log_file() }).await
    }

    /// The configuration file.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.folder.path().join("posthorn.toml")
    }

    /// The data directory.
    #[must_use]
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// A file of the story's own.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Everything the servers here have logged.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("server.log")
    }
}
