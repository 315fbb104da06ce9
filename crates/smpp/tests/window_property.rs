//! Whatever the peer does, every submit has exactly one end, and the window is never exceeded.

mod support;

use std::collections::HashMap;
use std::time::Duration;

use proptest::prelude::*;
use smpp::pdu::BindMode;
use smpp::session::{ReleaseOn, SessionOptions};
use smpp::{CommandId, CommandStatus};
use support::{Ended, Recorder, Running, client};
use tokio::time::{sleep, timeout};

/// What the peer does next.
#[derive(Debug, Clone)]
enum Act {
    /// Answers the submit at this place among those it has not answered.
    Answer(prop::sample::Index),
    /// Answers it with `generic_nack`.
    Nack(prop::sample::Index),
    /// Answers one it has answered before.
    AnswerAgain(prop::sample::Index),
    /// Answers something that was never asked.
    AnswerNothing(u32),
    /// Answers with the wrong kind of response.
    AnswerWrongly(prop::sample::Index),
    /// Sends a delivery.
    Deliver(u32),
    /// Does nothing for so many seconds.
    Wait(u8),
    /// The owner has so many submits more.
    Submit(u8),
    /// The owner gives slots back.
    Release(u8),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => any::<prop::sample::Index>().prop_map(Act::Answer),
        1 => any::<prop::sample::Index>().prop_map(Act::Nack),
        1 => any::<prop::sample::Index>().prop_map(Act::AnswerAgain),
        1 => any::<u32>().prop_map(Act::AnswerNothing),
        1 => any::<prop::sample::Index>().prop_map(Act::AnswerWrongly),
        1 => (1u32..1000).prop_map(Act::Deliver),
        2 => (0u8..40).prop_map(Act::Wait),
        4 => (1u8..12).prop_map(Act::Submit),
        2 => (1u8..6).prop_map(Act::Release),
    ]
}

/// How it all ends.
#[derive(Debug, Clone, Copy)]
enum Finish {
    Reset,
    Close,
    Drain,
    Cancel,
}

/// A session under test, and what the peer knows about it.
struct Game {
    running: Running,
    /// Submits the owner has had so far; their tokens are the numbers below.
    given: u64,
    open: Vec<u32>,
    answered: Vec<u32>,
}

fn pick(index: prop::sample::Index, from: &[u32]) -> Option<usize> {
    (!from.is_empty()).then(|| index.index(from.len()))
}

impl Game {
    async fn read_what_there_is(&mut self) {
        while let Ok(Some((header, _))) = timeout(Duration::from_millis(1), self.running.peer.next()).await {
            if header.command_id == CommandId::SUBMIT_SM {
                let number = header.sequence_number;
                assert!(!self.open.contains(&number), "a number in the window was given out again");
                self.open.push(number);
            }
        }
    }

    async fn act(&mut self, act: Act) {
        let peer = &mut self.running.peer;
        match act {
            Act::Answer(index) | Act::Nack(index) => {
                let Some(at) = pick(index, &self.open) else { return };
                let number = self.open.remove(at);
                if matches!(act, Act::Nack(_)) {
                    peer.send(CommandId::GENERIC_NACK, CommandStatus::RSYSERR, number, &[]).await;
                } else {
                    peer.answer_submit(number, CommandStatus::ROK, number.to_string().as_bytes()).await;
                }
                self.answered.push(number);
            }
            Act::AnswerAgain(index) => {
                if let Some(at) = pick(index, &self.answered) {
                    peer.answer_submit(self.answered[at], CommandStatus::ROK, b"again").await;
                }
            }
            Act::AnswerNothing(number) => {
                if !self.open.contains(&number) {
                    peer.answer_submit(number, CommandStatus::ROK, b"nothing").await;
                }
            }
            Act::AnswerWrongly(index) => {
                if let Some(at) = pick(index, &self.open) {
                    peer.send(CommandId::DATA_SM_RESP, CommandStatus::ROK, self.open[at], b"x\0").await;
                }
            }
            Act::Deliver(number) => peer.deliver(number).await,
            Act::Wait(seconds) => sleep(Duration::from_secs(seconds.into())).await,
            Act::Submit(count) => {
                self.running.send(self.given..self.given + u64::from(count));
                self.given += u64::from(count);
            }
            Act::Release(slots) => self.running.handle.release(slots.into()),
        }
    }
}

async fn play(acts: Vec<Act>, finish: Finish, window_max: usize, release_on: ReleaseOn) {
    let options = SessionOptions {
        window_max,
        release_on,
        enquire_link_idle: Duration::ZERO,
        enquire_link_timeout: Duration::ZERO,
        inactivity_timeout: Duration::ZERO,
        ..SessionOptions::default()
    };
    let running = client(BindMode::Transceiver, options, Recorder::answering()).await;
    let mut game = Game { running, given: 0, open: Vec::new(), answered: Vec::new() };
    for act in acts {
        game.read_what_there_is().await;
        let stats = game.running.handle.stats();
        assert!(stats.window_used + stats.window_held <= window_max, "the window was exceeded: {stats:?}");
        game.act(act).await;
    }
    sleep(Duration::from_millis(1)).await;
    let Game { running, given, .. } = game;
    match finish {
        Finish::Reset => drop(running.peer),
        Finish::Close => running.handle.close(),
        Finish::Drain => running.handle.drain(),
        Finish::Cancel => running.task.abort(),
    }
    let _end = running.task.await;
    let mut ends: HashMap<u64, Vec<Ended>> = HashMap::new();
    for (token, ended) in running.recorder.outcomes_now() {
        ends.entry(token).or_default().push(ended);
    }
    let taken = given - running.recorder.memory().to_send.len() as u64;
    for token in 0..taken {
        assert_eq!(ends.remove(&token).map(|ended| ended.len()), Some(1), "submit {token} has not exactly one end");
    }
    assert!(ends.is_empty(), "ends of what was never submitted: {ends:?}");
    assert_eq!(running.handle.stats().sent, taken);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_submit_has_exactly_one_end(
        acts in prop::collection::vec(act(), 0..60),
        finish in prop_oneof![Just(Finish::Reset), Just(Finish::Close), Just(Finish::Drain), Just(Finish::Cancel)],
        window_max in 1usize..8,
        handler_releases in any::<bool>(),
    ) {
        let release_on = if handler_releases { ReleaseOn::Handler } else { ReleaseOn::Answer };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(play(acts, finish, window_max, release_on));
    }
}
