//! Connections that the operator opens.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use bytes::BytesMut;
use smpp::CommandId;
use smpp::client::{BindError, read_outbind};
use smpp::pdu::{BindMode, Outbind};
use smpp::session::{SessionEnd, SessionOptions};
use support::{Peer, Recorder, bind_request};

#[tokio::test(start_paused = true)]
async fn outbind_leads_to_a_receiver_on_the_same_connection() {
    let (ours, theirs) = tokio::io::duplex(64 * 1024);
    let mut peer = Peer::new(theirs);
    let mut octets = BytesMut::new();
    Outbind { system_id: b"smsc", password: b"" }.encode(1, &mut octets).unwrap();
    peer.write(&octets).await;
    let outbound = read_outbind(ours, &SessionOptions::default()).await.unwrap();
    assert_eq!(outbound.system_id(), b"smsc");
    let bind = bind_request(BindMode::Receiver);
    let (session, ()) = tokio::join!(outbound.bind(&bind, SessionOptions::default()), peer.accept_bind());
    let session = session.unwrap();
    assert_eq!(session.bound().mode, BindMode::Receiver);
    let running = tokio::spawn(session.run(Recorder::answering()));
    peer.deliver(2).await;
    peer.expect(CommandId::DELIVER_SM_RESP).await;
    peer.header_only(CommandId::UNBIND, 3).await;
    peer.expect(CommandId::UNBIND_RESP).await;
    assert_eq!(running.await.unwrap(), SessionEnd::PeerUnbound);
}

#[tokio::test(start_paused = true)]
async fn whoever_connects_and_says_nothing_learns_nothing() {
    let (ours, mut theirs) = tokio::io::duplex(1024);
    let started = tokio::time::Instant::now();
    let error = read_outbind(ours, &SessionOptions::default()).await.unwrap_err();
    assert!(matches!(error, BindError::TimedOut(_)), "{error}");
    assert_eq!(started.elapsed().as_secs(), 10);
    let mut heard = Vec::new();
    tokio::io::AsyncReadExt::read_to_end(&mut theirs, &mut heard).await.unwrap();
    assert!(heard.is_empty(), "no login without an outbind");
}
