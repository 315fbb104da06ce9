//! The `[links]` section of the configuration.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::serve;

/// Longest domain of short links: every character of it is one of the message's.
const DOMAIN_LENGTH_MAX: usize = 64;

/// Section `[links]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// Domain of short links, with a port where it is not the usual one; empty = no short links.
    pub domain: String,
    /// `https` or `http`: what stands before the domain.
    pub scheme: String,
    /// Address and port of an own plain HTTP listener; empty = none.
    pub listen: String,
    /// Address and port of an own HTTPS listener; empty = none.
    pub listen_tls: String,
    /// Certificate chain of the own HTTPS listener, PEM.
    pub certificate_file: PathBuf,
    /// Private key of the certificate, PEM.
    pub private_key_file: PathBuf,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            domain: String::new(),
            scheme: "https".into(),
            listen: String::new(),
            listen_tls: String::new(),
            certificate_file: PathBuf::new(),
            private_key_file: PathBuf::new(),
        }
    }
}

/// A value of `[links]` that can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OptionsError {
    /// No host name.
    #[error(
        "links.domain is \"{0}\": write a host name of up to 64 letters, digits, dots and hyphens (an internationalised one in its xn-- form), with :port where it is not the usual one"
    )]
    Domain(String),
    /// Neither http nor https.
    #[error("links.scheme is \"{0}\": write \"https\" or \"http\"")]
    Scheme(String),
    /// Nobody could follow the links.
    #[error("links.{0} is set without links.domain: set the domain that short links lead to")]
    NoDomain(&'static str),
    /// The listeners.
    #[error(transparent)]
    Listen(#[from] serve::OptionsError),
}

impl Options {
    /// Checks the values that types can't.
    ///
    /// # Errors
    /// [`OptionsError`], naming the key.
    pub fn check(&self) -> Result<(), OptionsError> {
        if !matches!(self.scheme.as_str(), "http" | "https") {
            return Err(OptionsError::Scheme(self.scheme.clone()));
        }
        let needs_domain = [("listen", &self.listen), ("listen_tls", &self.listen_tls)];
        match needs_domain.into_iter().find(|(_, value)| !value.is_empty()) {
            Some((key, _)) if self.domain.is_empty() => return Err(OptionsError::NoDomain(key)),
            _ => {}
        }
        if !self.domain.is_empty() && !is_domain(&self.domain) {
            return Err(OptionsError::Domain(self.domain.clone()));
        }
        Ok(self.listeners(&serve::Options::default()).check()?)
    }

    /// What stands before every code; `None` without short links.
    #[must_use]
    pub fn base(&self) -> Option<String> {
        let domain = self.domain.to_ascii_lowercase();
        (!domain.is_empty()).then(|| format!("{}://{domain}/", self.scheme))
    }

    /// The own listeners, with the limits of `http`; without an address there are none.
    #[must_use]
    pub fn listeners(&self, http: &serve::Options) -> serve::Options {
        serve::Options {
            listen_tls: self.listen_tls.clone(),
            certificate_file: self.certificate_file.clone(),
            private_key_file: self.private_key_file.clone(),
            ..http.at("links", &self.listen)
        }
    }
}

fn is_domain(domain: &str) -> bool {
    let (host, port) = domain.split_once(':').map_or((domain, None), |(host, port)| (host, Some(port)));
    let label = |label: &str| {
        let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        !label.is_empty() && label.bytes().all(inner) && !label.starts_with('-') && !label.ends_with('-')
    };
    domain.len() <= DOMAIN_LENGTH_MAX
        && host.split('.').all(label)
        && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|number| number > 0 && !port.starts_with(['+', '0'])))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_domain(domain: &str) -> Options {
        Options { domain: domain.into(), ..Options::default() }
    }

    #[test]
    fn domains_are_checked_and_written_in_lower_case() {
        assert_eq!(with_domain("S.Example.com").base().as_deref(), Some("https://s.example.com/"));
        for domain in ["", "s.example.com", "xn--w-uga1v8h.example", "localhost:8081", "127.0.0.1:80", "a.b"] {
            assert_eq!(with_domain(domain).check(), Ok(()), "{domain}");
        }
        let long = format!("{}.example", "a".repeat(60));
        for domain in [
            "https://s.example",
            "s.example/",
            "s_x.example",
            "-s.example",
            "s..example",
            "żółw.example",
            "s.example:0",
            "s.example:x",
            "s example",
            &long,
        ] {
            assert_eq!(with_domain(domain).check(), Err(OptionsError::Domain(domain.into())), "{domain}");
        }
    }

    #[test]
    fn mistakes_name_their_key() {
        let scheme = Options { scheme: "ftp".into(), ..with_domain("s.example") };
        assert!(scheme.check().unwrap_err().to_string().contains("links.scheme"));
        let no_domain = Options { listen: "127.0.0.1:8081".into(), ..Options::default() };
        assert!(no_domain.check().unwrap_err().to_string().contains("links.listen is set without links.domain"));
        let address = Options { listen: "here".into(), ..with_domain("s.example") };
        assert!(address.check().unwrap_err().to_string().contains("\"here\""));
    }
}
