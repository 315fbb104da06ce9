//! Taking over what other processes change, while a server runs.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread::{Builder, JoinHandle};

use super::database::ControlDb;
use super::error::ControlError;
use super::limits::FOLLOW_INTERVAL;

/// Keeps a [`ControlDb`] fresh until it is dropped.
#[derive(Debug)]
#[must_use = "following stops when this is dropped"]
pub struct Follower {
    stop: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl ControlDb {
    /// Refreshes four times a second on a thread of its own, so that what another process applies is in
    /// force here within a second.
    ///
    /// # Errors
    /// [`ControlError::Thread`] when the system gives no thread.
    pub fn follow(self: &Arc<Self>) -> Result<Follower, ControlError> {
        let (stop, stopped) = sync_channel::<()>(1);
        let database = Arc::clone(self);
        let run = move || {
            let mut failing = false;
            while stopped.recv_timeout(FOLLOW_INTERVAL) == Err(RecvTimeoutError::Timeout) {
                failing = refresh(&database, failing);
            }
        };
        let thread = Builder::new().name("control-follow".into()).spawn(run).map_err(ControlError::Thread)?;
        Ok(Follower { stop: Some(stop), thread: Some(thread) })
    }
}

/// Refreshes once and returns whether it failed; a failure that goes on is logged once.
fn refresh(database: &ControlDb, was_failing: bool) -> bool {
    match database.refresh() {
        Ok(changed) => {
            if changed {
                tracing::info!(version = database.snapshot().version, "control data of another process taken over");
            } else if was_failing {
                tracing::info!("control data can be read again");
            }
            false
        }
        Err(error) => {
            if !was_failing {
                tracing::error!(%error, "control data cannot be read, the last version stays in force");
            }
            true
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic there has been reported by the thread itself.
            let _ = thread.join();
        }
    }
}
