//! The wish to stop, as the stages' tasks wait for it.

use tokio::sync::watch;

/// Returns when stopping was asked for, or can't be asked for any more.
pub(crate) async fn requested(drain: &mut watch::Receiver<bool>) {
    // The guard of the value must not live across the caller's other awaits.
    drop(drain.wait_for(|&draining| draining).await);
}
