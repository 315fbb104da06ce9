//! The webhook lab: every attempt, kept for a look at why an endpoint fails.
//!
//! Attempts are gathered in memory and handed to the store once a second, or sooner when there are many. While the store
//! is behind, so that more come in than there is room for, they are counted by account instead of kept: whoever
//! lists them is told how many are missing.

use std::sync::Arc;
use std::time::Duration;

use domain::clock::UnixMillis;
use domain::id::AccountId;
use domain::webhook::{Attempt, EndpointName, Missed};
use foldhash::fast::RandomState;
use hashbrown::HashMap;
use http::{HeaderMap, Uri};
use parking_lot::Mutex;
use tokio::sync::{Notify, watch};
use tokio::time::sleep;

use super::bounds::{LAB_ATTEMPTS_MAX, LAB_FLUSH, LAB_FLUSH_ATTEMPTS, LAB_SUCCESSES_MAX};
use super::endpoint::Ticket;
use super::outbox::Outbox;
use super::transport::Answer;

/// The latest attempts that are not with the store yet.
#[derive(Debug, Default)]
pub struct Lab {
    gathered: Mutex<Gathered>,
    /// There are so many that the store should have them now.
    many: Notify,
}

#[derive(Debug, Default)]
struct Gathered {
    attempts: Vec<Attempt>,
    successes: usize,
    /// By account; bounded by the number of accounts.
    missed: HashMap<AccountId, u64, RandomState>,
}

/// A request that is being made.
pub struct Sample<'a> {
    /// When it begins.
    pub at: UnixMillis,
    /// Where it goes.
    pub uri: &'a Uri,
    /// Its headers.
    pub headers: HeaderMap,
    /// Octets of its body.
    pub body_octets: usize,
}

impl Lab {
    /// Notes an attempt; beyond the bounds it is only counted.
    pub fn note(&self, name: &EndpointName, ticket: &Ticket, sample: Sample<'_>, answer: &Answer, took: Duration) {
        let mut gathered = self.gathered.lock();
        let is_full = gathered.attempts.len() >= LAB_ATTEMPTS_MAX
            || (answer.is_success() && gathered.successes >= LAB_SUCCESSES_MAX);
        if is_full {
            *gathered.missed.entry(name.account).or_default() += 1;
            return;
        }
        if gathered.attempts.len() + 1 == LAB_FLUSH_ATTEMPTS {
            self.many.notify_one();
        }
        gathered.successes += usize::from(answer.is_success());
        gathered.attempts.push(Attempt {
            name: name.clone(),
            url: sample.uri.to_string().into(),
            call: ticket.id,
            number: ticket.attempt,
            at: sample.at,
            latency_ms: u32::try_from(took.as_millis()).unwrap_or(u32::MAX),
            http_status: answer.status,
            failure: answer.failure.clone(),
            headers: written(&sample.headers).into(),
            events: ticket.events.iter().map(|event| event.id).collect(),
            body_octets: u32::try_from(sample.body_octets).unwrap_or(u32::MAX),
            answer: answer.start.clone(),
        });
    }

    fn take(&self) -> (Vec<Attempt>, Vec<Missed>) {
        let gathered = std::mem::take(&mut *self.gathered.lock());
        let missed = gathered.missed.into_iter().map(|(account, attempts)| Missed { account, attempts });
        (gathered.attempts, missed.collect())
    }

    /// What the store did not take is missing as well.
    fn count_as_missed(&self, accounts: impl Iterator<Item = (AccountId, u64)>) {
        let mut gathered = self.gathered.lock();
        for (account, attempts) in accounts {
            *gathered.missed.entry(account).or_default() += attempts;
        }
    }

    /// Hands what was gathered to the store, until `drain` turns true and once more then.
    pub async fn run(self: Arc<Self>, outbox: Arc<dyn Outbox>, mut drain: watch::Receiver<bool>) {
        loop {
            let stops = tokio::select! {
                () = sleep(LAB_FLUSH) => false,
                () = self.many.notified() => false,
                _ = drain.wait_for(|&draining| draining) => true,
            };
            let (attempts, missed) = self.take();
            if !(attempts.is_empty() && missed.is_empty()) {
                let accounts: Vec<AccountId> = attempts.iter().map(|attempt| attempt.name.account).collect();
                if let Err(error) = outbox.keep_attempts(attempts, missed.clone()).await {
                    tracing::warn!(target: "tell", %error, "attempts can't be kept for a look at them");
                    let again = missed.into_iter().map(|one| (one.account, one.attempts));
                    self.count_as_missed(again.chain(accounts.into_iter().map(|account| (account, 1))));
                }
            }
            if stops {
                return;
            }
        }
    }
}

/// Headers as lines; the password of HTTP Basic is left out.
fn written(headers: &HeaderMap) -> String {
    let mut text = String::with_capacity(512);
    for (name, value) in headers {
        let value = if value.is_sensitive() { "***" } else { value.to_str().unwrap_or("?") };
        for piece in [name.as_str(), ": ", value, "\n"] {
            text.push_str(piece);
        }
    }
    text
}
