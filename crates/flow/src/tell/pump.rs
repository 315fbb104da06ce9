//! One task per active endpoint: gathers events into calls and makes them.

use std::sync::Arc;
use std::time::Duration;

use domain::choice::Choice;
use domain::clock::UnixMillis;
use domain::fact::{CallOutcome, WebhookCall};
use domain::limits::DRAIN_MS;
use domain::webhook::OffReason;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

use super::body;
use super::bounds::HOLD_MAX;
use super::endpoint::{Changed, Ended as CallEnded, Ending, Endpoint, Ready, Ticket};
use super::health::Turn;
use super::hub::{Hub, off_text};
use super::lab::Sample;
use super::recorder::{Record, Records};
use super::stats::Stats;
use super::target::Target;
use super::transport::Answer;
use super::trouble::News;

/// How long a pump with nothing to do is kept, with its connections.
const IDLE: Duration = Duration::from_secs(60);
/// Statuses by which a receiver says that it is overloaded.
const OVERLOADED: [u16; 2] = [TOO_MANY, 503];
/// By this one a receiver asks for fewer calls.
const TOO_MANY: u16 = 429;

/// Pumps one endpoint.
pub struct Pump {
    pub(super) hub: Arc<Hub>,
    pub(super) endpoint: Arc<Endpoint>,
    pub(super) records: Records,
    pub(super) drain: watch::Receiver<bool>,
}

/// Why a pump ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Nothing was left to do.
    Idle,
    /// The program stops.
    Drained,
    /// A call broke; what it carried must be tried again.
    Broken,
}

impl Pump {
    /// Runs until nothing is left to do or `drain` turns true.
    pub async fn run(mut self) -> Ended {
        let mut calls = JoinSet::new();
        loop {
            while let Some(ended) = calls.try_join_next() {
                if ended.is_err() {
                    return Ended::Broken;
                }
            }
            if self.is_draining() {
                let all_ended = async { while calls.join_next().await.is_some() {} };
                let _ = timeout(Duration::from_millis(DRAIN_MS), all_ended).await;
                return Ended::Drained;
            }
            let target = match self.hub.target(&self.endpoint) {
                Ok(target) => Some(target),
                Err(reason) => {
                    self.give_up(reason).await;
                    None
                }
            };
            let ready = if target.is_some() { self.endpoint.state().ready(Instant::now()) } else { Ready::Never };
            match (ready, target) {
                (Ready::Now, Some(target)) => self.begin(target, &mut calls).await,
                (Ready::At(moment), _) => drop(self.pause_until(moment).await),
                _ if self.pause_until(Instant::now() + IDLE).await => {}
                _ if self.hub.retire(&self.endpoint) => return Ended::Idle,
                _ => {}
            }
        }
    }

    /// Whoever may say so being gone says the same.
    fn is_draining(&self) -> bool {
        *self.drain.borrow() || self.drain.has_changed().is_err()
    }

    /// Waits for the moment; true if something happened before.
    async fn pause_until(&mut self, moment: Instant) -> bool {
        tokio::select! {
            biased;
            () = self.endpoint.wake.notified() => true,
            _ = self.drain.wait_for(|&draining| draining) => true,
            () = sleep_until(moment) => false,
        }
    }

    /// Waits for its turn, then starts the call that is due by then.
    async fn begin(&mut self, target: Arc<Target>, calls: &mut JoinSet<()>) {
        let (failing, events) = {
            let state = self.endpoint.state();
            (state.is_failing(), state.next_events())
        };
        let endpoint = &self.endpoint;
        let slot = tokio::select! {
            slot = self.hub.slots.acquire(endpoint.key.account, failing, &endpoint.deficit, events) => slot,
            _ = self.drain.wait_for(|&draining| draining) => return,
        };
        let ticket = self.endpoint.state().take(Instant::now());
        let Some((ticket, slot)) = ticket.zip(slot) else { return };
        let call = Call {
            hub: Arc::clone(&self.hub),
            endpoint: Arc::clone(&self.endpoint),
            target,
            ticket,
            records: self.records.clone(),
        };
        calls.spawn(async move {
            let answer = call.make().await;
            drop(slot);
            call.end(answer).await;
        });
    }

    /// Records everything that waits as dead.
    async fn give_up(&self, reason: &str) {
        loop {
            let hub = &self.hub;
            let Some(ticket) = self.endpoint.state().take_doomed() else { return };
            Stats::add(&hub.stats.dead, ticket.events.len());
            let failure = reason.into();
            let call = record(&ticket, hub.clock.now(), 0, Answer { failure, ..Answer::default() }, CallOutcome::Dead);
            self.records.send(ticket.lane, Record { endpoint: Arc::clone(&self.endpoint), call }).await;
        }
    }
}

/// One try in progress.
struct Call {
    hub: Arc<Hub>,
    endpoint: Arc<Endpoint>,
    target: Arc<Target>,
    ticket: Ticket,
    records: Records,
}

/// What came of a try, and how long it took.
struct Made {
    answer: Answer,
    latency: Duration,
}

impl Call {
    /// The main URL, then the secondary one if that fails; each with a deadline of its own, since a main
    /// URL that hangs is just what the secondary one is for.
    async fn make(&self) -> Made {
        let began = Instant::now();
        let now = self.hub.clock.now();
        let stats = &self.hub.stats;
        if self.ticket.attempt == 1 {
            self.ticket.events.iter().for_each(|event| stats.begun(now.since_ms(event.at())));
        }
        Stats::add(&stats.called, 1);
        let _gauge = Gauge::up(&stats.in_flight);
        let id = self.ticket.id.to_string();
        let body = bytes::Bytes::from(body::write(&self.ticket.events, &self.target.main_text));
        let mut answer = self.post(&self.target.main, &id, &body).await;
        if let Some(secondary) = self.target.secondary.as_ref().filter(|_| !answer.is_success()) {
            let second = self.post(secondary, &id, &body).await;
            if second.is_success() {
                answer = second;
            } else {
                answer.failure = format!("{}; secondary URL: {}", answer.failure, second.failure).into();
            }
        }
        Made { answer, latency: began.elapsed() }
    }

    /// One request and its answer, with a note for whoever looks into attempts.
    async fn post(&self, uri: &http::Uri, id: &str, body: &bytes::Bytes) -> Answer {
        let at = self.hub.clock.now();
        let headers = self.target.signer.headers(id, at, self.ticket.attempt, body);
        let sample = Sample { at, uri, headers: headers.clone(), body_octets: body.len() };
        let began = Instant::now();
        let answer = self.endpoint.post.post(uri.clone(), headers, body.clone()).await;
        self.hub.lab.note(&self.endpoint.key, &self.ticket, sample, &answer, began.elapsed());
        answer
    }

    /// Decides what becomes of the events. The end is handed to the recorder first, so that the ends of
    /// one call are recorded in their order.
    async fn end(self, made: Made) {
        let mut answer = made.answer;
        if answer.is_success()
            && !answer.body.is_empty()
            && let Some(hook) = self.hub.answer_hook.get()
            && let Some(explained) = hook(self.ticket.events.to_vec(), std::mem::take(&mut answer.body)).await
        {
            tracing::warn!(target: "tell", account = self.endpoint.key.account.0, call = %self.ticket.id, explained, "a call was told, its answer was not followed");
            answer.failure = explained.into();
        }
        let now = self.hub.clock.now();
        let events = self.ticket.events.len();
        let wait = self.target.schedule.wait(self.ticket.attempt, answer.retry_after_ms);
        let (outcome, ending) = match wait {
            _ if answer.is_success() => (CallOutcome::Told, Ending::Told),
            Some(wait) if !answer.is_gone() => {
                let at = now.plus_ms(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX));
                (CallOutcome::RetryAt(at), Ending::Retry(Instant::now() + wait, answer.retry_after_ms.is_some()))
            }
            _ => (CallOutcome::Dead, Ending::Dead),
        };
        let stats = &self.hub.stats;
        match ending {
            Ending::Told => Stats::add(&stats.told, events),
            Ending::Retry(..) => Stats::add(&stats.failed, 1),
            Ending::Dead => {
                Stats::add(&stats.failed, 1);
                Stats::add(&stats.dead, events);
            }
        }
        let latency_ms = u32::try_from(made.latency.as_millis()).unwrap_or(u32::MAX);
        let hold = answer.retry_after_ms.filter(|_| OVERLOADED.contains(&answer.status));
        let (is_gone, too_many) = (answer.is_gone(), answer.status == TOO_MANY);
        let call = record(&self.ticket, now, latency_ms, answer, outcome);
        self.records.send(self.ticket.lane, Record { endpoint: Arc::clone(&self.endpoint), call }).await;
        let changed = {
            let mut state = self.endpoint.state();
            if let Some(hold_ms) = hold {
                state.hold_until(Instant::now() + Duration::from_millis(hold_ms.max(0).unsigned_abs()).min(HOLD_MAX));
            }
            state.finish(&self.ticket, &CallEnded { ending, at: now, took: made.latency, too_many })
        };
        self.hub.drop_from_memory(changed.left);
        Stats::add(&self.hub.stats.left, changed.left);
        self.tell_owner(changed, is_gone).await;
        self.endpoint.wake.notify_one();
    }

    /// Logs and remembers what the end of the call means for the endpoint.
    async fn tell_owner(&self, changed: Changed, is_gone: bool) {
        let (account, event) = (self.endpoint.key.account.0, self.endpoint.key.kind.name());
        let url = &self.target.main_text;
        match changed.turn {
            Turn::Opened => {
                tracing::warn!(target: "tell", account, event, "an endpoint fails or is too slow: it is only probed now");
            }
            Turn::Closed => tracing::info!(target: "tell", account, event, "an endpoint works again"),
            Turn::None => {}
        }
        match changed.news {
            _ if is_gone => self.hub.turn_off(&self.endpoint, url, OffReason::Gone),
            News::Off => self.hub.turn_off(&self.endpoint, url, OffReason::Failing),
            News::Hour => {
                tracing::warn!(target: "tell", account, event, "an endpoint has done nothing but fail for an hour");
            }
            News::Day => {
                tracing::warn!(target: "tell", account, event, "an endpoint has done nothing but fail for a day: \
                    after five days it is not called any more");
            }
            News::Over => {}
            News::None => return,
        }
        self.hub.write_down(&self.endpoint, url).await;
    }
}

fn record(ticket: &Ticket, at: UnixMillis, latency_ms: u32, answer: Answer, outcome: CallOutcome) -> WebhookCall {
    let failure = match outcome {
        CallOutcome::Dead if answer.is_gone() => off_text(OffReason::Gone).into(),
        CallOutcome::Told | CallOutcome::RetryAt(_) | CallOutcome::Dead => answer.failure,
    };
    WebhookCall {
        id: ticket.id,
        attempt: ticket.attempt,
        at,
        latency_ms,
        http_status: answer.status,
        failure,
        outcome,
        events: ticket.events.iter().map(|event| event.id).collect(),
    }
}

/// Counts what is in progress, also when it is cut off.
struct Gauge<'a>(&'a std::sync::atomic::AtomicU64);

impl<'a> Gauge<'a> {
    fn up(gauge: &'a std::sync::atomic::AtomicU64) -> Self {
        Stats::add(gauge, 1);
        Self(gauge)
    }
}

impl Drop for Gauge<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, std::sync::atomic::Ordering::Relaxed);
    }
}
