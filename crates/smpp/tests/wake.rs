//! A wake-up that comes at the worst moment, just as the session is about to sleep, is not lost.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use smpp::client::{ClientHandler, ClientSession, SubmitBatch};
use smpp::pdu::BindMode;
use smpp::server::read_bind;
use smpp::session::{Answers, OutcomeBatch, RequestBatch, SessionOptions};
use support::{MESSAGE, Recorder, bind_request};

/// Submits, each handed over and woken for the moment the one before is answered.
const SUBMITS: u64 = 20_000;

/// A session that sleeps past a wake-up is stuck; this is long enough for any that is only slow.
const STUCK_AFTER: Duration = Duration::from_secs(10);

#[derive(Clone, Default)]
struct OneByOne {
    wanted: Arc<AtomicU64>,
    pushed: Arc<AtomicU64>,
    answered: Arc<AtomicU64>,
}

impl ClientHandler for OneByOne {
    fn pull(&mut self, batch: &mut SubmitBatch<'_>) {
        while self.pushed.load(Ordering::SeqCst) < self.wanted.load(Ordering::SeqCst)
            && batch.push(self.pushed.load(Ordering::SeqCst), &MESSAGE).is_ok()
        {
            self.pushed.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn outcomes(&mut self, outcomes: &OutcomeBatch) {
        self.answered.fetch_add(outcomes.len() as u64, Ordering::SeqCst);
    }

    fn delivers(&mut self, _delivers: RequestBatch, _answers: &mut Answers<'_>) {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_wake_up_is_lost() {
    let (ours, theirs) = tokio::io::duplex(64 * 1024);
    let serving = tokio::spawn(async move {
        let pending = read_bind(theirs, SessionOptions::default()).await.unwrap();
        pending.accept(b"smsc").unwrap().run(Recorder::answering()).await
    });
    // No timer may come to the rescue of a session that sleeps too deep.
    let options = SessionOptions {
        enquire_link_idle: Duration::ZERO,
        inactivity_timeout: Duration::ZERO,
        response_timeout: Duration::ZERO,
        ..SessionOptions::default()
    };
    let session = ClientSession::bind(ours, &bind_request(BindMode::Transceiver), options).await.unwrap();
    let (handle, handler) = (session.handle(), OneByOne::default());
    let running = tokio::spawn(session.run(handler.clone()));
    let waker = handle.clone();
    let waking = tokio::task::spawn_blocking(move || {
        for number in 0..SUBMITS {
            handler.wanted.store(number + 1, Ordering::SeqCst);
            waker.wake();
            let from = Instant::now();
            while handler.answered.load(Ordering::SeqCst) <= number {
                assert!(from.elapsed() < STUCK_AFTER, "submit {number} was never pulled: its wake-up is lost");
                std::thread::yield_now();
            }
        }
    });
    let woken = waking.await;
    handle.close();
    let _ends = (running.await, serving.await);
    woken.unwrap();
}
