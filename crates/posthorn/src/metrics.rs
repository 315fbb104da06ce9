//! What `/metrics` says, in the text format of Prometheus.

mod carriers;
mod collect;
mod portability;
mod routes;

use std::collections::HashSet;
use std::sync::Arc;

use domain::clock::Clock;
use flow::Flow;
use prometheus_client::registry::Registry;
use store::Store;
use web::api::Outcomes;

use collect::Live;

use crate::alarms::Watch;

/// The registry over the running parts.
pub struct Metrics {
    registry: Registry,
    answers: Arc<Outcomes>,
}

impl Metrics {
    /// Registers everything once; values are read when they are asked for.
    pub fn new(store: Store, flow: &Flow, clock: Clock, (answers, watch): (Arc<Outcomes>, Watch)) -> Self {
        let mut registry = Registry::with_prefix("posthorn");
        registry.register_collector(Box::new(Live {
            store,
            clock,
            enqueue: flow.enqueue.clone(),
            router: flow.router.clone(),
            send: flow.send.clone(),
            follow: flow.follow.clone(),
            settle: flow.settle.clone(),
            two_way: flow.two_way.clone(),
            tell: flow.tell.clone(),
            latency: flow.latency.clone(),
            networks: flow.router.networks().clone(),
            watch,
        }));
        Self { registry, answers }
    }

    /// All metrics as text.
    pub fn text(&self) -> String {
        let mut text = String::new();
        if let Err(error) = prometheus_client::encoding::text::encode(&mut text, &self.registry) {
            tracing::error!(target: "posthorn", %error, "metrics can't be written");
        }
        let mut all = String::new();
        self.answers.write_prometheus(&mut all);
        classic(&text, &mut all);
        all
    }
}

/// Turns OpenMetrics text into the classic format that every scraper reads: there the names of counters
/// carry `_total` in their comments too, and neither units nor an end mark exist.
fn classic(open_metrics: &str, out: &mut String) {
    let counters: HashSet<&str> =
        open_metrics.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" counter")).collect();
    for line in open_metrics.lines() {
        let mut words = line.splitn(4, ' ');
        match (words.next(), words.next(), words.next(), words.next()) {
            (Some("#"), Some("UNIT" | "EOF"), ..) => continue,
            (Some("#"), Some(kind), Some(name), Some(rest)) if counters.contains(name) => {
                out.push_str(&format!("# {kind} {name}_total {rest}"));
            }
            _ => out.push_str(line),
        }
        out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_named_as_scrapers_expect() {
        let open_metrics = "# HELP a_b Words here.\n# TYPE a_b counter\n# UNIT a_b seconds\na_b_total{} 1\n# TYPE c gauge\nc 2\n# EOF\n";
        let mut out = String::new();
        classic(open_metrics, &mut out);
        assert_eq!(out, "# HELP a_b_total Words here.\n# TYPE a_b_total counter\na_b_total{} 1\n# TYPE c gauge\nc 2\n");
    }
}
