//! Sessions against a peer that does exactly what the test says, in paused time.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use smpp::client::{BindError, ClientHandler, ClientSession, SubmitBatch};
use smpp::pdu::{BindMode, Decoded, Pdu, SubmitSm, decode};
use smpp::server::read_bind;
use smpp::session::{Answer, Answers, OutcomeBatch, PushError, ReleaseOn, RequestBatch, SessionEnd, SessionOptions};
use smpp::tlv::{TlvBuffer, tag};
use smpp::{CommandId, CommandStatus, FrameError, Header};
use support::{Ended, Peer, Recorder, bind_request, client, client_over};
use tokio::time::{Instant, sleep, timeout};

const TRX: BindMode = BindMode::Transceiver;

fn options() -> SessionOptions {
    SessionOptions::default()
}

/// Lets every other task run until it has nothing left to do.
async fn settle() {
    sleep(Duration::from_millis(1)).await;
}

#[tokio::test(start_paused = true)]
async fn submits_fill_the_window_and_their_answers_free_it() {
    let mut running = client(TRX, SessionOptions { window_max: 2, ..options() }, Recorder::default()).await;
    running.send([10, 11, 12]);
    let (first, _) = running.peer.expect(CommandId::SUBMIT_SM).await;
    let (second, _) = running.peer.expect(CommandId::SUBMIT_SM).await;
    settle().await;
    assert_eq!(running.handle.stats().window_used, 2);
    running.peer.answer_submit(second.sequence_number, CommandStatus::RTHROTTLED, b"").await;
    let (third, _) = running.peer.expect(CommandId::SUBMIT_SM).await;
    running.peer.answer_submit(first.sequence_number, CommandStatus::ROK, b"id-1").await;
    running.peer.send(CommandId::GENERIC_NACK, CommandStatus::RINVCMDID, third.sequence_number, &[]).await;
    settle().await;
    let expected = [
        (11, Ended::Answered(CommandStatus::RTHROTTLED, None)),
        (10, Ended::Answered(CommandStatus::ROK, Some(b"id-1".to_vec()))),
        (12, Ended::Nacked(CommandStatus::RINVCMDID)),
    ];
    assert_eq!(running.recorder.outcomes_now(), expected);
    assert_eq!(running.recorder.memory().room_max, 2);
}

#[tokio::test(start_paused = true)]
async fn a_slot_stays_taken_until_the_handler_gives_it_back() {
    let held = SessionOptions { window_max: 1, release_on: ReleaseOn::Handler, ..options() };
    let mut running = client(TRX, held, Recorder::default()).await;
    running.send([1, 2]);
    let (first, _) = running.peer.expect(CommandId::SUBMIT_SM).await;
    running.peer.answer_submit(first.sequence_number, CommandStatus::ROK, b"a").await;
    settle().await;
    let stats = running.handle.stats();
    assert_eq!((stats.sent, stats.answered, stats.window_used, stats.window_held), (1, 1, 0, 1));
    running.handle.release(1);
    running.peer.expect(CommandId::SUBMIT_SM).await;
}

#[tokio::test(start_paused = true)]
async fn a_submit_without_an_answer_times_out_and_the_peer_is_asked_whether_it_lives() {
    let mut running =
        client(TRX, SessionOptions { enquire_link_idle: Duration::ZERO, ..options() }, Recorder::default()).await;
    running.send([7]);
    let (header, _) = running.peer.expect(CommandId::SUBMIT_SM).await;
    let from = Instant::now();
    let (probe, _) = running.peer.expect(CommandId::ENQUIRE_LINK).await;
    assert_eq!(from.elapsed().as_secs(), 30);
    assert_eq!(running.recorder.outcomes_now(), [(7, Ended::TimedOut)]);
    running.peer.header_only(CommandId::ENQUIRE_LINK_RESP, probe.sequence_number).await;
    running.peer.answer_submit(header.sequence_number, CommandStatus::ROK, b"late").await;
    settle().await;
    assert_eq!(running.recorder.outcomes_now().len(), 1, "a slot has one end");
    let late = [(7, Ended::Answered(CommandStatus::ROK, Some(b"late".to_vec())))];
    assert_eq!(running.recorder.memory().late, late);
    assert_eq!(running.handle.stats().answered_late, 1);
}

#[tokio::test(start_paused = true)]
async fn a_frozen_peer_is_found_by_enquire_link() {
    let mut running = client(TRX, options(), Recorder::default()).await;
    let from = Instant::now();
    running.peer.expect(CommandId::ENQUIRE_LINK).await;
    assert_eq!(from.elapsed().as_secs(), 20);
    running.send([1]);
    running.peer.expect(CommandId::SUBMIT_SM).await;
    let (end, outcomes) = running.ended().await;
    assert_eq!((end, from.elapsed().as_secs()), (SessionEnd::EnquireLinkTimeout, 30));
    assert_eq!(outcomes, [(1, Ended::Lost { written: true })]);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_answers_is_asked_again_only_when_idle() {
    let mut running = client(TRX, options(), Recorder::answering()).await;
    for number in 0..6 {
        sleep(Duration::from_secs(15)).await;
        running.peer.deliver(100 + number).await;
        running.peer.expect(CommandId::DELIVER_SM_RESP).await;
    }
    let (probe, _) = running.peer.expect(CommandId::ENQUIRE_LINK).await;
    running.peer.header_only(CommandId::ENQUIRE_LINK_RESP, probe.sequence_number).await;
    let from = Instant::now();
    running.peer.expect(CommandId::ENQUIRE_LINK).await;
    assert_eq!(from.elapsed().as_secs(), 20);
}

#[tokio::test(start_paused = true)]
async fn silence_and_half_frames_end_the_session() {
    let silent = SessionOptions { enquire_link_idle: Duration::ZERO, ..options() };
    let running = client(TRX, silent, Recorder::default()).await;
    let from = Instant::now();
    let task = running.task;
    assert_eq!((task.await.unwrap(), from.elapsed().as_secs()), (SessionEnd::Inactive, 120));

    let mut running = client(TRX, silent, Recorder::default()).await;
    let from = Instant::now();
    // One octet every three seconds keeps a timer of silence happy, not the timer of the frame.
    for octet in [0, 0, 0, 16] {
        running.peer.write(&[octet]).await;
        sleep(Duration::from_secs(3)).await;
    }
    assert_eq!((running.task.await.unwrap(), from.elapsed().as_secs()), (SessionEnd::HalfFrame, 12));
}

#[tokio::test(start_paused = true)]
async fn requests_are_answered_by_the_state_they_meet() {
    let mut running = client(BindMode::Transmitter, options(), Recorder::answering()).await;
    let peer = &mut running.peer;
    peer.header_only(CommandId::ENQUIRE_LINK, 1).await;
    assert_eq!(peer.expect(CommandId::ENQUIRE_LINK_RESP).await.0.sequence_number, 1);
    peer.send(CommandId(0x0000_0BAD), CommandStatus::ROK, 2, b"what").await;
    let (nack, _) = peer.expect(CommandId::GENERIC_NACK).await;
    assert_eq!((nack.command_status, nack.sequence_number), (CommandStatus::RINVCMDID, 2));
    peer.deliver(3).await;
    let (refused, _) = peer.expect(CommandId::DELIVER_SM_RESP).await;
    assert_eq!(refused.command_status, CommandStatus::RINVBNDSTS);
    peer.send(CommandId::SUBMIT_SM, CommandStatus::ROK, 4, b"").await;
    assert_eq!(peer.expect(CommandId::SUBMIT_SM_RESP).await.0.command_status, CommandStatus::RINVBNDSTS);
    peer.send(CommandId::BIND_RECEIVER, CommandStatus::ROK, 5, b"").await;
    assert_eq!(peer.expect(CommandId::BIND_RECEIVER_RESP).await.0.command_status, CommandStatus::RALYBND);
    running.send([1]);
    let (header, _) = running.peer.expect(CommandId::SUBMIT_SM).await;
    running.peer.answer_submit(header.sequence_number, CommandStatus::ROK, b"still bound").await;
    running.peer.header_only(CommandId::UNBIND, 6).await;
    running.peer.expect(CommandId::UNBIND_RESP).await;
    let (end, outcomes) = running.ended().await;
    assert_eq!((end, outcomes.len()), (SessionEnd::PeerUnbound, 1));
}

#[tokio::test(start_paused = true)]
async fn a_receiver_is_never_asked_for_submits() {
    let mut running = client(BindMode::Receiver, options(), Recorder::answering()).await;
    running.send([1]);
    running.peer.deliver(1).await;
    running.peer.expect(CommandId::DELIVER_SM_RESP).await;
    settle().await;
    assert_eq!(running.handle.stats().sent, 0);
}

#[tokio::test(start_paused = true)]
async fn deliveries_are_answered_later_and_a_full_inbox_never_holds_back_responses() {
    let mut running = client(TRX, SessionOptions { inbox_max: 2, ..options() }, Recorder::default()).await;
    running.send([1]);
    let (submit, _) = running.peer.expect(CommandId::SUBMIT_SM).await;
    for sequence_number in [51, 52, 53] {
        running.peer.deliver(sequence_number).await;
    }
    running.peer.answer_submit(submit.sequence_number, CommandStatus::ROK, b"x").await;
    let (refused, _) = running.peer.expect(CommandId::DELIVER_SM_RESP).await;
    assert_eq!((refused.sequence_number, refused.command_status), (53, CommandStatus::RX_T_APPN));
    settle().await;
    assert_eq!(running.recorder.outcomes_now().len(), 1, "the response was read past the full inbox");
    let requests: Vec<Header> =
        running.recorder.memory().requests.iter().map(|frame| Header::read(frame).unwrap()).collect();
    assert_eq!(requests.iter().map(|header| header.sequence_number).collect::<Vec<_>>(), [51, 52]);

    let answers = [Answer::new(requests[1], CommandStatus::ROK), Answer::new(requests[0], CommandStatus::RX_T_APPN)];
    assert_eq!(running.handle.respond(&answers), 2);
    assert_eq!(running.handle.respond(&answers), 0, "answers to nothing are not taken");
    let (later, frame) = running.peer.expect(CommandId::DELIVER_SM_RESP).await;
    assert_eq!((later.sequence_number, later.command_status, frame.len()), (52, CommandStatus::ROK, 17));
    assert_eq!(running.peer.expect(CommandId::DELIVER_SM_RESP).await.0.command_status, CommandStatus::RX_T_APPN);
    let stats = running.handle.stats();
    assert_eq!((stats.received, stats.refused, stats.unanswered), (2, 1, 0));
}

#[tokio::test(start_paused = true)]
async fn closing_waits_for_answers_still_under_way() {
    let mut running = client(TRX, options(), Recorder::default()).await;
    running.send([1, 2]);
    let (first, _) = running.peer.expect(CommandId::SUBMIT_SM).await;
    running.peer.expect(CommandId::SUBMIT_SM).await;
    running.handle.close();
    let (unbind, _) = running.peer.expect(CommandId::UNBIND).await;
    running.peer.answer_submit(first.sequence_number, CommandStatus::ROK, b"a").await;
    running.peer.header_only(CommandId::UNBIND_RESP, unbind.sequence_number).await;
    let (end, outcomes) = running.ended().await;
    assert_eq!(end, SessionEnd::Unbound);
    let answered = Ended::Answered(CommandStatus::ROK, Some(b"a".to_vec()));
    assert_eq!(outcomes, [(1, answered), (2, Ended::Lost { written: true })]);
}

#[tokio::test(start_paused = true)]
async fn closing_does_not_wait_for_ever() {
    let mut running = client(TRX, options(), Recorder::default()).await;
    running.handle.close();
    running.peer.expect(CommandId::UNBIND).await;
    let from = Instant::now();
    assert_eq!((running.task.await.unwrap(), from.elapsed().as_secs()), (SessionEnd::UnboundUnanswered, 5));
}

#[tokio::test(start_paused = true)]
async fn draining_finishes_the_window_and_takes_no_more() {
    let mut running = client(TRX, SessionOptions { window_max: 1, ..options() }, Recorder::default()).await;
    running.send([1, 2]);
    let (first, _) = running.peer.expect(CommandId::SUBMIT_SM).await;
    running.handle.drain();
    let early = timeout(Duration::from_secs(5), running.peer.next()).await;
    assert!(early.is_err(), "unbound with a submit in the window");
    running.peer.answer_submit(first.sequence_number, CommandStatus::ROK, b"a").await;
    let (unbind, _) = running.peer.expect(CommandId::UNBIND).await;
    running.peer.header_only(CommandId::UNBIND_RESP, unbind.sequence_number).await;
    let (end, outcomes) = running.ended().await;
    assert_eq!((end, outcomes.len()), (SessionEnd::Unbound, 1));
}

#[tokio::test(start_paused = true)]
async fn a_writer_that_is_stuck_does_not_stop_the_reader() {
    // The pipe holds one submit and the beginning of another, and nobody reads it.
    let running = client_over(64, TRX, SessionOptions { window_max: 4, ..options() }, Recorder::default()).await;
    let mut peer = running.peer;
    running.recorder.send([1, 2, 3]);
    running.handle.wake();
    settle().await;
    peer.answer_submit(2, CommandStatus::ROK, b"a").await;
    settle().await;
    assert_eq!(running.recorder.outcomes_now().len(), 1, "an answer was read while the writer was stuck");
    drop(peer);
    assert!(matches!(running.task.await.unwrap(), SessionEnd::PeerClosed | SessionEnd::Broken(_)));
    let outcomes = running.recorder.outcomes_now();
    // A frame of which only a part went out cannot have been taken.
    assert_eq!(outcomes[1..], [(2, Ended::Lost { written: false }), (3, Ended::Lost { written: false })]);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_floods_and_never_reads_is_left() {
    let tight = SessionOptions { write_octets_max: 1024, ..options() };
    let running = client_over(256, TRX, tight, Recorder::default()).await;
    let mut peer = running.peer;
    let flood = async {
        let mut out = bytes::BytesMut::new();
        smpp::encode::header_only(CommandId::ENQUIRE_LINK, CommandStatus::ROK, 9, &mut out);
        while tokio::io::AsyncWriteExt::write_all(&mut peer.stream, &out).await.is_ok() {}
    };
    let (end, ()) = tokio::join!(running.task, flood);
    assert_eq!(end.unwrap(), SessionEnd::PeerNotReading);
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_session_still_gives_every_slot_its_end() {
    let mut running = client(TRX, options(), Recorder::default()).await;
    running.send([1, 2]);
    running.peer.expect(CommandId::SUBMIT_SM).await;
    running.peer.expect(CommandId::SUBMIT_SM).await;
    running.task.abort();
    assert!(running.task.await.unwrap_err().is_cancelled());
    let lost = Ended::Lost { written: true };
    assert_eq!(running.recorder.outcomes_now(), [(1, lost.clone()), (2, lost)]);
}

#[tokio::test(start_paused = true)]
async fn lengths_that_cannot_be_end_the_session_with_a_nack() {
    for declared in [0u32, 15, 1 << 31, u32::MAX] {
        let mut running = client(TRX, options(), Recorder::default()).await;
        running.send([1]);
        running.peer.expect(CommandId::SUBMIT_SM).await;
        running.peer.write(&declared.to_be_bytes()).await;
        let (nack, _) = running.peer.expect(CommandId::GENERIC_NACK).await;
        assert_eq!(nack.command_status, CommandStatus::RINVCMDLEN);
        let (end, outcomes) = running.ended().await;
        assert!(
            matches!(end, SessionEnd::OutOfStep(FrameError::TooShort { .. } | FrameError::TooLong { .. })),
            "{declared}: {end}"
        );
        assert_eq!(outcomes, [(1, Ended::Lost { written: true })]);
    }
}

#[tokio::test(start_paused = true)]
async fn damaged_requests_reach_the_handler() {
    let mut running = client(TRX, options(), Recorder::answering()).await;
    running.peer.send(CommandId::DELIVER_SM, CommandStatus::ROK, 1, b"\0\x01").await;
    running.peer.expect(CommandId::DELIVER_SM_RESP).await;
    let frame = running.recorder.memory().requests[0].clone();
    assert!(matches!(decode(&frame), Decoded::Damaged { .. }));
}

#[tokio::test(start_paused = true)]
async fn a_bind_is_refused_or_times_out() {
    let (ours, theirs) = tokio::io::duplex(4096);
    let mut peer = Peer::new(theirs);
    let bind = bind_request(TRX);
    let refusing = async {
        let (header, _) = peer.next().await.unwrap();
        peer.header_only(CommandId::ENQUIRE_LINK, 99).await;
        peer.expect(CommandId::ENQUIRE_LINK_RESP).await;
        let number = header.sequence_number;
        peer.send(CommandId::BIND_TRANSCEIVER_RESP, CommandStatus::RINVPASWD, number, &[]).await;
    };
    let (session, ()) = tokio::join!(ClientSession::bind(ours, &bind, options()), refusing);
    assert_eq!(session.unwrap_err(), BindError::Refused(CommandStatus::RINVPASWD));

    let (ours, _theirs) = tokio::io::duplex(4096);
    let from = Instant::now();
    let session = ClientSession::bind(ours, &bind, options()).await;
    assert!(matches!(session.unwrap_err(), BindError::TimedOut(_)));
    assert_eq!(from.elapsed().as_secs(), 10);
}

/// Pushes one message with a parameter that can be left out and two with parameters that cannot.
struct WithTlvs(Arc<Mutex<Vec<Result<(), PushError>>>>);

impl ClientHandler for WithTlvs {
    fn pull(&mut self, batch: &mut SubmitBatch<'_>) {
        for (tag, value) in [
            (tag::USER_MESSAGE_REFERENCE, &[0, 1][..]),
            (tag::SAR_MSG_REF_NUM, &[0, 1]),
            (tag::MESSAGE_PAYLOAD, b"text"),
        ] {
            let mut tlvs = TlvBuffer::new();
            tlvs.push(tag, value);
            let message = SubmitSm { tlvs: tlvs.as_tlvs(), ..SubmitSm::default() };
            self.0.lock().unwrap().push(batch.push(1, &message));
        }
    }

    fn outcomes(&mut self, _outcomes: &OutcomeBatch) {}

    fn delivers(&mut self, _delivers: RequestBatch, _answers: &mut Answers<'_>) {}
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_names_no_version_gets_no_parameters() {
    let (ours, theirs) = tokio::io::duplex(4096);
    let mut peer = Peer::new(theirs);
    let bind = bind_request(TRX);
    let old = async {
        let (header, _) = peer.next().await.unwrap();
        let (id, number) = (CommandId::BIND_TRANSCEIVER_RESP, header.sequence_number);
        peer.send(id, CommandStatus::ROK, number, b"old\0").await;
    };
    let (session, ()) = tokio::join!(ClientSession::bind(ours, &bind, options()), old);
    let session = session.unwrap();
    let bound = session.bound().clone();
    assert_eq!((bound.interface_version, bound.tlvs_allowed, &bound.system_id[..]), (0x33, false, &b"old"[..]));
    let pushed = Arc::<Mutex<Vec<_>>>::default();
    let _task = tokio::spawn(session.run(WithTlvs(Arc::clone(&pushed))));
    let (_, frame) = peer.expect(CommandId::SUBMIT_SM).await;
    match decode(&frame) {
        Decoded::Parsed { pdu: Pdu::SubmitSm(submit), .. } => assert!(submit.tlvs.is_empty()),
        other => panic!("{other:?}"),
    }
    let expected = [Ok(()), Err(PushError::NoTlvs), Err(PushError::NoTlvs)];
    assert_eq!(*pushed.lock().unwrap(), expected, "what the peer can do without is left out, text is not");
}

#[tokio::test(start_paused = true)]
async fn a_server_waits_for_the_bind_and_sends_deliveries_with_a_window_of_its_own() {
    let (ours, theirs) = tokio::io::duplex(4096);
    let mut peer = Peer::new(theirs);
    let binding = async {
        peer.send(CommandId::SUBMIT_SM, CommandStatus::ROK, 1, b"").await;
        assert_eq!(peer.expect(CommandId::SUBMIT_SM_RESP).await.0.command_status, CommandStatus::RINVBNDSTS);
        let mut out = bytes::BytesMut::new();
        bind_request(TRX).encode(2, &mut out).unwrap();
        peer.write(&out).await;
    };
    let (pending, ()) = tokio::join!(read_bind(ours, SessionOptions { window_max: 1, ..options() }), binding);
    let pending = pending.unwrap();
    assert_eq!((&pending.request().system_id[..], &pending.request().password[..]), (&b"us"[..], &b"secret"[..]));
    let session = pending.accept(b"smsc").unwrap();
    let (handle, recorder) = (session.handle(), Recorder::answering());
    recorder.send([5, 6]);
    let task = tokio::spawn(session.run(recorder.clone()));
    let (_, frame) = peer.expect(CommandId::BIND_TRANSCEIVER_RESP).await;
    match decode(&frame) {
        Decoded::Parsed { pdu: Pdu::BindResp(resp), .. } => assert_eq!(resp.tlvs.sc_interface_version(), Some(0x34)),
        other => panic!("{other:?}"),
    }
    let (first, _) = peer.expect(CommandId::DELIVER_SM).await;
    peer.send(CommandId::DELIVER_SM_RESP, CommandStatus::ROK, first.sequence_number, &[0]).await;
    let (second, _) = peer.expect(CommandId::DELIVER_SM).await;
    peer.send(CommandId::DELIVER_SM_RESP, CommandStatus::RX_T_APPN, second.sequence_number, &[0]).await;
    let mut out = bytes::BytesMut::new();
    support::MESSAGE.encode_submit(77, &mut out).unwrap();
    peer.write(&out).await;
    let (_, frame) = peer.expect(CommandId::SUBMIT_SM_RESP).await;
    assert_eq!(&frame[16..], b"77\0");
    handle.close();
    let (unbind, _) = peer.expect(CommandId::UNBIND).await;
    peer.header_only(CommandId::UNBIND_RESP, unbind.sequence_number).await;
    assert_eq!(task.await.unwrap(), SessionEnd::Unbound);
    let answered = |status| Ended::Answered(status, None);
    let expected = [(5, answered(CommandStatus::ROK)), (6, answered(CommandStatus::RX_T_APPN))];
    assert_eq!(recorder.outcomes_now(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_server_does_not_wait_for_a_bind_for_ever() {
    let (ours, _theirs) = tokio::io::duplex(4096);
    let from = Instant::now();
    assert!(read_bind(ours, options()).await.is_err());
    assert_eq!(from.elapsed().as_secs(), 10);
}

#[tokio::test(start_paused = true)]
async fn c11_a_peer_that_unbinds_may_still_answer_what_it_owes() {
    let options = SessionOptions { window_max: 50, ..SessionOptions::default() };
    let mut running = client(BindMode::Transceiver, options, Recorder::default()).await;
    running.send(0..60);
    let mut owed = Vec::new();
    for _ in 0..50 {
        owed.push(running.peer.expect(CommandId::SUBMIT_SM).await.0.sequence_number);
    }
    running.peer.header_only(CommandId::UNBIND, 900).await;
    for sequence_number in owed {
        running.peer.answer_submit(sequence_number, CommandStatus::ROK, b"id").await;
    }
    let (resp, _) = running.peer.expect(CommandId::UNBIND_RESP).await;
    assert_eq!(resp.sequence_number, 900);
    let (end, outcomes) = running.ended().await;
    assert_eq!(end, SessionEnd::PeerUnbound);
    assert_eq!(outcomes.len(), 50, "and nothing new was sent after the unbind");
    assert!(outcomes.iter().all(|(_, ended)| matches!(ended, Ended::Answered(CommandStatus::ROK, Some(_)))));
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_unbinds_and_answers_nothing_is_not_waited_for_long() {
    let mut running = client(BindMode::Transceiver, SessionOptions::default(), Recorder::default()).await;
    running.send(0..1);
    running.peer.expect(CommandId::SUBMIT_SM).await;
    let asked = tokio::time::Instant::now();
    running.peer.header_only(CommandId::UNBIND, 900).await;
    running.peer.expect(CommandId::UNBIND_RESP).await;
    assert_eq!(asked.elapsed().as_secs(), 5);
    let (end, outcomes) = running.ended().await;
    assert_eq!((end, outcomes), (SessionEnd::PeerUnbound, vec![(0, Ended::Lost { written: true })]));
}
