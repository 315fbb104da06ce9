//! The two roads a message can take.

/// Which road a message takes from its acceptance to the operator. Each lane has its own
/// admission, store files, writer and queue, so that a one-time code never waits behind bulk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Lane {
    /// One-time codes and what is as urgent.
    Priority,
    /// Everything else.
    Standard,
}

impl Lane {
    /// Both lanes, the urgent one first.
    pub const ALL: [Self; 2] = [Self::Priority, Self::Standard];

    /// The name used in metrics, logs and file names.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Priority => "priority",
            Self::Standard => "standard",
        }
    }

    /// A dense index for arrays with one entry per lane.
    #[must_use]
    pub fn index(self) -> usize {
        match self {
            Self::Priority => 0,
            Self::Standard => 1,
        }
    }
}
