//! What was answered: the access log and the counters.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hyper::Method;

use crate::envelope::UniqId;

/// Statuses that are counted apart; any other counts as the last.
const STATUSES: [u16; 16] = [200, 207, 400, 401, 403, 404, 405, 409, 413, 415, 422, 429, 500, 503, 202, 0];
/// Upper bounds of the duration buckets.
const BUCKETS_US: [u64; 12] = [100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 500_000, 1_000_000];

/// One line of the access log. It holds no key, no text and no phone number.
pub(super) struct LogLine<'a> {
    pub method: &'a Method,
    pub path: &'static str,
    pub status: u16,
    pub duration: Duration,
    pub uniq_id: UniqId,
    pub account: &'a str,
}

impl LogLine<'_> {
    fn duration_us(&self) -> u64 {
        u64::try_from(self.duration.as_micros()).unwrap_or(u64::MAX)
    }

    /// Only known methods are spelled out: an invented one is the client's text.
    fn method_name(&self) -> &str {
        match *self.method {
            Method::GET | Method::POST | Method::PUT | Method::DELETE | Method::HEAD | Method::OPTIONS => {
                self.method.as_str()
            }
            Method::PATCH | Method::TRACE | Method::CONNECT => self.method.as_str(),
            _ => "OTHER",
        }
    }

    pub(super) fn write(&self) {
        let (method, path, status, duration_us) = (self.method_name(), self.path, self.status, self.duration_us());
        let (uniq_id, account) = (self.uniq_id.as_str(), self.account);
        if status >= 500 {
            tracing::warn!(target: "web", method, path, status, duration_us, uniqId = uniq_id, account, "answered");
        } else {
            tracing::info!(target: "web", method, path, status, duration_us, uniqId = uniq_id, account, "answered");
        }
    }
}

/// Counters of answers, by status, and a histogram of their durations.
#[derive(Debug, Default)]
pub struct Outcomes {
    statuses: [AtomicU64; STATUSES.len()],
    durations: [AtomicU64; BUCKETS_US.len() + 1],
    duration_sum_us: AtomicU64,
}

impl Outcomes {
    pub(super) fn note(&self, line: &LogLine<'_>) {
        let known = STATUSES.iter().position(|status| *status == line.status);
        self.statuses[known.unwrap_or(STATUSES.len() - 1)].fetch_add(1, Ordering::Relaxed);
        let duration_us = line.duration_us();
        let bucket = BUCKETS_US.partition_point(|bound| *bound < duration_us);
        self.durations[bucket].fetch_add(1, Ordering::Relaxed);
        self.duration_sum_us.fetch_add(duration_us, Ordering::Relaxed);
    }

    /// Appends the counters in the Prometheus text format.
    pub fn write_prometheus(&self, text: &mut String) {
        // Writing into a String can't fail.
        let _ = self.try_write(text);
    }

    fn try_write(&self, text: &mut String) -> std::fmt::Result {
        text.push_str(
            "# HELP posthorn_web_requests_total Requests answered, by HTTP status.\n# TYPE posthorn_web_requests_total counter\n",
        );
        for (status, count) in STATUSES.iter().zip(&self.statuses) {
            let count = count.load(Ordering::Relaxed);
            match status {
                0 => writeln!(text, "posthorn_web_requests_total{{status=\"other\"}} {count}")?,
                status => writeln!(text, "posthorn_web_requests_total{{status=\"{status}\"}} {count}")?,
            }
        }
        text.push_str("# HELP posthorn_web_request_seconds Time from the headers of a request to its answer.\n");
        text.push_str("# TYPE posthorn_web_request_seconds histogram\n");
        let mut total = 0;
        for (bound_us, count) in BUCKETS_US.iter().zip(&self.durations) {
            total += count.load(Ordering::Relaxed);
            writeln!(text, "posthorn_web_request_seconds_bucket{{le=\"{}\"}} {total}", seconds(*bound_us))?;
        }
        total += self.durations[BUCKETS_US.len()].load(Ordering::Relaxed);
        writeln!(text, "posthorn_web_request_seconds_bucket{{le=\"+Inf\"}} {total}")?;
        writeln!(text, "posthorn_web_request_seconds_sum {}", seconds(self.duration_sum_us.load(Ordering::Relaxed)))?;
        writeln!(text, "posthorn_web_request_seconds_count {total}")
    }
}

#[expect(clippy::cast_precision_loss, reason = "metrics need no more than a double holds")]
fn seconds(microseconds: u64) -> f64 {
    microseconds as f64 / 1_000_000.0
}
