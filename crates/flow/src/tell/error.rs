//! Why webhooks can't be started.

use std::path::PathBuf;

/// Why webhooks can't be started.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A setting is out of its range.
    #[error("[tell] {key}: allowed is {rule}")]
    Setting {
        /// The key at fault.
        key: &'static str,
        /// What it may be.
        rule: &'static str,
    },
    /// The file with further authorities can't be used.
    #[error("[tell] extra_ca_file {}: {reason}; give a PEM file with at least one certificate", file.display())]
    Authorities {
        /// The file.
        file: PathBuf,
        /// Why.
        reason: String,
    },
    /// TLS can't be set up.
    #[error("TLS can't be set up: {0}")]
    Tls(#[from] rustls::Error),
}

/// Why the store did not do what it was asked.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct OutboxError(
    /// The store's own words.
    pub String,
);
