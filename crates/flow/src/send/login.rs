//! One login serves all binds of a carrier, and an operator locks it when it is tried too often with a
//! wrong password. So while nobody knows whether it is right, one bind tries and the others wait.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::MutexGuard;
use tokio::time::{Instant, sleep_until};

/// Whether the login of a carrier is known to be right.
#[derive(Debug, Default)]
pub(super) struct Login {
    /// Held by the one bind that tries.
    door: tokio::sync::Mutex<()>,
    state: Mutex<State>,
}

#[derive(Clone, Copy, Debug, Default)]
struct State {
    /// The operator has accepted it, and has not refused it since.
    proven: bool,
    /// It is not tried again before.
    not_before: Option<Instant>,
}

/// Leave to try; to be held until the operator has answered.
pub(super) struct Leave<'a>(
    #[cfg_attr(not(test), expect(dead_code, reason = "held, not read"))] Option<MutexGuard<'a, ()>>,
);

impl Login {
    /// Waits until a bind may try.
    pub(super) async fn may_try(&self) -> Leave<'_> {
        if self.state.lock().proven {
            return Leave(None);
        }
        let alone = self.door.lock().await;
        let State { proven, not_before } = *self.state.lock();
        if proven {
            return Leave(None);
        }
        if let Some(not_before) = not_before {
            sleep_until(not_before).await;
        }
        Leave(Some(alone))
    }

    /// How long it is left alone after a refusal; `None` when it is not.
    pub(super) fn locked_for(&self) -> Option<Duration> {
        let left = self.state.lock().not_before?.saturating_duration_since(Instant::now());
        (!left.is_zero()).then_some(left)
    }

    /// The operator took it.
    pub(super) fn accepted(&self) {
        *self.state.lock() = State { proven: true, not_before: None };
    }

    /// The operator refused it: nobody tries it for so long.
    pub(super) fn refused(&self, pause: Duration) {
        *self.state.lock() = State { proven: false, not_before: Some(Instant::now() + pause) };
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    const LOCKED: Duration = Duration::from_secs(300);

    #[tokio::test(start_paused = true)]
    async fn ten_binds_try_a_wrong_password_once_in_five_minutes() {
        let (login, tries) = (Arc::new(Login::default()), Arc::new(AtomicUsize::new(0)));
        for _ in 0..10 {
            let (login, tries) = (Arc::clone(&login), Arc::clone(&tries));
            tokio::spawn(async move {
                loop {
                    let leave = login.may_try().await;
                    tries.fetch_add(1, Ordering::Relaxed);
                    tokio::time::sleep(Duration::from_millis(10)).await;
                    login.refused(LOCKED);
                    drop(leave);
                }
            });
        }
        tokio::time::sleep(Duration::from_secs(3_000)).await;
        let tries = tries.load(Ordering::Relaxed);
        assert!((9..=10).contains(&tries), "{tries} tries in 50 minutes");
        assert!(login.locked_for().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn once_it_is_proven_all_try_at_the_same_time() {
        let login = Login::default();
        let first = login.may_try().await;
        assert!(tokio::time::timeout(LOCKED, login.may_try()).await.is_err(), "a second one waits");
        login.accepted();
        drop(first);
        let both = tokio::join!(login.may_try(), login.may_try());
        assert!(both.0.0.is_none() && both.1.0.is_none());
    }
}
