//! HTTPS.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use web::serve::Options;

use crate::support::client::request;
use crate::support::server::{Server, options};

fn secure() -> Options {
    Options { listen: String::new(), listen_tls: "127.0.0.1:0".into(), ..options() }
}

async fn connect(address: SocketAddr, certificate: &Path, protocol: &[u8]) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(certificate).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![protocol.to_vec()];
    let stream = TcpStream::connect(address).await.unwrap();
    TlsConnector::from(Arc::new(config)).connect(ServerName::try_from("localhost").unwrap(), stream).await
}

#[tokio::test]
async fn a_development_certificate_is_made_and_both_protocols_are_offered() {
    let server = Server::with(secure());
    let certificate = server.data_dir.path().join("development-certificate.pem");
    let mut stream = connect(server.address, &certificate, b"http/1.1").await.unwrap();
    stream.write_all(&request("OPTIONS", "/v2.1/sms/senders", &[("connection", "close")], b"")).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.contains("ACME"), "{answer}");
    let stream = connect(server.address, &certificate, b"h2").await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let key = std::fs::metadata(server.data_dir.path().join("development-key.pem")).unwrap();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&key.permissions()) & 0o777, 0o600);
}

#[tokio::test]
async fn a_handshake_that_does_not_come_is_cut_off() {
    let server = Server::with(Options { tls_handshake_ms: 300, ..secure() });
    let mut client = server.client().await;
    client.send(&[0x16, 0x03]).await;
    assert!(timeout(Duration::from_secs(5), client.is_closed()).await.unwrap());
}

#[tokio::test]
async fn a_renewed_certificate_is_taken_over_without_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let [certificate, key] = ["certificate.pem", "key.pem"].map(|name| directory.path().join(name));
    let issue = || {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        std::fs::write(&certificate, made.cert.pem()).unwrap();
    };
    issue();
    let options = Options { certificate_file: certificate.clone(), private_key_file: key.clone(), ..secure() };
    let server = Server::with(options);
    assert!(connect(server.address, &certificate, b"h2").await.is_ok());
    issue();
    let renewed = async { while connect(server.address, &certificate, b"h2").await.is_err() {} };
    timeout(Duration::from_secs(20), renewed).await.unwrap();
    // Half a certificate is not taken over.
    let whole = std::fs::read(&certificate).unwrap();
    std::fs::write(&certificate, &whole[..whole.len() / 2]).unwrap();
    let still = directory.path().join("still.pem");
    std::fs::write(&still, &whole).unwrap();
    tokio::time::sleep(Duration::from_secs(7)).await;
    assert!(connect(server.address, &still, b"h2").await.is_ok());
}
