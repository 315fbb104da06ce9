//! Looking at the frames of a running session.

use std::fmt;
use std::sync::Arc;

/// Which way a frame went, seen from this end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Written to the peer.
    Out,
    /// Read from the peer.
    In,
}

/// Someone who may want to look at frames. Called from the session's task, so nothing here may block.
pub trait FrameWatcher: Send + Sync {
    /// Whether anyone looks right now. Asked once per read and once per write, never per frame.
    fn looks(&self) -> bool;

    /// A whole frame, header included, as it is on the wire.
    fn frame(&self, direction: Direction, frame: &[u8]);
}

/// The watcher of a session, if it has one.
#[derive(Default)]
pub(crate) struct Watch(std::sync::OnceLock<Arc<dyn FrameWatcher>>);

impl fmt::Debug for Watch {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("Watch").field(&self.0.get().is_some()).finish()
    }
}

impl Watch {
    pub(crate) fn set(&self, watcher: Arc<dyn FrameWatcher>) -> bool {
        self.0.set(watcher).is_ok()
    }

    /// The watcher, while it looks.
    pub(crate) fn looking(&self) -> Option<&dyn FrameWatcher> {
        self.0.get().map(|watcher| &**watcher).filter(|watcher| watcher.looks())
    }
}

/// Shows each whole frame of octets that begin at a frame's start.
pub(crate) fn show_all(watcher: &dyn FrameWatcher, mut octets: &[u8]) {
    while let Some(length) = octets.first_chunk().map(|length| u32::from_be_bytes(*length) as usize)
        && length > 0
        && let Some((frame, rest)) = octets.split_at_checked(length)
    {
        watcher.frame(Direction::Out, frame);
        octets = rest;
    }
}
