//! The server's metrics at one moment, and quantiles between two.

use anyhow::{Context, Result};

use super::web;

/// One reading.
pub struct Metrics {
    lines: Vec<(String, f64)>,
}

impl Metrics {
    /// Reads them now.
    pub fn read(operations: &str) -> Result<Self> {
        let (_, text) = web::get(operations, "/metrics", &[])?;
        Ok(Self::parse(&text))
    }

    fn parse(text: &str) -> Self {
        let lines = text
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| line.rsplit_once(' '))
            .filter_map(|(name, value)| Some((name.to_owned(), value.parse().ok()?)))
            .collect();
        Self { lines }
    }

    /// The sum over all lines of this name, whatever their labels.
    pub fn sum(&self, name: &str) -> f64 {
        let named = |line: &str| line.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('{'));
        self.lines.iter().filter(|(line, _)| named(line)).map(|(_, value)| value).sum()
    }

    /// Cumulative counts by upper bound, in seconds.
    fn bounds(&self, name: &str, bound_label: &str, label: &str) -> Vec<(f64, f64)> {
        let mut bounds: Vec<(f64, f64)> = self
            .lines
            .iter()
            .filter(|(line, _)| line.starts_with(&format!("{name}{{")) && line.contains(label))
            .filter_map(|(line, value)| {
                let bound = line.split(&format!("{bound_label}=\"")).nth(1)?.split('"').next()?;
                let bound = if bound == "+Inf" { f64::INFINITY } else { bound.parse().ok()? };
                Some((bound, *value))
            })
            .collect();
        bounds.sort_by(|left, right| left.0.total_cmp(&right.0));
        bounds
    }

    /// An upper bound of a quantile over what came since an earlier reading, in milliseconds: the bound of its bucket.
    pub fn quantile_ms(&self, earlier: &Self, of: &Histogram, quantile: f64) -> Result<f64> {
        let before = earlier.bounds(of.name, of.bound_label, of.label);
        let since: Vec<(f64, f64)> = self
            .bounds(of.name, of.bound_label, of.label)
            .into_iter()
            .map(|(bound, count)| {
                (bound, count - before.iter().find(|known| known.0 == bound).map_or(0.0, |known| known.1))
            })
            .collect();
        let total = since.last().map_or(0.0, |(_, count)| *count);
        let reached = since.iter().find(|(_, count)| total > 0.0 && *count >= total * quantile);
        reached.map(|(bound, _)| bound * 1_000.0).with_context(|| format!("nothing counted in {}", of.name))
    }
}

/// A histogram of the server.
pub struct Histogram {
    /// Name of its lines.
    pub name: &'static str,
    /// The label that holds the upper bound.
    pub bound_label: &'static str,
    /// A label that its lines have, or nothing.
    pub label: &'static str,
}

/// From durable and due to written, Priority lane.
pub const QUEUE_PRIORITY: Histogram =
    Histogram { name: "posthorn_queue_duration_seconds_bucket", bound_label: "le", label: "lane=\"priority\"" };
/// From the outcome to the begin of the first webhook call.
pub const TOLD_WITHIN: Histogram =
    Histogram { name: "posthorn_tell_begun_within_total", bound_label: "within_seconds", label: "" };

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_and_quantiles_between_two_readings() {
        let text = |low: u32, high: u32| {
            format!(
                "# HELP x\nposthorn_a_total{{lane=\"x\"}} {low}\nposthorn_a_total 1\nposthorn_ab 7\n\
                 posthorn_queue_duration_seconds_bucket{{le=\"0.01\",lane=\"priority\"}} {low}\n\
                 posthorn_queue_duration_seconds_bucket{{le=\"+Inf\",lane=\"priority\"}} {high}\n"
            )
        };
        let (earlier, later) = (Metrics::parse(&text(5, 5)), Metrics::parse(&text(104, 105)));
        assert_eq!(later.sum("posthorn_a_total"), 105.0);
        assert_eq!(later.quantile_ms(&earlier, &QUEUE_PRIORITY, 0.99).unwrap(), 10.0);
        assert_eq!(later.quantile_ms(&earlier, &QUEUE_PRIORITY, 0.999).unwrap(), f64::INFINITY);
        assert!(later.quantile_ms(&later, &QUEUE_PRIORITY, 0.99).is_err());
    }
}
