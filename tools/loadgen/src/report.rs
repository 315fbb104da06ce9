//! The result of a run.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::options::LoadOptions;
use crate::plan::Plan;
use crate::tally::{Tally, microseconds};

/// A latency distribution in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct LatencySummary {
    /// Values in it.
    pub count: u64,
    /// Arithmetic mean.
    pub mean_us: f64,
    /// Half of them were not longer.
    pub p50_us: u64,
    /// 95 of 100 were not longer.
    pub p95_us: u64,
    /// 99 of 100 were not longer.
    pub p99_us: u64,
    /// 999 of 1000 were not longer.
    pub p99_9_us: u64,
    /// The longest.
    pub max_us: u64,
}

impl LatencySummary {
    fn of(histogram: &Histogram<u64>) -> Self {
        Self {
            count: histogram.len(),
            mean_us: histogram.mean(),
            p50_us: histogram.value_at_quantile(0.5),
            p95_us: histogram.value_at_quantile(0.95),
            p99_us: histogram.value_at_quantile(0.99),
            p99_9_us: histogram.value_at_quantile(0.999),
            max_us: histogram.max(),
        }
    }
}

/// What a run did and how the server answered.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Whether arrivals were planned (`true`) or followed the answers.
    pub open_loop: bool,
    /// Requests per second asked for, in the open loop.
    pub rate_asked: Option<f64>,
    /// Requests planned, where that was known beforehand.
    pub planned: Option<u64>,
    /// Requests written to a connection.
    pub sent: u64,
    /// Requests that fell due and found no connection in time. They are missing from the latencies: with any of these
    /// the latencies flatter the server.
    pub unsent: u64,
    /// Requests whose answer did not come (connection ended, time over). Missing from the latencies too.
    pub no_answer: u64,
    /// Answers by HTTP status.
    pub by_status: BTreeMap<u16, u64>,
    /// Answers of status 200 whose body did not report every message, where bodies were checked.
    pub bad_bodies: Option<u64>,
    /// Recipients in each request.
    pub recipients: u32,
    /// Messages in requests answered 200.
    pub messages_accepted: u64,
    /// From the first planned request to the last answer, in milliseconds.
    pub elapsed_ms: u64,
    /// Answers per second.
    pub requests_per_second: f64,
    /// Messages in requests answered 200, per second.
    pub messages_per_second: f64,
    /// From the planned time to the whole answer, all requests.
    pub latency: LatencySummary,
    /// The same for requests of the Standard lane.
    pub latency_standard: LatencySummary,
    /// The same for requests of the Priority lane.
    pub latency_priority: LatencySummary,
    /// From the planned time to the write: the lateness of the tool and the wait for a free connection.
    pub send_delay: LatencySummary,
    /// Most requests that were due at a time and had no connection yet.
    pub backlog_max: u64,
    /// Connections that had to be made anew.
    pub reconnects: u64,
    /// CPU time of the thread that made the load, in microseconds.
    pub load_cpu_us: u64,
    /// The same per request sent.
    pub load_cpu_us_per_request: f64,
    /// CPU time of the whole process meanwhile, in microseconds.
    pub process_cpu_us: u64,
}

/// The outer figures of a run.
pub(crate) struct Frame {
    pub(crate) start: Instant,
    pub(crate) planned: Option<u64>,
    pub(crate) process_cpu: Duration,
    pub(crate) thread_cpu: Duration,
}

impl Report {
    pub(crate) fn new(options: &LoadOptions, tally: &Tally, plan: &Plan, frame: &Frame) -> Self {
        let mut all = tally.standard.clone();
        // Both have the same settings and grow by themselves, so that adding cannot fail.
        let _ = all.add(&tally.priority);
        let elapsed = tally.last_answer_at.map_or_else(|| frame.start.elapsed(), |at| at - frame.start);
        let seconds = elapsed.as_secs_f64().max(1e-9);
        let answered: u64 = tally.by_status.values().sum();
        let accepted = tally.by_status.get(&200).copied().unwrap_or(0) * u64::from(options.recipients);
        Self {
            open_loop: options.rate.is_some(),
            rate_asked: options.rate,
            planned: frame.planned,
            sent: tally.sent,
            unsent: plan.unsent(),
            no_answer: tally.no_answer,
            by_status: tally.by_status.clone(),
            bad_bodies: options.check_body.then_some(tally.bad_bodies),
            recipients: options.recipients,
            messages_accepted: accepted,
            elapsed_ms: u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
            requests_per_second: answered as f64 / seconds,
            messages_per_second: accepted as f64 / seconds,
            latency: LatencySummary::of(&all),
            latency_standard: LatencySummary::of(&tally.standard),
            latency_priority: LatencySummary::of(&tally.priority),
            send_delay: LatencySummary::of(&tally.send_delay),
            backlog_max: plan.backlog_max(),
            reconnects: tally.reconnects,
            load_cpu_us: microseconds(frame.thread_cpu),
            load_cpu_us_per_request: frame.thread_cpu.as_secs_f64() * 1e6 / (tally.sent.max(1) as f64),
            process_cpu_us: microseconds(frame.process_cpu),
        }
    }

    /// Requests answered with this status.
    #[must_use]
    pub fn status(&self, status: u16) -> u64 {
        self.by_status.get(&status).copied().unwrap_or(0)
    }

    /// Requests answered, whatever the status.
    #[must_use]
    pub fn answered(&self) -> u64 {
        self.by_status.values().sum()
    }
}

fn milliseconds(value_us: u64) -> String {
    format!("{:.3}", value_us as f64 / 1000.0)
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rate = self.rate_asked.map(|rate| format!(" at {rate}/s")).unwrap_or_default();
        let mode = if self.open_loop { "open loop" } else { "closed loop" };
        writeln!(out, "{mode}{rate}: {} requests sent in {} ms", self.sent, self.elapsed_ms)?;
        writeln!(
            out,
            "answered   {:.0} requests/s, accepted {:.0} messages/s ({} messages)",
            self.requests_per_second, self.messages_per_second, self.messages_accepted
        )?;
        let counts: Vec<_> = self.by_status.iter().map(|(status, count)| format!("{status}: {count}")).collect();
        writeln!(out, "statuses   {}, no answer: {}, unsent: {}", counts.join(", "), self.no_answer, self.unsent)?;
        if let Some(bad) = self.bad_bodies {
            writeln!(out, "bodies     {bad} of the answers with status 200 do not report every message")?;
        }
        writeln!(out, "{:10} {:>9} {:>9} {:>9} {:>9} {:>9} ms", "", "p50", "p95", "p99", "p99.9", "max")?;
        let rows = [
            ("all", &self.latency),
            ("standard", &self.latency_standard),
            ("priority", &self.latency_priority),
            ("send delay", &self.send_delay),
        ];
        let both_lanes = self.latency_standard.count > 0 && self.latency_priority.count > 0;
        for (name, latency) in rows {
            if latency.count == 0 || (!both_lanes && matches!(name, "standard" | "priority")) {
                continue;
            }
            let [p50, p95, p99, p99_9, max] =
                [latency.p50_us, latency.p95_us, latency.p99_us, latency.p99_9_us, latency.max_us].map(milliseconds);
            writeln!(out, "{name:10} {p50:>9} {p95:>9} {p99:>9} {p99_9:>9} {max:>9}")?;
        }
        write!(out, "load tool  {:.1} µs of CPU a request", self.load_cpu_us_per_request)?;
        if self.unsent + self.no_answer > 0 {
            write!(out, "\nnote: requests without an answer are missing from the latencies, which flatter the server")?;
        }
        Ok(())
    }
}
