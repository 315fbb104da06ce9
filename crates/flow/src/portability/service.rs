//! Follows the file of ported numbers.

use std::path::Path;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use super::bounds::FILE_TICK;
use super::handle::Portability;
use super::table::{Mark, Table};
use crate::drain;

/// Reads the file again when it changes. A file that can't be read leaves the one before in force.
pub struct Service(Portability);

impl Service {
    /// Over a source; does nothing where it has no file.
    #[must_use]
    pub fn new(portability: Portability) -> Self {
        Self(portability)
    }

    /// Runs until `drain` turns true.
    pub async fn run(self, mut drain: watch::Receiver<bool>) {
        let Some(file) = self.0.file() else { return };
        let mut seen = file.mark;
        let mut tick = interval(FILE_TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = drain::requested(&mut drain) => return,
                _ = tick.tick() => {}
            }
            // A file that is away for a moment is being replaced.
            let Some(now) = mark_of(&file.path).await.filter(|now| *now != seen) else { continue };
            seen = now;
            self.read_again().await;
        }
    }

    /// Reads the file into force.
    pub(super) async fn read_again(&self) {
        let Some(file) = self.0.file() else { return };
        let path = file.path.clone();
        let read = tokio::task::spawn_blocking(move || Table::read(&path)).await;
        match read.unwrap_or_else(|error| Err(error.to_string())) {
            Ok(table) => {
                tracing::info!(target: "route", numbers = table.len(), "ported numbers were read again");
                file.table.store(Arc::new(table));
            }
            Err(error) => tracing::error!(target: "route", error, file = %file.path.display(),
                "the file of ported numbers can't be read, the one before stays in force"),
        }
    }
}

/// Asked on the threads for blocking work: a file may lie on a network.
async fn mark_of(path: &Path) -> Option<Mark> {
    let path = path.to_owned();
    tokio::task::spawn_blocking(move || Mark::of(&path)).await.ok().filter(|mark| mark.is_there())
}
