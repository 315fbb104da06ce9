//! Asking for ported numbers.

use std::fmt::Error;

use flow::portability::Networks;
use prometheus_client::encoding::DescriptorEncoder;

use super::collect::{COUNTER, GAUGE, family, float};

/// Writes what came of asking; nothing where there is no source.
pub(super) fn encode(encoder: &mut DescriptorEncoder<'_>, networks: &Networks) -> Result<(), Error> {
    let Some(figures) = networks.figures() else { return Ok(()) };
    let left_alone = u64::from(figures.is_left_alone);
    for (name, help, kind, value) in [
        ("portability_file_numbers", "Numbers in the file of ported numbers", GAUGE, figures.file_numbers),
        ("portability_answered", "Calls that the number-portability service answered", COUNTER, figures.answered),
        ("portability_failed", "Calls that failed or made no sense", COUNTER, figures.failed),
        ("portability_remembered", "Answers in memory", GAUGE, figures.remembered),
        ("portability_left_alone", "1 while the service fails and only gets probes", GAUGE, left_alone),
    ] {
        family(encoder, (name, help, kind), vec![(Vec::new(), float(value))])?;
    }
    Ok(())
}
