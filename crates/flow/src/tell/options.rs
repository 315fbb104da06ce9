//! How webhooks are set up: the section `[tell]` of the configuration.

use std::net::{IpAddr, SocketAddr};

use domain::limits;
use ipnet::IpNet;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::error::Error;

/// The section `[tell]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Networks (CIDR) or single addresses that webhooks may reach although they are private, over any
    /// port and plain HTTP, such as `["127.0.0.0/8"]`. Default: none.
    #[serde(with = "networks")]
    pub allow_private_addresses: Vec<IpNet>,
    /// Networks (CIDR) or single addresses that webhooks may never reach, whatever else allows them.
    #[serde(with = "networks")]
    pub deny_addresses: Vec<IpNet>,
    /// Whether `http://` URLs may be used for public addresses. Default: no, only `https://`.
    pub allow_http: bool,
    /// Ports that may be called at public addresses. Default: 443, 80 and 8443.
    pub ports: Vec<u16>,
    /// One deadline over connect, TLS, headers and body of a call, milliseconds. Default: 15,000.
    pub deadline_ms: u64,
    /// Time to connect, and again to agree on TLS, milliseconds. Default: 5,000.
    pub connect_ms: u64,
    /// Calls in progress in all. Default: 500.
    pub calls_max: usize,
    /// Calls in progress to one endpoint at most, 1 to 50. It begins with 10; how it answers makes them more or
    /// fewer. However many are allowed here, one endpoint gets at most a twentieth of `calls_max`. Default: 50.
    pub calls_per_endpoint_max: usize,
    /// Seconds to wait after each failed try, give or take a fifth; after the last of them comes the
    /// last try. Default: 12 tries in about 76 hours.
    pub retry_seconds: Vec<u64>,
    /// PEM file with certificates of authorities that are trusted besides the usual ones; empty = none.
    pub extra_ca_file: String,
    /// Where this server itself listens: never called. Filled in by the program, not by the file.
    #[serde(skip)]
    pub own_listeners: Vec<SocketAddr>,
}

/// Waits between tries: 5 s, 30 s, 2 min, 10 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h.
const RETRY_SECONDS: [u64; 11] = [5, 30, 120, 600, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];
const RETRIES_MAX: usize = 50;
const RETRY_SECONDS_MAX: u64 = 7 * 86_400;
const DEADLINE_MS_MAX: u64 = 60_000;
const CALLS_PER_ENDPOINT_LIMIT: usize = 50;

impl Default for Options {
    fn default() -> Self {
        Self {
            allow_private_addresses: Vec::new(),
            deny_addresses: Vec::new(),
            allow_http: false,
            ports: vec![443, 80, 8443],
            deadline_ms: limits::CALL_DEADLINE_MS,
            connect_ms: limits::CALL_CONNECT_MS,
            calls_max: limits::CALLS_MAX,
            calls_per_endpoint_max: limits::CALLS_PER_ENDPOINT_MAX,
            retry_seconds: RETRY_SECONDS.to_vec(),
            extra_ca_file: String::new(),
            own_listeners: Vec::new(),
        }
    }
}

impl Options {
    /// Checks what types can't.
    ///
    /// # Errors
    /// [`Error::Setting`] naming the key at fault and what it may be.
    pub fn validate(&self) -> Result<(), Error> {
        let wrong = |key, rule| Err(Error::Setting { key, rule });
        if !(1..=DEADLINE_MS_MAX).contains(&self.deadline_ms) {
            return wrong("deadline_ms", "1 to 60000");
        }
        if self.connect_ms == 0 {
            return wrong("connect_ms", "at least 1");
        }
        if !(1..=10_000).contains(&self.calls_max) {
            return wrong("calls_max", "1 to 10000");
        }
        if !(1..=CALLS_PER_ENDPOINT_LIMIT).contains(&self.calls_per_endpoint_max) {
            return wrong("calls_per_endpoint_max", "1 to 50");
        }
        let waits = &self.retry_seconds;
        if waits.len() > RETRIES_MAX || waits.iter().any(|&seconds| seconds == 0 || seconds > RETRY_SECONDS_MAX) {
            return wrong("retry_seconds", "at most 50 waits of 1 to 604800 seconds");
        }
        Ok(())
    }
}

/// Networks as text; a single address stands for itself.
mod networks {
    use super::{Deserialize, Deserializer, IpAddr, IpNet, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(networks: &[IpNet], serializer: S) -> Result<S::Ok, S::Error> {
        networks.iter().map(ToString::to_string).collect::<Vec<_>>().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<IpNet>, D::Error> {
        let texts = Vec::<String>::deserialize(deserializer)?;
        texts.iter().map(|text| parse(text).ok_or_else(|| wrong(text))).collect()
    }

    fn parse(text: &str) -> Option<IpNet> {
        text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
    }

    fn wrong<E: serde::de::Error>(text: &str) -> E {
        E::custom(format_args!("{text:?} is no network: write an address or a CIDR such as \"10.1.0.0/16\""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_section_is_the_default_and_an_unknown_key_is_named() {
        assert_eq!(serde_json::from_str::<Options>("{}").unwrap(), Options::default());
        let error = serde_json::from_str::<Options>(r#"{"allow_privat":[]}"#).unwrap_err().to_string();
        assert!(error.contains("allow_privat"), "{error}");
    }

    #[test]
    fn networks_read_as_cidr_or_address() {
        let text = r#"{"allow_private_addresses":["127.0.0.0/8","::1"]}"#;
        let options = serde_json::from_str::<Options>(text).unwrap();
        assert_eq!(options.allow_private_addresses, ["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()]);
        assert!(serde_json::from_str::<Options>(r#"{"deny_addresses":["10.0.0.0/40"]}"#).is_err());
    }

    #[test]
    fn values_out_of_range_are_refused_by_name() {
        let mut options = Options { retry_seconds: vec![5, 0], ..Options::default() };
        assert!(options.validate().unwrap_err().to_string().contains("retry_seconds"));
        options.retry_seconds = RETRY_SECONDS.to_vec();
        assert!(options.validate().is_ok());
        assert!(Options { calls_max: 0, ..options }.validate().is_err());
    }
}
