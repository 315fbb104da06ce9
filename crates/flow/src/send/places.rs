//! Where a bind connects to: the carrier's hosts, in turn.

use std::sync::Arc;
use std::time::Duration;

use domain::control::{self, Carrier};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use smpp::client::ConnectOptions;
use smpp::tls::ClientTls;

/// One host of an operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub host: String,
    pub port: u16,
}

/// The hosts of a carrier as one bind goes through them.
#[derive(Debug)]
pub(super) struct Places {
    places: Vec<Place>,
    /// Where this bind belongs when all is well: binds are spread over the hosts.
    home: usize,
    /// The one that failed last.
    failed: Option<usize>,
}

impl Places {
    pub(super) fn new(carrier: &Carrier, bind_index: u16) -> Self {
        let main = Place { host: carrier.host.clone(), port: carrier.port };
        let more = carrier.link.hosts.iter().filter_map(|place| {
            let (host, port) = control::split_host(place)?;
            Some(Place { host: host.to_owned(), port })
        });
        let places: Vec<Place> = std::iter::once(main).chain(more).collect();
        Self { home: usize::from(bind_index) % places.len(), places, failed: None }
    }

    /// All of them in the order in which they are tried: from home on, and the one that failed last at the end.
    pub(super) fn in_turn(&self) -> Vec<(usize, Place)> {
        let count = self.places.len();
        let turn = (0..count).map(|step| (self.home + step) % count);
        let (last, first): (Vec<usize>, Vec<usize>) = turn.partition(|index| Some(*index) == self.failed);
        first.into_iter().chain(last).map(|index| (index, self.places[index].clone())).collect()
    }

    /// The session there ended, or there was none.
    pub(super) fn failed(&mut self, index: usize) {
        self.failed = Some(index);
    }
}

/// How to connect to a carrier.
///
/// # Errors
/// What in the settings or the files they name can't be used.
pub(super) fn connect_options(carrier: &Carrier, public: &Arc<RootCertStore>) -> Result<ConnectOptions, String> {
    let connect_timeout = Duration::from_secs(carrier.link.connect_timeout_seconds.into());
    if !carrier.tls {
        return Ok(ConnectOptions { connect_timeout, tls: None });
    }
    let link = &carrier.link;
    let tls = match control::sha256_digits(&link.tls_pinned_sha256) {
        Some(sha256) => ClientTls::with_pinned_sha256(sha256),
        None if link.tls_ca_file.is_empty() => ClientTls::with_roots(RootCertStore::clone(public)),
        None => ClientTls::with_roots(authorities(&link.tls_ca_file)?),
    };
    Ok(ConnectOptions { connect_timeout, tls: Some(tls.map_err(|error| error.to_string())?) })
}

fn authorities(file: &str) -> Result<RootCertStore, String> {
    let wrong = |why: String| format!("tls_ca_file {file} can't be used: {why}");
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file).map_err(|error| wrong(error.to_string()))? {
        roots.add(certificate.map_err(|error| wrong(error.to_string()))?).map_err(|error| wrong(error.to_string()))?;
    }
    if roots.is_empty() { Err(wrong("it holds no certificate".into())) } else { Ok(roots) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::carrier;

    fn ports(places: &Places) -> Vec<u16> {
        places.in_turn().iter().map(|(_, place)| place.port).collect()
    }

    #[test]
    fn binds_are_spread_and_go_on_to_the_next_host_when_one_fails() {
        let mut carrier = carrier(1);
        carrier.link.hosts = vec!["127.0.0.1:1".into(), "127.0.0.1:2".into()];
        assert_eq!(ports(&Places::new(&carrier, 0)), [2775, 1, 2]);
        assert_eq!(ports(&Places::new(&carrier, 4)), [1, 2, 2775]);
        let mut places = Places::new(&carrier, 0);
        places.failed(0);
        assert_eq!(ports(&places), [1, 2, 2775], "what failed last comes last");
        places.failed(1);
        assert_eq!(ports(&places), [2775, 2, 1], "home first again");
    }

    #[test]
    fn files_that_hold_no_authority_are_named() {
        let mut carrier = carrier(1);
        carrier.tls = true;
        carrier.link.tls_ca_file = "/nonexistent.pem".into();
        let problem = connect_options(&carrier, &Arc::new(RootCertStore::empty())).expect_err("no such file");
        assert!(problem.starts_with("tls_ca_file /nonexistent.pem can't be used: "), "{problem}");
    }
}
