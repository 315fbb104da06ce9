//! SMPP in TLS: rustls with the ring provider, trusting what the caller says.

use std::io;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, ServerConfig, SignatureScheme};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::client::TlsStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// Why TLS did not come about.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The settings do not make sense.
    #[error("the TLS settings cannot be used: {0}")]
    Settings(#[from] rustls::Error),
    /// The roots cannot verify anything.
    #[error("no trusted certificate can be used: {0}")]
    Roots(#[from] rustls::client::VerifierBuilderError),
    /// The host is neither a name nor an address.
    #[error("{0:?} is not a name that a certificate can carry; set the host to a name or an IP address")]
    Name(String),
    /// The handshake failed; an untrusted certificate is the usual reason.
    #[error("the TLS handshake with {host} failed: {source}")]
    Handshake {
        /// Whose.
        host: String,
        /// Why.
        source: io::Error,
    },
}

/// TLS towards an SMSC.
#[derive(Debug, Clone)]
pub struct ClientTls {
    config: Arc<ClientConfig>,
}

impl ClientTls {
    /// Trusts certificates that lead to one of `roots` and carry the host's name.
    ///
    /// # Errors
    /// [`TlsError::Roots`] if `roots` is empty.
    pub fn with_roots(roots: RootCertStore) -> Result<Self, TlsError> {
        let provider = provider();
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build()?;
        Self::with_verifier(provider, verifier)
    }

    /// Trusts the one certificate with this SHA-256 and no other, whatever name and dates it carries: operators often
    /// sign their own.
    ///
    /// # Errors
    /// [`TlsError::Settings`].
    pub fn with_pinned_sha256(sha256: [u8; 32]) -> Result<Self, TlsError> {
        let provider = provider();
        let verifier = Arc::new(Pinned { sha256, provider: Arc::clone(&provider) });
        Self::with_verifier(provider, verifier)
    }

    fn with_verifier(provider: Arc<CryptoProvider>, verifier: Arc<dyn ServerCertVerifier>) -> Result<Self, TlsError> {
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        Ok(Self { config: Arc::new(config) })
    }

    /// Starts TLS on a connected stream.
    ///
    /// # Errors
    /// [`TlsError::Name`] or [`TlsError::Handshake`].
    pub async fn connect<S>(&self, host: &str, stream: S) -> Result<TlsStream<S>, TlsError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let name = ServerName::try_from(host.to_owned()).map_err(|_error| TlsError::Name(host.to_owned()))?;
        let connector = TlsConnector::from(Arc::clone(&self.config));
        connector.connect(name, stream).await.map_err(|source| TlsError::Handshake { host: host.to_owned(), source })
    }
}

/// An acceptor for the SMSC end.
///
/// # Errors
/// [`TlsError::Settings`] if key and certificates do not belong together.
pub fn acceptor(
    certificates: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<TlsAcceptor, TlsError> {
    let config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(certificates, key)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Named here and not taken from the process, so that a second provider in the build can do no harm.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

#[derive(Debug)]
struct Pinned {
    sha256: [u8; 32],
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let found: [u8; 32] = Sha256::digest(end_entity.as_ref()).into();
        if found == self.sha256 {
            return Ok(ServerCertVerified::assertion());
        }
        // The fingerprint of a certificate is no secret, and whoever has to pin the next one needs it.
        let hexadecimal = found.iter().map(|octet| format!("{octet:02x}")).collect::<String>();
        Err(rustls::Error::General(format!("the certificate is not the pinned one, its SHA-256 is {hexadecimal}")))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
