//! TLS: who is trusted, and HTTP/2 where it is offered.

use std::io::Write;
use std::sync::Arc;

use domain::fact::CallOutcome;
use http::Version;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::receiver::{Answering, Log, serve, status};
use super::support::{MemoryOutbox, Running, account, endpoint, loopback, until};
use crate::tell::Options;

/// A receiver over TLS for `localhost`; gives its port, its log and the PEM of its authority.
async fn tls_receiver(protocols: &[&[u8]]) -> (u16, Log, String) {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate =
        CertificateParams::new(vec!["localhost".to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let log = Log::default();
    let (answer, shared): (Answering, _) = (Arc::new(|_, _| status(200)), Arc::clone(&log));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, answer, log) = (acceptor.clone(), Arc::clone(&answer), Arc::clone(&shared));
            tokio::spawn(async move {
                if let Ok(stream) = acceptor.accept(stream).await {
                    serve(stream, answer, log).await;
                }
            });
        }
    });
    (port, log, authority.pem())
}

fn running(url: &str, extra_ca_file: &str) -> Running {
    let options = Options { extra_ca_file: extra_ca_file.into(), ..loopback() };
    Running::start(MemoryOutbox::new(vec![account(endpoint(1, url))]), options)
}

fn file_with(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

#[tokio::test]
async fn an_authority_of_the_configuration_is_trusted_and_http2_is_used_where_offered() {
    for (protocols, version) in [(&[b"h2".as_slice(), b"http/1.1"][..], Version::HTTP_2), (&[], Version::HTTP_11)] {
        let (port, log, authority) = tls_receiver(protocols).await;
        let file = file_with(&authority);
        let running = running(&format!("https://localhost:{port}/hook"), file.path().to_str().unwrap());
        running.tell(1, 1);
        running.all_ended().await;
        assert_eq!(log.lock()[0].version, version);
        assert_eq!(running.outbox.calls()[0].outcome, CallOutcome::Told);
    }
}

#[tokio::test]
async fn an_unknown_authority_and_a_wrong_name_are_refused() {
    let (port, log, authority) = tls_receiver(&[]).await;
    let file = file_with(&authority);
    let known = file.path().to_str().unwrap();
    for (url, extra) in [(format!("https://localhost:{port}/"), ""), (format!("https://127.0.0.1:{port}/"), known)] {
        let running = running(&url, extra);
        running.tell(1, 1);
        until(|| !running.outbox.calls().is_empty()).await;
        let call = running.outbox.calls()[0].clone();
        assert!(matches!(call.outcome, CallOutcome::RetryAt(_)), "{call:?}");
        assert!(call.failure.starts_with("TLS failed"), "{call:?}");
    }
    assert!(log.lock().is_empty(), "nothing of the call was sent");
}

#[test]
fn a_file_without_certificates_is_refused_with_its_name() {
    let file = file_with("nothing here");
    for name in [file.path().to_str().unwrap(), "/does/not/exist.pem"] {
        let error = crate::tell::tls::connector(name).err().unwrap().to_string();
        assert!(error.contains(name), "{error}");
    }
}
