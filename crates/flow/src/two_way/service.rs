//! The tasks of two-way.

use std::time::Duration;

use domain::clock::Clock;
use domain::limits::{ANSWER_LATE_MAX_MS, DUE_TALKS_AT_ONCE, UNHANDLED_READ_MAX};
use store::Store;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::handle::TwoWay;
use super::options::Options;
use super::talk::{Work, talker};
use crate::accept::Accept;
use crate::drain;

/// How often time is looked at.
const TICK: Duration = Duration::from_millis(500);
/// Ticks between two looks for messages that were left unanswered: a minute.
const UNHANDLED_TICKS: u32 = 120;
/// A message younger than this is on its way to be answered.
const UNHANDLED_AGE_MS: i64 = 60_000;
/// How long answers in progress may take when the program stops.
const LAST_ANSWERS: Duration = Duration::from_secs(5);

/// Answers people, and does what time brings.
pub struct Service {
    two_way: TwoWay,
    queues: Vec<mpsc::Receiver<Work>>,
}

impl Service {
    /// Two-way with what it knew before the start, and the way into it. Nobody is answered before
    /// [`Service::run`].
    ///
    /// # Errors
    /// A sentence saying what is wrong with the options or can't be read back.
    pub async fn start(store: Store, accept: Accept, clock: Clock, options: Options) -> Result<(Self, TwoWay), String> {
        options.validate()?;
        let (two_way, queues) = TwoWay::new(store, accept, clock, options);
        two_way
            .read_back()
            .await
            .map_err(|error| format!("long incoming messages that wait for parts can't be read: {error}"))?;
        Ok((Self { two_way: two_way.clone(), queues }, two_way))
    }

    /// Runs until `drain` turns true. What is not answered by then is answered after the next start.
    pub async fn run(self, mut drain: watch::Receiver<bool>) {
        let mut talkers = JoinSet::new();
        for queue in self.queues {
            talkers.spawn(talker(self.two_way.clone(), queue, drain.clone()));
        }
        let work = self.two_way.clone();
        let ticking = async move {
            work.answer_left_over(0).await;
            let mut tick = interval(TICK);
            tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let mut ticks = 0_u32;
            loop {
                tick.tick().await;
                ticks = ticks.wrapping_add(1);
                work.tick().await;
                if ticks.is_multiple_of(UNHANDLED_TICKS) {
                    work.answer_left_over(UNHANDLED_AGE_MS).await;
                }
            }
        };
        tokio::select! {
            () = drain::requested(&mut drain) => {}
            () = ticking => {}
        }
        let ended = async { while talkers.join_next().await.is_some() {} };
        if timeout(LAST_ANSWERS, ended).await.is_err() {
            talkers.shutdown().await;
        }
    }
}

impl TwoWay {
    async fn tick(&self) {
        let now = self.0.clock.now();
        self.heal().await;
        self.expire(now).await;
        for talk in self.0.store.talks_due(now, DUE_TALKS_AT_ONCE) {
            self.try_hand_over(Work::TimedOut(talk.key.clone()));
        }
    }

    /// Messages that were kept and not answered, because the program ended or was too busy. Those that have
    /// waited too long stay unanswered: an answer out of the blue helps nobody.
    async fn answer_left_over(&self, age_ms: i64) {
        let now = self.0.clock.now();
        match self.0.store.incoming_unhandled(now.plus_ms(-ANSWER_LATE_MAX_MS), UNHANDLED_READ_MAX).await {
            Ok(messages) => {
                for message in messages.into_iter().filter(|message| now.since_ms(message.at) >= age_ms) {
                    self.hand_over(Work::Message(message.into())).await;
                }
            }
            Err(error) => tracing::error!(target: "two_way", %error, "unanswered messages can't be read"),
        }
    }
}
