//! The ways in which operators differ: data_sm, no optional parameters, TLS, outbind.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::BytesMut;
use domain::state::Status;
use flow::send::trace::{Masking, OUTBIND, TraceFilter, TraceLine};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::PrivatePkcs8KeyDer;
use sha2::{Digest, Sha256};
use simulator::operator::Behaviour;
use smpp::pdu::{BindMode, BindResp, DataSm, Outbind, SubmitSm};
use smpp::tlv::{TlvBuffer, tag};
use smpp::{CommandId, CommandStatus, FrameCutter, Header};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

use tokio::time::timeout;

use super::rig::{LONG, Rig, carrier, operator, phones, plain, until};

fn quick() -> Behaviour {
    Behaviour { receipt_ms: 10, ..plain() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_can_go_by_data_sm() {
    let operator = operator(quick()).await;
    let lines = "binds = 1\nsubmit_with = \"data_sm\"";
    let rig = Rig::start(&[("one", carrier("one", operator.address, lines))]).await;
    rig.wait_bound("one", 1).await;
    let mut ids = rig.send(phones(0, 0, 10)).await;
    ids.extend(rig.send_text(&"long ".repeat(60), phones(0, 100, 1)).await);
    rig.wait_status(&ids, &[Status::Delivered]).await;
    let parts = operator.ledger().parts();
    assert!(parts.len() == 12 && parts.iter().all(|part| part.by_data_sm), "{parts:?}");
    let long: String =
        operator.ledger().messages().into_iter().map(|message| message.text).filter(|text| text.len() > 100).collect();
    assert_eq!(long, "long ".repeat(60));
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_of_3_3_gets_no_optional_parameters() {
    let operator = operator(quick()).await;
    let lines = "binds = 1\ninterface_version = \"3.3\"\nlong_messages = \"sar\"\nsubmit_with = \"data_sm\"";
    let rig = Rig::start(&[("one", carrier("one", operator.address, lines))]).await;
    rig.wait_bound("one", 1).await;
    let ids = rig.send_text(&"long ".repeat(60), phones(0, 0, 1)).await;
    rig.wait_status(&ids, &[Status::Delivered]).await;
    let parts = operator.ledger().parts();
    assert!(parts.len() == 2 && parts.iter().all(|part| !part.by_data_sm && part.esm_class == 0x40), "{parts:?}");
    rig.stop().await;
}

/// TLS in front of an operator; gives its address and the SHA-256 of its certificate.
async fn tls_in_front_of(target: SocketAddr) -> (SocketAddr, String) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(vec!["smsc".to_owned()]).unwrap();
    let fingerprint =
        Sha256::digest(cert.der()).iter().map(|octet| format!("{octet:02X}")).collect::<Vec<_>>().join(":");
    let key = PrivatePkcs8KeyDer::from(signing_key.serialize_der()).into();
    let acceptor = Arc::new(smpp::tls::acceptor(vec![cert.der().clone()], key).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = Arc::clone(&acceptor);
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let mut target = TcpStream::connect(target).await.unwrap();
                // The end of either side is the end of both.
                let _ = copy_bidirectional(&mut stream, &mut target).await;
            });
        }
    });
    (address, fingerprint)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pinned_certificate_is_trusted_and_no_other() {
    let operator = operator(quick()).await;
    let (address, fingerprint) = tls_in_front_of(operator.address).await;
    let pinned = |fingerprint: &str| format!("binds = 1\ntls = true\ntls_pinned_sha256 = \"{fingerprint}\"");
    let right = carrier("right", address, &pinned(&fingerprint));
    let wrong = carrier("wrong", address, &pinned(&"00".repeat(32)));
    let rig = Rig::start(&[("right", right), ("wrong", wrong)]).await;
    rig.wait_bound("right", 1).await;
    let ids = rig.send(phones(0, 0, 10)).await;
    rig.wait_status(&ids, &[Status::Delivered]).await;
    let why = |rig: &Rig| format!("{:?}", rig.carrier("wrong").binds()[0].state);
    until("the other pin is refused", || why(&rig).contains("not the pinned one")).await;
    assert!(why(&rig).contains(&fingerprint.replace(':', "").to_lowercase()), "it names the one it found");
    rig.stop().await;
}

/// The next frame of the peer.
pub async fn frame<S: AsyncRead + Unpin>(stream: &mut S, cutter: &mut FrameCutter) -> (Header, Vec<u8>) {
    loop {
        if let Some(frame) = cutter.next_frame().unwrap() {
            let frame = frame.to_vec();
            return (Header::read(&frame).unwrap(), frame);
        }
        let octets = stream.read(cutter.spare()).await.unwrap();
        assert_ne!(octets, 0, "the platform closed the connection");
        cutter.received(octets);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outbind_leads_to_a_receiver_whose_messages_are_kept() {
    let operator = operator(Behaviour { missing_per_mille: 1000, ..plain() }).await;
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let lines = format!("binds = 1\noutbind_listen = \"{free}\"\noutbind_allowed_addresses = [\"127.0.0.1\"]");
    let rig = Rig::start(&[("one", carrier("one", operator.address, &lines))]).await;
    rig.wait_bound("one", 1).await;
    let ids = rig.send(phones(0, 0, 1)).await;
    rig.wait_status(&ids, &[Status::Sent]).await;
    let mut trace = rig.flow.traces.open(TraceFilter { bind: Some(OUTBIND), ..TraceFilter::default() }).unwrap();
    let mut stream = TcpStream::connect(free).await.unwrap();
    let (mut cutter, mut out) = (FrameCutter::new(4_096), BytesMut::new());
    Outbind { system_id: b"smsc", password: b"" }.encode(1, &mut out).unwrap();
    stream.write_all(&out).await.unwrap();
    let (bind, _) = frame(&mut stream, &mut cutter).await;
    assert_eq!(bind.command_id, CommandId::BIND_RECEIVER);
    out.clear();
    let ok = CommandStatus::ROK;
    BindResp::encode_answer(BindMode::Receiver, ok, b"smsc", Some(0x34), bind.sequence_number, &mut out).unwrap();
    SubmitSm { short_message: b"hi", ..SubmitSm::default() }.encode_deliver(2, &mut out).unwrap();
    let mut said = TlvBuffer::new();
    said.push_text(tag::RECEIPTED_MESSAGE_ID, operator.ledger().parts()[0].id.as_bytes())
        .push(tag::MESSAGE_STATE, &[2]);
    DataSm { esm_class: 0x04, tlvs: said.as_tlvs(), ..DataSm::default() }.encode(3, &mut out).unwrap();
    stream.write_all(&out).await.unwrap();
    let mut answered = Vec::new();
    for _ in 0..2 {
        let (answer, _) = frame(&mut stream, &mut cutter).await;
        answered.push((answer.command_id, answer.sequence_number, answer.command_status));
    }
    answered.sort_by_key(|(_, sequence_number, _)| *sequence_number);
    assert_eq!(answered, [(CommandId::DELIVER_SM_RESP, 2, ok), (CommandId::DATA_SM_RESP, 3, ok)]);
    let mut seen = Vec::new();
    while seen.len() < 6 {
        let traced = timeout(LONG, trace.next()).await.unwrap_or_else(|_| panic!("only {seen:?}")).unwrap();
        seen.push(TraceLine::of(&traced, Masking::default()).pdu);
    }
    for pdu in ["bind_receiver", "bind_receiver_resp", "deliver_sm", "data_sm", "deliver_sm_resp", "data_sm_resp"] {
        assert!(seen.iter().any(|seen| seen == pdu), "{pdu} is not in the trace: {seen:?}");
    }
    assert_eq!(rig.flow.settle.stats().incoming.load(std::sync::atomic::Ordering::Relaxed), 1);
    rig.wait_status(&ids, &[Status::Delivered]).await;
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outbind_comes_in_tls_with_its_password_or_learns_nothing() {
    let operator = operator(plain()).await;
    let (address, fingerprint) = tls_in_front_of(operator.address).await;
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(vec!["platform".to_owned()]).unwrap();
    let file = |name: &str, content: String| {
        let path = directory.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    };
    let lines = format!(
        "binds = 1\ntls = true\ntls_pinned_sha256 = \"{fingerprint}\"\noutbind_listen = \"{free}\"\n\
         outbind_allowed_addresses = [\"127.0.0.1\"]\noutbind_password = \"agreed\"\n\
         outbind_certificate_file = {:?}\noutbind_private_key_file = {:?}",
        file("certificate.pem", cert.pem()),
        file("key.pem", signing_key.serialize_pem())
    );
    let rig = Rig::start(&[("one", carrier("one", address, &lines))]).await;
    rig.wait_bound("one", 1).await;
    let pinned = smpp::tls::ClientTls::with_pinned_sha256(Sha256::digest(cert.der()).into()).unwrap();
    let heard_after = async |password: &[u8]| {
        let stream = TcpStream::connect(free).await.unwrap();
        let mut stream = pinned.connect("platform", stream).await.unwrap();
        let mut out = BytesMut::new();
        Outbind { system_id: b"smsc", password }.encode(1, &mut out).unwrap();
        stream.write_all(&out).await.unwrap();
        let mut first = [0; 16];
        timeout(LONG, stream.read_exact(&mut first))
            .await
            .unwrap()
            .ok()
            .map(|_| Header::read(&first).unwrap().command_id)
    };
    for wrong in [&b""[..], b"agree", b"agreeD", b"agreed1"] {
        assert_eq!(heard_after(wrong).await, None, "{wrong:?} is told nothing");
    }
    assert_eq!(heard_after(b"agreed").await, Some(CommandId::BIND_RECEIVER));
    // In the clear nobody is told anything either.
    let mut stream = TcpStream::connect(free).await.unwrap();
    let mut out = BytesMut::new();
    Outbind { system_id: b"smsc", password: b"agreed" }.encode(1, &mut out).unwrap();
    stream.write_all(&out).await.unwrap();
    let mut heard = Vec::new();
    // TLS may say in an alert that this is none.
    _ = timeout(LONG, stream.read_to_end(&mut heard)).await.unwrap();
    assert!(!heard.windows(8).any(|octets| octets == b"posthorn"), "{heard:?}");
    rig.stop().await;
}
