//! A session in TLS, and whom it trusts.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use sha2::{Digest, Sha256};
use smpp::client::{ClientSession, ConnectError, ConnectOptions, connect};
use smpp::pdu::BindMode;
use smpp::server::read_bind;
use smpp::session::{SessionEnd, SessionOptions};
use smpp::tls::{ClientTls, TlsError, acceptor};
use support::{Ended, Recorder, bind_request};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

fn certificate() -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    (cert.der().clone(), PrivatePkcs8KeyDer::from(signing_key.serialize_der()).into())
}

/// Serves one bind in TLS.
async fn serve(
    certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
) -> (u16, JoinHandle<Option<SessionEnd>>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let acceptor = acceptor(vec![certificate], key).unwrap();
    let task = tokio::spawn(async move {
        let (stream, _peer) = listener.accept().await.unwrap();
        let stream = acceptor.accept(stream).await.ok()?;
        let pending = read_bind(stream, SessionOptions::default()).await.unwrap();
        Some(pending.accept(b"tls").unwrap().run(Recorder::answering()).await)
    });
    (port, task)
}

async fn try_with(
    tls: ClientTls,
    certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
) -> Result<(), ConnectError> {
    let (port, serving) = serve(certificate, key).await;
    let options = ConnectOptions { tls: Some(tls), ..ConnectOptions::default() };
    let stream = connect("localhost", port, &options).await?;
    let session_options = SessionOptions { window_max: 50, ..SessionOptions::default() };
    let session = ClientSession::bind(stream, &bind_request(BindMode::Transceiver), session_options).await.unwrap();
    let (handle, recorder) = (session.handle(), Recorder::default());
    recorder.send(0..500);
    let running = tokio::spawn(session.run(recorder.clone()));
    while recorder.outcomes_now().len() < 500 {
        tokio::task::yield_now().await;
    }
    handle.drain();
    assert_eq!(running.await.unwrap(), SessionEnd::Unbound);
    assert_eq!(serving.await.unwrap(), Some(SessionEnd::PeerUnbound));
    assert!(
        recorder
            .outcomes_now()
            .iter()
            .all(|(_, ended)| matches!(ended, Ended::Answered(status, Some(_)) if status.is_ok()))
    );
    Ok(())
}

#[tokio::test]
async fn a_pinned_certificate_is_trusted_and_no_other() {
    let (certificate, key) = certificate();
    let tls = ClientTls::with_pinned_sha256(Sha256::digest(&certificate).into()).unwrap();
    try_with(tls.clone(), certificate, key).await.unwrap();
    let (other, other_key) = self::certificate();
    let refused = try_with(tls, other, other_key).await.unwrap_err();
    assert!(matches!(refused, ConnectError::Tls(TlsError::Handshake { .. })), "{refused}");
}

#[tokio::test]
async fn roots_decide_whom_to_trust() {
    let (certificate, key) = certificate();
    let mut roots = RootCertStore::empty();
    assert!(matches!(ClientTls::with_roots(roots.clone()), Err(TlsError::Roots(_))));
    roots.add(certificate.clone()).unwrap();
    let tls = ClientTls::with_roots(roots).unwrap();
    try_with(tls.clone(), certificate, key).await.unwrap();
    let (other, other_key) = self::certificate();
    assert!(try_with(tls, other, other_key).await.is_err());
}

#[tokio::test]
async fn nobody_there_is_said_plainly() {
    // Bound and closed again: nothing listens on this port now.
    let port = TcpListener::bind(("127.0.0.1", 0)).await.unwrap().local_addr().unwrap().port();
    let error = connect("127.0.0.1", port, &ConnectOptions::default()).await.unwrap_err();
    assert!(error.to_string().starts_with(&format!("cannot connect to 127.0.0.1:{port}: ")), "{error}");
}
