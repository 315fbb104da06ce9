//! Quantiles from cumulative buckets, between two looks at the metrics.

use std::collections::BTreeMap;

/// The upper bound of the bucket that holds quantile `q` of what came between `before` and `after`; infinite bounds
/// and empty histograms give `None`.
pub fn quantile(before: &str, after: &str, name: &str, part: &str, label: &str, q: f64) -> Option<f64> {
    let (before, after) = (buckets(before, name, part, label), buckets(after, name, part, label));
    let total = after.values().max()? - before.values().max().unwrap_or(&0);
    if total == 0 {
        return None;
    }
    let wanted = (q * total as f64).ceil() as u64;
    after
        .iter()
        .find(|(bound, count)| **count - before.get(*bound).unwrap_or(&0) >= wanted)
        .map(|(bound_us, _)| *bound_us as f64 / 1e6)
        .filter(|bound| *bound < 1e6)
}

/// Cumulative counts by upper bound in microseconds.
fn buckets(text: &str, name: &str, part: &str, label: &str) -> BTreeMap<u64, u64> {
    let bucket = |line: &str| {
        let rest = line.strip_prefix(name)?;
        let (labels, count) = rest.rsplit_once(' ')?;
        let bound = labels.split(&format!("{label}=\"")).nth(1)?.split('"').next()?;
        let bound_us = if bound == "+Inf" { u64::MAX } else { (bound.parse::<f64>().ok()? * 1e6).round() as u64 };
        (labels.contains(part)).then_some((bound_us, count.parse::<f64>().ok()? as u64))
    };
    text.lines().filter_map(bucket).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bucket_of_the_quantile_is_found_between_two_looks() {
        let look = |small: u64, all: u64| {
            format!(
                "h_bucket{{le=\"0.005\",lane=\"a\"}} {small}\nh_bucket{{le=\"0.05\",lane=\"a\"}} {all}\nh_bucket{{le=\"+Inf\",lane=\"a\"}} {all}\n"
            )
        };
        let of = |q| quantile(&look(10, 10), &look(109, 110), "h_bucket{", "lane=\"a\"", "le", q);
        assert_eq!(of(0.5), Some(0.005));
        assert_eq!(of(0.999), Some(0.05));
        assert_eq!(quantile(&look(1, 1), &look(1, 1), "h_bucket{", "", "le", 0.5), None);
    }
}
