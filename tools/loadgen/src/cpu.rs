//! What the load costs this side.

use std::time::Duration;

use rustix::time::{ClockId, Timespec, clock_gettime};

/// CPU time, user and system together.
pub type CpuTime = Duration;

/// The CPU time of this process so far.
#[must_use]
pub fn process_cpu() -> CpuTime {
    duration(clock_gettime(ClockId::ProcessCPUTime))
}

/// The CPU time of the calling thread so far.
#[must_use]
pub fn thread_cpu() -> CpuTime {
    duration(clock_gettime(ClockId::ThreadCPUTime))
}

fn duration(time: Timespec) -> Duration {
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}
