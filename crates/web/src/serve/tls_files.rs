//! Certificates from files, or made for development.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Names a development certificate is good for.
const DEVELOPMENT_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file can't be read.
    #[error("cannot read {what} {}: {reason}", file.display())]
    Unreadable {
        /// Certificate or key.
        what: &'static str,
        /// The file.
        file: PathBuf,
        /// Why.
        reason: String,
    },
    /// The two files do not fit, or hold something rustls can't use.
    #[error("certificate {} and its private key can't be used: {reason}", file.display())]
    Unusable {
        /// The certificate file.
        file: PathBuf,
        /// Why.
        reason: String,
    },
    /// The development certificate can't be made.
    #[error("cannot make a development certificate in {}: {reason}", directory.display())]
    Development {
        /// The data directory.
        directory: PathBuf,
        /// Why.
        reason: String,
    },
}

/// Where certificate and key are.
#[derive(Clone, Debug)]
pub(super) struct Files {
    pub certificate: PathBuf,
    pub private_key: PathBuf,
}

impl Files {
    /// The configured files, or a development pair in the data directory, made when it is not there yet.
    pub(super) fn find(certificate: &Path, private_key: &Path, data_dir: &Path) -> Result<Self, TlsError> {
        if !certificate.as_os_str().is_empty() {
            return Ok(Self { certificate: certificate.to_owned(), private_key: private_key.to_owned() });
        }
        let files = Self {
            certificate: data_dir.join("development-certificate.pem"),
            private_key: data_dir.join("development-key.pem"),
        };
        if !files.certificate.exists() || !files.private_key.exists() {
            let made = files.make(data_dir);
            made.map_err(|reason| TlsError::Development { directory: data_dir.to_owned(), reason })?;
            tracing::warn!(
                target: "web",
                certificate = %files.certificate.display(),
                "no certificate_file is configured: a self-signed certificate was made, for development only"
            );
        }
        Ok(files)
    }

    fn make(&self, data_dir: &Path) -> Result<(), String> {
        let made = rcgen::generate_simple_self_signed(DEVELOPMENT_NAMES.map(String::from));
        let made = made.map_err(|error| error.to_string())?;
        let write = || -> io::Result<()> {
            fs::create_dir_all(data_dir)?;
            write_file(&self.private_key, &made.signing_key.serialize_pem(), 0o600)?;
            write_file(&self.certificate, &made.cert.pem(), 0o644)
        };
        write().map_err(|error| error.to_string())
    }

    /// When either file was last changed.
    pub(super) fn changed(&self) -> Option<SystemTime> {
        let changed = |file: &Path| fs::metadata(file).and_then(|metadata| metadata.modified()).ok();
        changed(&self.certificate).max(changed(&self.private_key))
    }

    /// A configuration that offers HTTP/2 and HTTP/1.1.
    pub(super) fn load(&self) -> Result<Arc<ServerConfig>, TlsError> {
        let unusable = |reason: String| TlsError::Unusable { file: self.certificate.clone(), reason };
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(&self.certificate)
            .and_then(Iterator::collect)
            .map_err(|error| self.unreadable("certificate_file", &self.certificate, &error))?;
        let key = PrivateKeyDer::from_pem_file(&self.private_key)
            .map_err(|error| self.unreadable("private_key_file", &self.private_key, &error))?;
        let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| unusable(error.to_string()))?;
        let config = builder.with_no_client_auth().with_single_cert(chain, key);
        let mut config = config.map_err(|error| unusable(error.to_string()))?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }

    fn unreadable(&self, what: &'static str, file: &Path, error: &dyn std::fmt::Display) -> TlsError {
        TlsError::Unreadable { what, file: file.to_owned(), reason: error.to_string() }
    }
}

fn write_file(file: &Path, text: &str, mode: u32) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(file)?;
    file.write_all(text.as_bytes())
}
