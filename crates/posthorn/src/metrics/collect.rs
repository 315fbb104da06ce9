//! Values that others keep anyway, read at the moment of asking.

use std::collections::HashMap;
use std::fmt::Error;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::choice::Choice as _;
use domain::click::Agent;
use domain::clock::Clock;
use domain::lane::Lane;
use domain::operator_id::Likeness;
use flow::enqueue::Enqueue;
use flow::follow::Follow;
use flow::portability::Networks;
use flow::send::BindState;
use flow::settle::Settle;
use flow::tell::BEGIN_BOUNDS_MS;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use store::Store;

use crate::alarms::Watch;

/// The running parts.
#[derive(Clone)]
pub struct Live {
    pub store: Store,
    pub clock: Clock,
    pub enqueue: Enqueue,
    pub router: flow::route::Router,
    pub send: flow::send::Handle,
    pub follow: Follow,
    pub settle: Settle,
    pub two_way: flow::two_way::TwoWay,
    pub tell: flow::tell::Handle,
    pub latency: flow::Latency,
    pub networks: Networks,
    pub watch: Watch,
}

impl std::fmt::Debug for Live {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Live")
    }
}

pub(super) type Labels = Vec<(&'static str, String)>;

/// Writes one family of values with labels.
pub(super) fn family(
    encoder: &mut DescriptorEncoder<'_>,
    (name, help, kind): (&str, &str, MetricType),
    values: Vec<(Labels, f64)>,
) -> Result<(), Error> {
    let mut family = encoder.encode_descriptor(name, help, None, kind)?;
    for (labels, value) in values {
        let value_encoder = family.encode_family(&labels)?;
        match kind {
            MetricType::Counter => ConstCounter::new(value).encode(value_encoder)?,
            _ => ConstGauge::new(value).encode(value_encoder)?,
        }
    }
    Ok(())
}

pub(super) const COUNTER: MetricType = MetricType::Counter;
pub(super) const GAUGE: MetricType = MetricType::Gauge;

#[expect(clippy::cast_precision_loss, reason = "metrics are floating point by format")]
pub(super) fn float(value: u64) -> f64 {
    value as f64
}

pub(super) fn count(counter: &AtomicU64) -> f64 {
    float(counter.load(Ordering::Relaxed))
}

fn lane_label(lane: Lane) -> (&'static str, String) {
    ("lane", lane.name().to_owned())
}

impl Collector for Live {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        self.durations(&mut encoder)?;
        self.lines(&mut encoder)?;
        let control = self.store.control();
        super::routes::encode(&mut encoder, (&control, &self.router), &self.watch.waiting())?;
        self.binds(&mut encoder)?;
        self.followed(&mut encoder)?;
        self.settled(&mut encoder)?;
        self.two_way(&mut encoder)?;
        self.stored(&mut encoder)?;
        super::portability::encode(&mut encoder, &self.networks)?;
        self.alarmed(&mut encoder)?;
        self.told(&mut encoder)
    }
}

impl Live {
    fn durations(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let per_lane = [
            ("accept_duration_seconds", "Order taken until it was durable", &self.latency.accept),
            ("queue_duration_seconds", "Durable and due until written to an operator", &self.latency.wait),
            ("submit_duration_seconds", "Written until answered by the operator", &self.latency.answer),
        ];
        for (name, help, histograms) in per_lane {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Histogram)?;
            for lane in Lane::ALL {
                histograms[lane.index()].encode(family.encode_family(&vec![lane_label(lane)])?)?;
            }
        }
        let settle = encoder.encode_descriptor(
            "settle_duration_seconds",
            "Receipts read until durable",
            None,
            MetricType::Histogram,
        )?;
        self.latency.settle.encode(settle)?;
        let follow = encoder.encode_descriptor(
            "follow_duration_seconds",
            "Short link opened until its click was durable",
            None,
            MetricType::Histogram,
        )?;
        self.latency.follow.encode(follow)
    }

    fn alarmed(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let labels = |alarm: crate::alarms::Alarm| {
            vec![
                ("alarm", alarm.alarm.to_owned()),
                ("level", alarm.level.name().to_owned()),
                ("subject", alarm.subject),
            ]
        };
        let alarms = self.watch.alarms().into_iter().map(|alarm| (labels(alarm), 1.0)).collect();
        family(encoder, ("alarm", "1 for each thing that needs attention", GAUGE), alarms)
    }

    fn lines(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let control = self.store.control();
        let now = self.clock.now();
        let (mut depths, mut ages, mut spilled) = (Vec::new(), Vec::new(), Vec::new());
        for line in self.enqueue.lines() {
            let (depth, oldest, is_spilled) = line.depth();
            let carrier = control
                .carrier(line.carrier)
                .map_or_else(|| line.carrier.0.to_string(), |carrier| carrier.name.clone());
            let labels = vec![lane_label(line.lane), ("carrier", carrier)];
            let age_ms = oldest.map_or(0, |oldest| now.since_ms(oldest).max(0));
            depths.push((labels.clone(), float(depth as u64)));
            ages.push((labels.clone(), float(age_ms.unsigned_abs()) / 1000.0));
            spilled.push((labels, f64::from(u8::from(is_spilled))));
        }
        family(encoder, ("enqueue_messages", "Messages waiting in memory", GAUGE), depths)?;
        family(encoder, ("enqueue_oldest_seconds", "Age of the message that is next", GAUGE), ages)?;
        family(encoder, ("enqueue_spilled", "1 while more messages wait in the store", GAUGE), spilled)
    }

    fn binds(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let mut values: HashMap<&str, Vec<(Labels, f64)>> = HashMap::new();
        for state in self.send.carriers() {
            let carrier = ("carrier", state.carrier.name.clone());
            for bind in state.binds() {
                let stats = bind.stats();
                let labels = vec![carrier.clone(), ("bind", bind.index.to_string())];
                let mut add = |name, value| values.entry(name).or_default().push((labels.clone(), value));
                add("up", f64::from(u8::from(bind.state == BindState::Bound)));
                add("window", float(stats.window_used as u64));
                add("held", float(stats.window_held as u64));
                add("sent", float(stats.sent));
                add("answered", float(stats.answered));
                add("timed_out", float(stats.timed_out));
                add("received", float(stats.received));
                add("round_trip", stats.round_trip.as_secs_f64());
            }
        }
        let mut take = |name| values.remove(name).unwrap_or_default();
        family(encoder, ("send_bind_up", "1 while bound", GAUGE), take("up"))?;
        family(encoder, ("send_window_used", "Parts written and not answered", GAUGE), take("window"))?;
        family(encoder, ("send_window_held", "Parts answered and not durable yet", GAUGE), take("held"))?;
        family(encoder, ("send_submitted", "Parts written", COUNTER), take("sent"))?;
        family(encoder, ("send_answered", "Parts answered", COUNTER), take("answered"))?;
        family(encoder, ("send_timed_out", "Parts not answered in time", COUNTER), take("timed_out"))?;
        family(encoder, ("send_received", "Receipts and incoming messages", COUNTER), take("received"))?;
        family(encoder, ("send_round_trip_seconds", "The last round trip", GAUGE), take("round_trip"))?;
        super::carriers::encode(encoder, &self.send)
    }

    fn followed(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let stats = self.follow.stats();
        let opened = Agent::ALL.map(|agent| (vec![("agent", agent.name().to_owned())], float(stats.opened(agent))));
        family(encoder, ("follow_opened", "Short links opened", COUNTER), opened.to_vec())?;
        let counters = [
            ("follow_unknown", "Requests for links that there are not", &stats.unknown),
            ("follow_late", "Clicks recorded behind their redirect because the disk was slow", &stats.late),
            ("follow_lost", "Clicks not recorded because the disk was full or failed", &stats.lost),
            ("follow_limited", "Clicks not recorded because one link was opened too often", &stats.limited),
        ];
        counters.into_iter().try_for_each(|(name, help, counter)| {
            family(encoder, (name, help, COUNTER), vec![(vec![], count(counter))])
        })
    }

    fn settled(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let stats = self.settle.stats();
        let counters = [
            ("settle_taken", "Parts taken by operators", &stats.taken),
            ("settle_refused", "Parts refused by operators", &stats.refused),
            ("settle_receipts_matched", "Receipts matched at once", &stats.receipts_matched),
            ("settle_receipts_parked", "Receipts that came before their message was known", &stats.receipts_parked),
            ("settle_receipts_unparked", "Parked receipts matched later", &stats.receipts_unparked),
            (
                "settle_receipts_ambiguous",
                "Receipts whose id came into question for two messages",
                &stats.receipts_ambiguous,
            ),
            ("settle_damaged", "PDUs that could not be read to their end", &stats.damaged),
            ("settle_incoming", "Incoming messages and parts", &stats.incoming),
            ("settle_repeated", "Parts sent again that an operator may have taken", &stats.repeated),
            ("settle_in_doubt", "Parts that an operator may have taken and that are not sent again", &stats.in_doubt),
            ("settle_doubts_resolved", "Parts of unknown outcome matched to a receipt", &stats.doubts_resolved),
            ("settle_duplicates", "Parts that operators took twice, as their answers say", &stats.duplicates),
            ("settle_expired", "Messages not handed over within their validity", &stats.expired),
            ("settle_unknown", "Messages without a final receipt in time", &stats.unknown),
        ];
        counters.into_iter().try_for_each(|(name, help, counter)| {
            family(encoder, (name, help, COUNTER), vec![(vec![], count(counter))])
        })?;
        self.ids(encoder)
    }

    /// How carriers write their ids, as far as that was learnt.
    fn ids(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let control = self.store.control();
        let (mut receipts, mut hits, mut proposed) = (Vec::new(), Vec::new(), Vec::new());
        for learnt in self.settle.learnt_ids() {
            let Some(carrier) = control.carrier(learnt.carrier) else { continue };
            let label = ("carrier", carrier.name.clone());
            receipts.push((vec![label.clone()], f64::from(learnt.receipts)));
            for ((_, way), count) in Likeness::ALL.iter().zip(learnt.hits) {
                hits.push((vec![label.clone(), ("way", (*way).to_owned())], f64::from(count)));
            }
            if let Some(format) = learnt.proposed {
                let set = ("set", carrier.message_id_format.name().to_owned());
                proposed.push((vec![label, ("format", format.name().to_owned()), set], 1.0));
            }
        }
        family(
            encoder,
            ("settle_id_receipts", "First receipts whose ids were compared with their answers", GAUGE),
            receipts,
        )?;
        family(encoder, ("settle_id_hits", "Of them, those whose id came from the answer's in this way", GAUGE), hits)?;
        family(
            encoder,
            ("settle_id_format_proposed", "The message_id_format that fits the first receipts", GAUGE),
            proposed,
        )
    }

    fn two_way(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let stats = self.two_way.stats();
        let counters = [
            ("two_way_messages", "Incoming messages given to an account", &stats.messages),
            ("two_way_unowned", "Incoming messages whose number and keyword no account owns", &stats.unowned),
            ("two_way_parts", "Parts of long incoming messages", &stats.parts),
            ("two_way_repeats", "Parts that operators repeated", &stats.repeats),
            ("two_way_incomplete", "Long incoming messages told as far as they came", &stats.incomplete),
            ("two_way_late_parts", "Parts that came after that", &stats.late_parts),
            ("two_way_flawed", "Incoming messages whose headers make no sense", &stats.flawed),
            ("two_way_stops", "STOP and words like it", &stats.stops),
            ("two_way_starts", "START and words like it", &stats.starts),
            ("two_way_answers", "Answers accepted", &stats.answers),
            ("two_way_answers_refused", "Answers refused", &stats.answers_refused),
            ("two_way_silenced", "Messages the loop guard or the rate limit left unanswered", &stats.silenced),
            ("two_way_replies_unreadable", "Webhook answers whose reply could not be read", &stats.replies_unreadable),
        ];
        for (name, help, counter) in counters {
            family(encoder, (name, help, COUNTER), vec![(vec![], count(counter))])?;
        }
        let (waiting, octets) = self.two_way.waiting();
        let [opt_outs, talks] = self.store.health().people;
        let gauges = [
            ("two_way_joining", "Long incoming messages that wait for parts", waiting),
            ("two_way_joining_bytes", "Octets of their parts in memory", octets),
            ("two_way_opt_outs", "Entries on opt-out lists", opt_outs),
            ("two_way_talks", "Talks with bots that go on", talks),
        ];
        gauges.into_iter().try_for_each(|(name, help, value)| {
            family(encoder, (name, help, GAUGE), vec![(vec![], float(value as u64))])
        })
    }

    fn stored(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let health = self.store.health();
        let per_lane = |values: [f64; 2]| Lane::ALL.map(|lane| (vec![lane_label(lane)], values[lane.index()])).to_vec();
        let lanes = |values: [u64; 2]| per_lane(values.map(float));
        family(
            encoder,
            ("store_accepts", "1 while messages are accepted", GAUGE),
            vec![(vec![], f64::from(u8::from(health.accepts)))],
        )?;
        family(
            encoder,
            ("store_disk_free_bytes", "Room on the data disk", GAUGE),
            vec![(vec![], float(health.disk_free_octets))],
        )?;
        let spans = ["hot", "sealing", "sealed"].into_iter().zip(health.spans);
        let spans = spans.map(|(state, count)| (vec![("state", state.to_owned())], f64::from(count))).collect();
        family(encoder, ("store_spans", "Span files by state", GAUGE), spans)?;
        let queued = per_lane(health.queued_batches.map(|count| float(count as u64)));
        family(encoder, ("store_queued_batches", "Batches waiting for a writer", GAUGE), queued)?;
        family(encoder, ("store_commits", "Commits with sync", COUNTER), lanes(health.commits))?;
        family(encoder, ("store_facts", "Facts committed", COUNTER), lanes(health.facts))?;
        let seconds = per_lane(health.commit_microseconds_sum.map(|sum| float(sum) / 1e6));
        family(encoder, ("store_commit_seconds", "Time spent in commits", COUNTER), seconds)?;
        self.commit_times(encoder, &health)?;
        family(
            encoder,
            ("store_parked_receipts", "Receipts without a message", GAUGE),
            vec![(vec![], float(health.parked_receipts as u64))],
        )?;
        family(
            encoder,
            ("store_orphan_expired", "Receipts whose message never showed up in their time", COUNTER),
            vec![(vec![], float(health.orphans_expired))],
        )?;
        family(
            encoder,
            ("store_operator_ids_reused", "Operator ids that another message had before", COUNTER),
            vec![(vec![], float(health.operator_ids_reused))],
        )?;
        family(
            encoder,
            ("store_wal_bytes", "Size of the write-ahead logs", GAUGE),
            vec![(vec![], float(health.wal_octets))],
        )
    }

    fn commit_times(&self, encoder: &mut DescriptorEncoder<'_>, health: &store::question::Health) -> Result<(), Error> {
        let mut values = Vec::new();
        for lane in Lane::ALL {
            for (bound_us, commits) in &health.commit_microseconds[lane.index()] {
                let bound =
                    if *bound_us == u64::MAX { "+Inf".to_owned() } else { (float(*bound_us) / 1e6).to_string() };
                values.push((vec![lane_label(lane), ("within_seconds", bound)], float(*commits)));
            }
        }
        family(encoder, ("store_commits_within", "Commits that took at most so long", COUNTER), values)
    }

    fn told(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let figures = self.tell.figures();
        let values = [
            ("tell_calls", "Webhook calls made", COUNTER, figures.called),
            ("tell_failed", "Webhook calls that failed", COUNTER, figures.failed),
            ("tell_told", "Events delivered", COUNTER, figures.told),
            ("tell_dead", "Events given up", COUNTER, figures.dead),
            ("tell_left", "Times an event was left in the store for lack of room", COUNTER, figures.left),
            ("tell_in_flight", "Webhook calls in progress", GAUGE, figures.in_flight),
            ("tell_queued", "Events waiting in memory", GAUGE, figures.queued),
            ("tell_endpoints", "Endpoints in use", GAUGE, figures.endpoints),
            ("tell_endpoints_down", "Endpoints that only get probes because they fail", GAUGE, figures.endpoints_down),
            ("tell_endpoints_off", "Endpoints that are not called any more", GAUGE, figures.endpoints_off),
            (
                "tell_endpoints_failing_hour",
                "Active endpoints that have done nothing but fail for an hour",
                GAUGE,
                figures.endpoints_failing_hour,
            ),
            (
                "tell_endpoints_failing_day",
                "Active endpoints that have done nothing but fail for a day",
                GAUGE,
                figures.endpoints_failing_day,
            ),
        ];
        for (name, help, kind, value) in values {
            family(encoder, (name, help, kind), vec![(vec![], float(value))])?;
        }
        let oldest = float(figures.oldest_due_ms) / 1000.0;
        family(
            encoder,
            ("tell_oldest_due_seconds", "Age of the oldest event that could be told", GAUGE),
            vec![(vec![], oldest)],
        )?;
        let mut within = Vec::new();
        let mut so_far = 0;
        for (index, count) in figures.begin_ms.iter().enumerate() {
            so_far += count;
            let bound = BEGIN_BOUNDS_MS
                .get(index)
                .map_or_else(|| "+Inf".to_owned(), |bound_ms| (float(bound_ms.unsigned_abs()) / 1000.0).to_string());
            within.push((vec![("within_seconds", bound)], float(so_far)));
        }
        family(
            encoder,
            ("tell_begun_within", "Events whose first call began at most so long after the outcome", COUNTER),
            within,
        )
    }
}
