//! How ported numbers are known: the section `[portability]` of the configuration.

use std::path::PathBuf;
use std::time::Duration;

use domain::control::Secret;
use serde::{Deserialize, Deserializer};

use super::source;

/// The section `[portability]`. With neither a file nor a URL nothing is known of ported numbers.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// A CSV file of lines `number,network`, read at the start and whenever it changes; empty = none.
    pub file: PathBuf,
    /// The service that is asked for what the file does not hold, `{phone}` stands for the digits of a number; empty =
    /// none. Plain `http` is for private addresses only.
    pub url: String,
    /// Value of the `Authorization` header of a call; empty = none.
    #[serde(deserialize_with = "secret")]
    pub authorization: Secret,
    /// Where the network stands in the JSON of an answer (RFC 6901).
    pub network_pointer: String,
    /// Where it says whether the number was ported; empty = nowhere.
    pub ported_pointer: String,
    /// Where the IMSI stands; empty = nowhere.
    pub imsi_pointer: String,
    /// One deadline over a call, milliseconds, 50 to 10000.
    pub deadline_ms: u64,
    /// Answers remembered, 1 to 10000000; each takes some 100 octets.
    pub cache_max: usize,
    /// How long an answer is believed, minutes, 1 to 43200.
    pub cache_minutes: u32,
    /// How long it is believed that the service does not know a number, minutes, 1 to 43200.
    pub unknown_minutes: u32,
    /// PEM file with certificates of authorities that are trusted besides the usual ones; empty = none.
    pub extra_ca_file: String,
}

const DEADLINE_MS: std::ops::RangeInclusive<u64> = 50..=10_000;
const MINUTES: std::ops::RangeInclusive<u32> = 1..=43_200;
const CACHE: std::ops::RangeInclusive<usize> = 1..=10_000_000;

/// Why portability can't be set up.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A setting is out of its range.
    #[error("portability.{key} is {given}: {allowed}")]
    Setting {
        /// The key at fault.
        key: &'static str,
        /// What was given.
        given: String,
        /// What is allowed.
        allowed: &'static str,
    },
    /// The file can't be read.
    #[error("portability.file {file}: {what}", file = file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What is wrong, with the line.
        what: String,
    },
    /// TLS can't be set up.
    #[error("portability.extra_ca_file: {0}")]
    Tls(String),
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
    String::deserialize(deserializer).map(Secret::new)
}

impl Default for Options {
    fn default() -> Self {
        Self {
            file: PathBuf::new(),
            url: String::new(),
            authorization: Secret::default(),
            network_pointer: "/network".into(),
            ported_pointer: "/ported".into(),
            imsi_pointer: "/imsi".into(),
            deadline_ms: 1_000,
            cache_max: 200_000,
            cache_minutes: 1_440,
            unknown_minutes: 60,
            extra_ca_file: String::new(),
        }
    }
}

impl Options {
    /// Checks what types can't.
    ///
    /// # Errors
    /// [`Error::Setting`] with the key, what was given and what is allowed.
    pub fn check(&self) -> Result<(), Error> {
        let wrong = |key, given: String, allowed| Err(Error::Setting { key, given, allowed });
        if !self.url.is_empty()
            && let Err(allowed) = source::check_url(&self.url)
        {
            return wrong("url", format!("{:?}", self.url), allowed);
        }
        if http::HeaderValue::from_str(self.authorization.reveal()).is_err() {
            return wrong("authorization", "not shown".into(), "it must fit into a header: visible ASCII");
        }
        let pointers = [
            ("network_pointer", &self.network_pointer),
            ("ported_pointer", &self.ported_pointer),
            ("imsi_pointer", &self.imsi_pointer),
        ];
        for (key, pointer) in pointers {
            if !pointer.is_empty() && !pointer.starts_with('/') {
                return wrong(key, format!("{pointer:?}"), "expected a JSON pointer such as /data/0/mccmnc");
            }
        }
        if self.network_pointer.is_empty() {
            return wrong("network_pointer", "empty".into(), "expected a JSON pointer such as /data/0/mccmnc");
        }
        if !DEADLINE_MS.contains(&self.deadline_ms) {
            return wrong("deadline_ms", self.deadline_ms.to_string(), "allowed are 50 to 10000");
        }
        if !CACHE.contains(&self.cache_max) {
            return wrong("cache_max", self.cache_max.to_string(), "allowed are 1 to 10000000");
        }
        for (key, minutes) in [("cache_minutes", self.cache_minutes), ("unknown_minutes", self.unknown_minutes)] {
            if !MINUTES.contains(&minutes) {
                return wrong(key, minutes.to_string(), "allowed are 1 to 43200");
            }
        }
        Ok(())
    }

    pub(super) fn deadline(&self) -> Duration {
        Duration::from_millis(self.deadline_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_name_their_key_and_secrets_are_not_shown() {
        let read = |text: &str| toml::from_str::<Options>(text).expect(text);
        assert!(Options::default().check().is_ok());
        assert!(read("url = \"https://hlr.example.com/v1/{phone}?full=1\"").check().is_ok());
        for (text, key) in [
            ("url = \"https://hlr.example.com/\"", "url"),
            ("url = \"ftp://hlr.example.com/{phone}\"", "url"),
            ("url = \"https://user:pw@hlr.example.com/{phone}\"", "url"),
            ("url = \"https://{phone}.example.com/\"", "url"),
            ("network_pointer = \"\"", "network_pointer"),
            ("imsi_pointer = \"imsi\"", "imsi_pointer"),
            ("deadline_ms = 49", "deadline_ms"),
            ("cache_max = 0", "cache_max"),
            ("unknown_minutes = 0", "unknown_minutes"),
            ("authorization = \"a\\nb\"", "authorization"),
        ] {
            let error = read(text).check().expect_err(text).to_string();
            assert!(error.starts_with(&format!("portability.{key} ")), "{error}");
        }
        let secret = read("authorization = \"Bearer hidden\"");
        assert!(!format!("{secret:?}").contains("hidden"));
        assert!(toml::from_str::<Options>("fille = \"x\"").is_err());
    }
}
