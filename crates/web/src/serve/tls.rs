//! TLS with certificates that can be renewed while it runs.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use tokio_rustls::TlsAcceptor;

use super::tls_files::{Files, TlsError};

/// How often the files are looked at.
const RELOAD_INTERVAL: Duration = Duration::from_secs(5);

/// The current TLS configuration.
#[derive(Debug)]
pub(super) struct Tls {
    files: Files,
    config: ArcSwap<ServerConfig>,
}

impl Tls {
    pub(super) fn open(certificate: &Path, private_key: &Path, data_dir: &Path) -> Result<Arc<Self>, TlsError> {
        let files = Files::find(certificate, private_key, data_dir)?;
        let config = ArcSwap::from(files.load()?);
        Ok(Arc::new(Self { files, config }))
    }

    /// An acceptor for one handshake.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.config.load_full())
    }

    /// Takes new files over as they change; keeps the old ones when the new ones can't be used. Never
    /// ends by itself.
    pub(super) async fn follow(self: Arc<Self>) {
        let mut seen = self.files.changed();
        let mut interval = tokio::time::interval(RELOAD_INTERVAL);
        loop {
            interval.tick().await;
            let changed = self.files.changed();
            if changed == seen {
                continue;
            }
            match self.files.load() {
                Ok(config) => {
                    self.config.store(config);
                    tracing::info!(target: "web", certificate = %self.files.certificate.display(), "certificate reloaded");
                }
                // A pair is written one file after the other: the next look may find it whole.
                Err(error) => {
                    tracing::warn!(target: "web", %error, "the new certificate is not used, the old one stays")
                }
            }
            seen = changed;
        }
    }
}
