//! The `[http]` section of the configuration.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use domain::limits;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::auth::TrustedProxies;
use crate::{api, body};

/// How long a connection may live before it is asked to come again; long enough to be rare, short enough
/// that load spreads again after a node was away.
const CONNECTION_LIFE_MS: u64 = 600_000;

/// Section `[http]`: where to listen, and the limits that a special case may need changed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// Address and port for plain HTTP; empty = none. Default `127.0.0.1:8080`.
    pub listen: String,
    /// Address and port for HTTPS; empty = none. Default empty.
    pub listen_tls: String,
    /// Certificate chain, PEM. Empty with `listen_tls` set = a self-signed one is made in the data
    /// directory, for development.
    pub certificate_file: PathBuf,
    /// Private key of the certificate, PEM.
    pub private_key_file: PathBuf,
    /// Networks (CIDR) of proxies whose `X-Forwarded-For` names the client. Default none.
    pub trusted_proxies: Vec<String>,
    /// Open connections in all.
    pub connections_max: usize,
    /// Open connections from one address (IPv6: one /64).
    pub connections_per_address_max: usize,
    /// Milliseconds to send the headers of a request, and to wait for the next one on a kept connection.
    pub header_read_ms: u64,
    /// Milliseconds to send the body of a request.
    pub body_read_ms: u64,
    /// Milliseconds for a TLS handshake.
    pub tls_handshake_ms: u64,
    /// Milliseconds after which a connection is closed once its request is answered.
    pub connection_life_ms: u64,
    /// Milliseconds a stop waits for requests in progress.
    pub drain_ms: u64,
    /// The section that `listen` was written in, for messages; other listeners share these limits.
    #[serde(skip)]
    pub section: &'static str,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8080".into(),
            listen_tls: String::new(),
            certificate_file: PathBuf::new(),
            private_key_file: PathBuf::new(),
            trusted_proxies: Vec::new(),
            connections_max: limits::CONNECTIONS_MAX,
            connections_per_address_max: limits::CONNECTIONS_PER_ADDRESS_MAX,
            header_read_ms: limits::HEADER_READ_MS,
            body_read_ms: limits::BODY_READ_MS,
            tls_handshake_ms: limits::TLS_HANDSHAKE_MS,
            connection_life_ms: CONNECTION_LIFE_MS,
            drain_ms: limits::DRAIN_MS,
            section: "http",
        }
    }
}

/// A value of `[http]` that can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OptionsError {
    /// Not an address with a port.
    #[error(
        "{section}.{key} is \"{value}\": write an address and a port, such as 127.0.0.1:8080 or [::]:443, or leave it empty"
    )]
    Address {
        /// Its section.
        section: &'static str,
        /// The key.
        key: &'static str,
        /// What was written.
        value: String,
    },
    /// Not a network.
    #[error("http.trusted_proxies holds \"{0}\": write networks in CIDR form, such as 10.0.0.0/8")]
    Network(String),
    /// A limit of zero would refuse everything.
    #[error("http.{0} is 0: nothing could ever be answered; leave it out for the default")]
    Zero(&'static str),
    /// Only one of the two files.
    #[error("http.certificate_file and http.private_key_file belong together: give both or none")]
    HalfCertificate,
}

impl Options {
    /// The same limits on the address of another section, for a second listener such as the Priority lane's.
    #[must_use]
    pub fn at(&self, section: &'static str, listen: &str) -> Self {
        Self { section, listen: listen.to_owned(), listen_tls: String::new(), ..self.clone() }
    }

    /// Checks the values that types can't.
    ///
    /// # Errors
    /// [`OptionsError`], naming the key.
    pub fn check(&self) -> Result<(), OptionsError> {
        self.address("listen", &self.listen)?;
        self.address("listen_tls", &self.listen_tls)?;
        self.proxies()?;
        if self.certificate_file.as_os_str().is_empty() != self.private_key_file.as_os_str().is_empty() {
            return Err(OptionsError::HalfCertificate);
        }
        let limits = [
            ("connections_max", self.connections_max as u64),
            ("connections_per_address_max", self.connections_per_address_max as u64),
            ("header_read_ms", self.header_read_ms),
            ("body_read_ms", self.body_read_ms),
            ("tls_handshake_ms", self.tls_handshake_ms),
            ("connection_life_ms", self.connection_life_ms),
        ];
        limits.into_iter().find(|(_, value)| *value == 0).map_or(Ok(()), |(key, _)| Err(OptionsError::Zero(key)))
    }

    /// What of these options concerns the API.
    ///
    /// # Errors
    /// [`OptionsError::Network`].
    pub fn api(&self) -> Result<api::Options, OptionsError> {
        let read_time = Duration::from_millis(self.body_read_ms);
        let body = body::Limits { read_time, ..body::Limits::default() };
        Ok(api::Options { body, trusted_proxies: TrustedProxies::new(self.proxies()?), ..api::Options::default() })
    }

    fn proxies(&self) -> Result<Vec<IpNet>, OptionsError> {
        let parse = |text: &String| {
            let single = || text.parse::<std::net::IpAddr>().map(IpNet::from);
            text.parse().or_else(|_| single()).map_err(|_| OptionsError::Network(text.clone()))
        };
        self.trusted_proxies.iter().map(parse).collect()
    }

    /// The address of a key; `None` when it is empty.
    pub(super) fn address(&self, key: &'static str, value: &str) -> Result<Option<SocketAddr>, OptionsError> {
        if value.is_empty() {
            return Ok(None);
        }
        let wrong = |_| OptionsError::Address { section: self.section, key, value: value.to_owned() };
        value.parse().map(Some).map_err(wrong)
    }
}
