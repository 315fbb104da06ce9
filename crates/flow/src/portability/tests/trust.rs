//! TLS towards the service: always verified.

use std::sync::Arc;

use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::super::Options;
use super::server::{Reaction, Seen, networks, phone, serve};

#[tokio::test]
async fn a_certificate_must_be_trusted() {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).expect("a certificate");
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .expect("a configuration");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let (port, seen) = (listener.local_addr().expect("an address").port(), Arc::<Seen>::default());
    seen.reactions.lock().insert("48".into(), Reaction::Json(r#"{"network":"26006"}"#));
    let acceptor = TlsAcceptor::from(Arc::new(config));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if let Ok(stream) = acceptor.accept(stream).await {
                tokio::spawn(serve(stream, Arc::clone(&seen)));
            }
        }
    });
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), made.cert.pem()).expect("written");
    let url = format!("https://localhost:{port}/v1/{{phone}}");
    let unknown = networks(&Options { url: url.clone(), ..Options::default() });
    let failed = unknown.look_up(phone("48500100200")).await.expect_err("not trusted");
    assert!(failed.to_string().contains("TLS failed"), "{failed}");
    let extra_ca_file = file.path().to_string_lossy().into_owned();
    let trusted = networks(&Options { url, extra_ca_file, ..Options::default() });
    let facts = trusted.look_up(phone("48500100200")).await.expect("an answer").expect("known");
    assert_eq!(facts.network.to_string(), "26006");
}
