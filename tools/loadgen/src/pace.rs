//! A timer finer than the millisecond of tokio's wheel, so that the tool's own lateness stays out of the figures.

use std::io;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};
use tokio::io::unix::AsyncFd;

/// Shortest time between two wake-ups: bounds what pacing costs at high rates.
const TICK: Duration = Duration::from_micros(250);

/// Sleeps with the precision of the kernel's high-resolution timers.
pub(crate) struct Pacer {
    timer: AsyncFd<OwnedFd>,
}

impl Pacer {
    pub(crate) fn new() -> io::Result<Self> {
        let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
        // The successor of `new` is an unsafe function; its condition, that the descriptor stays the same and open as
        // long as it is registered, holds here because it is owned and never handed out.
        #[expect(deprecated, reason = "the replacement needs unsafe code, which this project forbids")]
        let timer = AsyncFd::new(timer)?;
        Ok(Self { timer })
    }

    /// Sleeps until `at`, but at least a tick.
    pub(crate) async fn sleep_until(&self, at: Instant) -> io::Result<()> {
        let pause = at.saturating_duration_since(Instant::now()).max(TICK);
        let value = Timespec {
            tv_sec: i64::try_from(pause.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: pause.subsec_nanos().into(),
        };
        let once = Itimerspec { it_interval: Timespec { tv_sec: 0, tv_nsec: 0 }, it_value: value };
        timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &once)?;
        loop {
            let mut guard = self.timer.readable().await?;
            let mut expirations = [0; 8];
            match rustix::io::read(&self.timer, &mut expirations) {
                Ok(_) => return Ok(()),
                Err(rustix::io::Errno::AGAIN) => guard.clear_ready(),
                Err(error) => return Err(error.into()),
            }
        }
    }
}
