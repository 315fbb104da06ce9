//! Two builds by turns, so that whatever else the machine does falls on both.

use std::path::Path;

use anyhow::Result;

use super::figure::{Budget, Figure};
use super::flow::passage;
use super::options::Options;
use super::rig::{OPEN, Rig, Tools};

/// Pairs of runs for each load.
const PAIRS: usize = 3;
/// How much more CPU a message may take than before.
const RATIO_MAX: f64 = 1.05;

/// CPU per message of this build and of an earlier one, with one and with a hundred recipients.
pub fn compare(tools: &Tools, earlier: &Path, options: &Options) -> Result<Vec<Figure>> {
    let before = Tools { server: earlier.to_owned(), ..tools.clone() };
    let seconds = (options.seconds() / 2).to_string();
    let loads: [(&str, &[&str]); 2] = [
        ("1 recipient", &["--connections", "64", "--rate", "12000", "--duration-seconds", &seconds]),
        (
            "100 recipients",
            &["--connections", "16", "--rate", "250", "--recipients", "100", "--duration-seconds", &seconds],
        ),
    ];
    let mut figures = Vec::new();
    for (name, words) in loads {
        let (mut then, mut now) = (Vec::new(), Vec::new());
        for _ in 0..PAIRS {
            then.push(once(&before, words)?);
            now.push(once(tools, words)?);
        }
        let (then, now) = (median(then), median(now));
        figures.push(
            Figure::new(format!("CPU per message, {name}, now to before"), now / then, "", Budget::AtMost(RATIO_MAX))
                .noting(format!("{now:.1} µs beside {then:.1} µs, median of {PAIRS} pairs")),
        );
    }
    Ok(figures)
}

fn once(tools: &Tools, words: &[&str]) -> Result<f64> {
    let rig = Rig::start(tools, "beside", OPEN)?;
    let seen = passage(&rig, words)?;
    rig.finish()?;
    Ok(seen.cpu_us)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
