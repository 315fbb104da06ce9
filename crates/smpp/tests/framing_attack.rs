//! What a broken or hostile SMSC may write, against a bound session. In paused time.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use futures_util::FutureExt;
use proptest::prelude::{Strategy, any, prop};
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use smpp::pdu::BindMode;
use smpp::session::{SessionEnd, SessionOptions};
use smpp::{CommandId, CommandStatus};
use support::{Ended, Recorder, Running, client};

/// Resident memory of this process in KiB.
fn resident_kib() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_ascii_whitespace().nth(1).unwrap().parse().unwrap()
}

async fn bound() -> Running {
    let running = client(BindMode::Transceiver, SessionOptions::default(), Recorder::answering()).await;
    running.send([1]);
    running
}

fn frame(length: u32, command_id: u32, body: &[u8]) -> Vec<u8> {
    let words = [length, command_id, 0, 7];
    words.into_iter().flat_map(u32::to_be_bytes).chain(body.iter().copied()).collect()
}

#[tokio::test(start_paused = true)]
async fn c5_framing_attack_by_impossible_lengths() {
    let before = resident_kib();
    for length in [0, 15, 1 << 31, u32::MAX] {
        let mut running = bound().await;
        running.peer.expect(CommandId::SUBMIT_SM).await;
        running.peer.write(&frame(length, 0x0000_0005, &[0; 64])).await;
        let (nack, _) = running.peer.expect(CommandId::GENERIC_NACK).await;
        assert_eq!(nack.command_status, CommandStatus::RINVCMDLEN, "{length:#x}");
        assert!(running.peer.next().await.is_none(), "a stream out of step is closed, not searched: {length:#x}");
        let (end, outcomes) = running.ended().await;
        assert!(matches!(end, SessionEnd::OutOfStep(_)), "{end}");
        assert_eq!(outcomes, [(1, Ended::Lost { written: true })], "every slot has its end");
    }
    assert!(resident_kib() < before + 10 * 1024, "lengths are looked at before anything is allocated for them");
}

#[tokio::test(start_paused = true)]
async fn c5_framing_attack_by_a_pdu_that_never_ends() {
    let mut running = bound().await;
    running.peer.expect(CommandId::SUBMIT_SM).await;
    running.peer.write(&frame(64, 0x0000_0005, &[0; 10])).await;
    let (end, _) = running.ended().await;
    assert_eq!(end, SessionEnd::HalfFrame);
}

#[tokio::test(start_paused = true)]
async fn c5_framing_attack_by_unknown_commands_leaves_the_session_bound() {
    let mut running = bound().await;
    let (submit, _) = running.peer.expect(CommandId::SUBMIT_SM).await;
    for command_id in [0x0000_00ff, 0x0001_0200, 0x7fff_ffff] {
        running.peer.write(&frame(16, command_id, &[])).await;
        let (nack, _) = running.peer.expect(CommandId::GENERIC_NACK).await;
        assert_eq!((nack.command_status, nack.sequence_number), (CommandStatus::RINVCMDID, 7), "{command_id:#x}");
    }
    running.peer.answer_submit(submit.sequence_number, CommandStatus::ROK, b"id").await;
    running.handle.drain();
    let (unbind, _) = running.peer.expect(CommandId::UNBIND).await;
    running.peer.header_only(CommandId::UNBIND_RESP, unbind.sequence_number).await;
    assert_eq!(running.ended().await.0, SessionEnd::Unbound);
}

/// Garbage behind a header that promises a whole frame: whatever it is, nothing panics, and what ends the session is one
/// of the ends there are.
async fn garbage(frames: usize) {
    let mut runner = TestRunner::deterministic();
    let garbage = (any::<u32>(), any::<bool>(), prop::collection::vec(any::<u8>(), 0..200));
    let before = resident_kib();
    let mut running = bound().await;
    for _ in 0..frames {
        let (id, known, body) = garbage.new_tree(&mut runner).unwrap().current();
        let known_ids = [0x05, 0x15, 0x103, 0x8000_0004, 0x8000_0103, 0x8000_0000, 0x102, 0x0b];
        let id = if known { known_ids[id as usize % known_ids.len()] } else { id };
        // An unbind would end the session in good order and prove nothing more.
        if id == 0x06 {
            continue;
        }
        if running.task.is_finished() {
            running = bound().await;
        }
        running.peer.write(&frame(16 + body.len() as u32, id, &body)).await;
        // What comes back has to be read, or the pipe fills up.
        tokio::task::yield_now().await;
        while let Some(Some(_)) = running.peer.next().now_or_never() {}
        // What the test itself remembers is not the session's memory.
        running.recorder.memory().requests.clear();
    }
    running.peer.write(&frame(16, 0x0000_0015, &[])).await;
    while running.peer.next().await.unwrap().0.command_id != CommandId::ENQUIRE_LINK_RESP {}
    assert!(resident_kib() < before + 10 * 1024, "{} KiB grew to {} KiB", before, resident_kib());
}

#[tokio::test(start_paused = true)]
async fn c5_framing_attack_by_garbage() {
    garbage(10_000).await;
}

#[tokio::test(start_paused = true)]
async fn nightly_c5_framing_attack_by_much_garbage() {
    garbage(1_000_000).await;
}
