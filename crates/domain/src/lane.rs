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

/// What a message is for. It decides who goes first within a lane, and what happens when it is not
/// known whether an operator took it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Traffic {
    /// A one-time code or what is as urgent: everything on the Priority lane.
    Code,
    /// Something the recipient waits for: orders, alerts, reminders.
    #[default]
    Transactional,
    /// Marketing and other mass sending.
    Bulk,
}

impl Traffic {
    /// All of them, by the number they are stored under.
    pub const ALL: [Self; 3] = [Self::Code, Self::Transactional, Self::Bulk];

    /// The word used in setup files, metrics and logs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Transactional => "transactional",
            Self::Bulk => "bulk",
        }
    }

    /// The number it is stored under.
    #[must_use]
    pub fn code(self) -> u8 {
        self as u8
    }

    /// Finds a class by the number it is stored under.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|traffic| traffic.code() == code)
    }
}
