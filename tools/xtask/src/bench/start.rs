//! Heaps of waiting messages: the start after a crash, and memory.

use anyhow::Result;

use super::figure::{Budget, Figure};
use super::options::Options;
use super::rig::{OPEN, Rig, Setup, Tools};

/// Nobody takes anything: everything waits.
const CLOSED: Setup = Setup { operator: false, ..OPEN };

fn heap<'a>(tools: &'a Tools, name: &str, messages: u64) -> Result<Rig<'a>> {
    let rig = Rig::start(tools, name, CLOSED)?;
    let requests = (messages / 100).to_string();
    rig.load(&["--connections", "16", "--recipients", "100", "--phone-numbers", "100000000", "--count", &requests])?;
    Ok(rig)
}

/// `kill -9` with a million waiting.
pub fn after_kill(tools: &Tools, options: &Options) -> Result<Vec<Figure>> {
    let messages = options.heap(1_000_000);
    let (rig, took) = heap(tools, "kill", messages)?.crash()?;
    rig.finish()?;
    Ok(vec![
        Figure::new("start after kill -9, ready to accept", took.as_secs_f64(), "s", Budget::AtMost(2.0))
            .noting(format!("{messages} waiting")),
    ])
}

/// Memory with ten million waiting: while they came in, and after a restart.
pub fn memory(tools: &Tools, options: &Options) -> Result<Vec<Figure>> {
    let messages = options.heap(10_000_000);
    let rig = heap(tools, "memory", messages)?;
    let (resident, peak) = (rig.server.memory_mib("VmRSS")?, rig.server.memory_mib("VmHWM")?);
    let (rig, _) = rig.crash()?;
    let after = rig.server.memory_mib("VmRSS")?;
    rig.finish()?;
    Ok(vec![
        Figure::new("memory with messages waiting", resident, "MiB", Budget::AtMost(512.0))
            .noting(format!("{messages} waiting; peak {peak:.0} MiB; after kill -9 and start {after:.0} MiB")),
    ])
}
