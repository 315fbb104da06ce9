//! The webhook lab: the latest attempts, kept for a look at why an endpoint fails.
//!
//! Attempts are gathered in memory and handed to the store once a second. Under load successes are only
//! sampled: a thousand calls a second that all went well teach nothing that twenty don't.

use std::sync::Arc;
use std::time::Duration;

use domain::clock::UnixMillis;
use domain::webhook::{Attempt, EndpointName};
use http::{HeaderMap, Uri};
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::time::sleep;

use super::bounds::{FAILURES_KEPT_PER_FLUSH, LAB_FLUSH, SUCCESSES_KEPT_PER_FLUSH};
use super::endpoint::Ticket;
use super::outbox::Outbox;
use super::transport::Answer;

/// The latest attempts that are not with the store yet.
#[derive(Debug, Default)]
pub struct Lab(Mutex<Gathered>);

#[derive(Debug, Default)]
struct Gathered {
    attempts: Vec<Attempt>,
    successes: usize,
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
    /// Notes an attempt, if there is room for it.
    pub fn note(&self, name: &EndpointName, ticket: &Ticket, sample: Sample<'_>, answer: &Answer, took: Duration) {
        let mut gathered = self.0.lock();
        let failures = gathered.attempts.len() - gathered.successes;
        let is_full = if answer.is_success() {
            gathered.successes >= SUCCESSES_KEPT_PER_FLUSH
        } else {
            failures >= FAILURES_KEPT_PER_FLUSH
        };
        if is_full {
            return;
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

    fn take(&self) -> Vec<Attempt> {
        std::mem::take(&mut *self.0.lock()).attempts
    }

    /// Hands what was gathered to the store, until `drain` turns true and once more then.
    pub async fn run(self: Arc<Self>, outbox: Arc<dyn Outbox>, mut drain: watch::Receiver<bool>) {
        loop {
            let stops = tokio::select! {
                () = sleep(LAB_FLUSH) => false,
                _ = drain.wait_for(|&draining| draining) => true,
            };
            let attempts = self.take();
            if !attempts.is_empty()
                && let Err(error) = outbox.keep_attempts(attempts).await
            {
                tracing::warn!(target: "tell", %error, "attempts can't be kept for a look at them");
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
