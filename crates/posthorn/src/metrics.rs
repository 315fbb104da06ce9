//! What `/metrics` says, in the text format of Prometheus.

mod collect;

use domain::clock::Clock;
use flow::Flow;
use prometheus_client::registry::{Registry, Unit};
use store::Store;

use collect::Live;

/// The registry over the running parts.
pub struct Metrics(Registry);

impl Metrics {
    /// Registers everything once; values are read when they are asked for.
    pub fn new(store: Store, flow: &Flow, clock: Clock) -> Self {
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
        Self(registry)
    }

    /// All metrics as text.
    pub fn text(&self) -> String {
        let mut text = String::new();
        if let Err(error) = prometheus_client::encoding::text::encode(&mut text, &self.0) {
            tracing::error!(target: "posthorn", %error, "metrics can't be written");
        }
        text
    }
}
