//! What `/metrics` says, in the text format of Prometheus.

mod collect;

use std::sync::Arc;

use domain::clock::Clock;
use flow::Flow;
use prometheus_client::registry::{Registry, Unit};
use store::Store;
use web::api::Outcomes;

use collect::Live;

/// The registry over the running parts.
pub struct Metrics {
    registry: Registry,
    answers: Arc<Outcomes>,
}

impl Metrics {
    /// Registers everything once; values are read when they are asked for.
    pub fn new(store: Store, flow: &Flow, clock: Clock, answers: Arc<Outcomes>) -> Self {
        let mut registry = Registry::with_prefix("posthorn");
        let latency = &flow.latency;
        for lane in domain::lane::Lane::ALL {
            let registry = registry.sub_registry_with_label(("lane".into(), lane.name().into()));
            let histograms = [
                ("accept_duration", "Order taken until it was durable", &latency.accept),
                ("queue_duration", "Durable and due until written to an operator", &latency.wait),
                ("submit_duration", "Written until answered by the operator", &latency.answer),
            ];
            for (name, help, histogram) in histograms {
                registry.register_with_unit(name, help, Unit::Seconds, histogram[lane.index()].clone());
            }
        }
        registry.register_with_unit("settle_duration", "Receipts read until durable", Unit::Seconds, latency.settle.clone());
        registry.register_collector(Box::new(Live {
            store,
            clock,
            enqueue: flow.enqueue.clone(),
            send: flow.send.clone(),
            settle: flow.settle.clone(),
            tell: flow.tell.clone(),
        }));
        Self { registry, answers }
    }

    /// All metrics as text.
    pub fn text(&self) -> String {
        let mut text = String::new();
        if let Err(error) = prometheus_client::encoding::text::encode(&mut text, &self.registry) {
            tracing::error!(target: "posthorn", %error, "metrics can't be written");
        }
        // The API's own counters come first: the encoder ends its text with an end mark.
        let mut all = String::new();
        self.answers.write_prometheus(&mut all);
        all + &text
    }
}
