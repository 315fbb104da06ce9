//! Why the store could not do what it was asked.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

/// Where stored data is damaged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// File name within the data directory.
    pub file: Arc<str>,
    /// Page from 1, or the row, or what SQLite says of it.
    pub place: Arc<str>,
}

impl fmt::Display for Damage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} is damaged at {}", self.file, self.place)
    }
}

/// Why the store did not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has the directory.
    #[error("the data directory {} is in use by another process: stop it first, or give this one a directory of its own", directory.display())]
    InUse {
        /// The data directory.
        directory: PathBuf,
    },
    /// A newer version wrote the file.
    #[error("{} has format {found}, this version knows formats up to {known}: use the version that wrote it, or a newer one", file.display())]
    Newer {
        /// The file.
        file: PathBuf,
        /// Its format.
        found: i64,
        /// The newest format known here.
        known: i64,
    },
    /// The file is not one of ours.
    #[error("{} is not a file of the store: move it out of the data directory", file.display())]
    Foreign {
        /// The file.
        file: PathBuf,
    },
    /// The file system refused.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// Why it failed.
        source: std::io::Error,
    },
    /// SQLite refused.
    #[error("cannot open {}: {source}; `check` says what is damaged, `repair` saves what can be read", file.display())]
    Database {
        /// The file.
        file: PathBuf,
        /// Why it failed.
        source: rusqlite::Error,
    },
    /// The control data could not be read.
    #[error("cannot open the control data: {0}")]
    Control(String),
}

/// Why facts were not kept. Nothing of a failed batch is kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The writer's queue is full.
    #[error("the store is busy: try again")]
    Overloaded,
    /// The disk is full, or below its reserve for accepts.
    #[error("the data disk is full: free some space, the store goes on by itself")]
    StorageFull,
    /// The store is closed.
    #[error("the store is closed")]
    Closed,
    /// The file the facts belong to is damaged.
    #[error("{0}: run `check` and `repair`")]
    Damaged(Damage),
    /// SQLite refused for another reason.
    #[error("{file} could not be written: {reason}")]
    Failed {
        /// File name within the data directory.
        file: Arc<str>,
        /// Why.
        reason: Arc<str>,
    },
}

/// Why a question was not answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuestionError {
    /// Too many questions are waiting.
    #[error("the store is busy: try again")]
    Overloaded,
    /// The question took longer than it may.
    #[error("the question took too long: narrow it down by number, externalId or dates")]
    TimedOut,
    /// More rows match than can be ordered that way.
    #[error(
        "too many messages match to order them that way: narrow it down by number, status or dates, or order by createTime"
    )]
    TooMany,
    /// The store is closed.
    #[error("the store is closed")]
    Closed,
    /// The answer lies in damaged data.
    #[error("{0}: run `check` and `repair`")]
    Damaged(Damage),
    /// SQLite refused for another reason.
    #[error("{file} could not be read: {reason}")]
    Failed {
        /// File name within the data directory.
        file: Arc<str>,
        /// Why.
        reason: Arc<str>,
    },
}

impl From<QuestionError> for RecordError {
    /// A fact that could not be recorded because a question before it was not answered.
    fn from(error: QuestionError) -> Self {
        match error {
            QuestionError::Overloaded | QuestionError::TimedOut | QuestionError::TooMany => Self::Overloaded,
            QuestionError::Closed => Self::Closed,
            QuestionError::Damaged(damage) => Self::Damaged(damage),
            QuestionError::Failed { file, reason } => Self::Failed { file, reason },
        }
    }
}
