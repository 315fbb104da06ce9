//! Looking at the frames of a session.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use smpp::pdu::BindMode;
use smpp::session::{Direction, FrameWatcher, SessionOptions};
use smpp::{CommandId, CommandStatus, Header};
use support::{Recorder, client};
use tokio::time::sleep;

#[derive(Default)]
struct Eyes {
    open: AtomicBool,
    asked: AtomicUsize,
    seen: Mutex<Vec<(Direction, CommandId, u32)>>,
}

impl FrameWatcher for Eyes {
    fn looks(&self) -> bool {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.open.load(Ordering::Relaxed)
    }

    fn frame(&self, direction: Direction, frame: &[u8]) {
        let header = Header::read(frame).unwrap();
        assert_eq!(frame.len(), u32::from_be_bytes(*frame.first_chunk().unwrap()) as usize, "a whole frame");
        self.seen.lock().unwrap().push((direction, header.command_id, header.sequence_number));
    }
}

#[tokio::test(start_paused = true)]
async fn frames_are_shown_both_ways_while_somebody_looks() {
    let options = SessionOptions { window_max: 100, enquire_link_idle: Duration::ZERO, ..SessionOptions::default() };
    let mut running = client(BindMode::Transceiver, options, Recorder::answering()).await;
    let eyes = Arc::new(Eyes::default());
    assert!(running.handle.watch_frames(eyes.clone()));
    assert!(!running.handle.watch_frames(eyes.clone()), "one watcher at a time");
    running.send(0..50);
    for _ in 0..50 {
        let (header, _) = running.peer.expect(CommandId::SUBMIT_SM).await;
        running.peer.answer_submit(header.sequence_number, CommandStatus::ROK, b"unseen").await;
    }
    sleep(Duration::from_millis(1)).await;
    assert!(eyes.seen.lock().unwrap().is_empty(), "nobody looks");
    eyes.open.store(true, Ordering::Relaxed);
    // Whoever begins to look may miss what is written in the same turn; this delivery begins it.
    running.peer.deliver(700).await;
    running.peer.expect(CommandId::DELIVER_SM_RESP).await;
    eyes.seen.lock().unwrap().clear();
    running.send(50..53);
    let mut expected = Vec::new();
    let mut answered = Vec::new();
    for _ in 0..3 {
        let (header, _) = running.peer.expect(CommandId::SUBMIT_SM).await;
        expected.push((Direction::Out, CommandId::SUBMIT_SM, header.sequence_number));
        answered.push((Direction::In, CommandId::SUBMIT_SM_RESP, header.sequence_number));
    }
    for (_, _, sequence_number) in &answered {
        running.peer.answer_submit(*sequence_number, CommandStatus::ROK, b"seen").await;
    }
    running.peer.deliver(701).await;
    running.peer.expect(CommandId::DELIVER_SM_RESP).await;
    expected.extend(answered);
    expected.push((Direction::In, CommandId::DELIVER_SM, 701));
    expected.push((Direction::Out, CommandId::DELIVER_SM_RESP, 701));
    sleep(Duration::from_millis(1)).await;
    assert_eq!(*eyes.seen.lock().unwrap(), expected);
    eyes.open.store(false, Ordering::Relaxed);
    running.peer.deliver(702).await;
    running.peer.expect(CommandId::DELIVER_SM_RESP).await;
    assert_eq!(eyes.seen.lock().unwrap().len(), expected.len());
}

#[tokio::test(start_paused = true)]
async fn a_watcher_is_asked_per_batch_and_not_per_frame() {
    let options = SessionOptions { window_max: 1_000, enquire_link_idle: Duration::ZERO, ..SessionOptions::default() };
    let mut running = client(BindMode::Transceiver, options, Recorder::answering()).await;
    let eyes = Arc::new(Eyes::default());
    running.handle.watch_frames(eyes.clone());
    let before = eyes.asked.load(Ordering::Relaxed);
    running.send(0..1_000);
    for _ in 0..1_000 {
        running.peer.expect(CommandId::SUBMIT_SM).await;
    }
    let asked = eyes.asked.load(Ordering::Relaxed) - before;
    assert!(asked < 100, "{asked} questions for 1000 frames");
}
