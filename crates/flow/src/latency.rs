//! How long the stages take, as histograms for the metrics.

use std::time::Duration;

use domain::lane::Lane;
use prometheus_client::metrics::histogram::Histogram;

/// Upper bounds in seconds: fine around the budgets (3 ms, 15 ms, 50 ms), coarse where only the alarm counts.
const BOUNDS_SECONDS: [f64; 16] =
    [0.001, 0.002, 0.003, 0.005, 0.010, 0.015, 0.025, 0.050, 0.100, 0.250, 0.500, 1.0, 5.0, 30.0, 300.0, 3600.0];

/// One histogram per stage, per lane where lanes differ.
#[derive(Clone, Debug)]
pub struct Latency {
    /// Order taken → durable.
    pub accept: [Histogram; 2],
    /// Durable and due → written to the operator.
    pub wait: [Histogram; 2],
    /// Written → answered by the operator.
    pub answer: [Histogram; 2],
    /// Short link opened → click durable.
    pub follow: Histogram,
    /// Receipts read → durable.
    pub settle: Histogram,
}

impl Default for Latency {
    fn default() -> Self {
        let histogram = || Histogram::new(BOUNDS_SECONDS);
        Self { accept: per_lane(), wait: per_lane(), answer: per_lane(), follow: histogram(), settle: histogram() }
    }
}

/// An empty histogram for each lane.
pub(crate) fn per_lane() -> [Histogram; 2] {
    Lane::ALL.map(|_| Histogram::new(BOUNDS_SECONDS))
}

/// Counts one observation.
pub(crate) fn observe(histogram: &Histogram, took: Duration) {
    histogram.observe(took.as_secs_f64());
}

/// Counts one observation in milliseconds; a clock that went back counts as none.
pub(crate) fn observe_ms(histogram: &Histogram, took_ms: i64) {
    observe(histogram, Duration::from_millis(u64::try_from(took_ms).unwrap_or(0)));
}
