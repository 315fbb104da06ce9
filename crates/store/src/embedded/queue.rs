//! What is handed to a lane's writer.

use std::path::PathBuf;
use std::sync::Arc;

use domain::fact::Fact;
use domain::request::Request;
use smallvec::SmallVec;
use tokio::sync::oneshot;

use super::dedup::Claim;
use crate::error::RecordError;
use crate::late::Turn;

/// Learns that a batch is durable, or why not.
pub(crate) type Done = oneshot::Sender<Result<(), RecordError>>;

/// Something for the writer to do.
pub(crate) enum Order {
    /// Keep a request; its references stay taken until it is in the index.
    Accept { fact: Fact, claims: SmallVec<[Claim; 2]>, turn: Turn, done: Done },
    /// Keep facts.
    Record { facts: Vec<Fact>, done: Done },
    /// Begin a new span with the prepared file.
    Rotate { spare: PathBuf },
    /// Facts that were put aside may be kept now.
    Wake,
    /// Finish what is queued and stop.
    Close,
}

impl Order {
    /// An order to accept `request`, and where its end is told.
    pub fn accept(
        request: Arc<Request>,
        claims: SmallVec<[Claim; 2]>,
        turn: Turn,
    ) -> (Self, oneshot::Receiver<Result<(), RecordError>>) {
        let (done, told) = oneshot::channel();
        (Self::Accept { fact: Fact::Accepted(request), claims, turn, done }, told)
    }

    /// An order to keep `facts`, and where its end is told.
    pub fn record(facts: Vec<Fact>) -> (Self, oneshot::Receiver<Result<(), RecordError>>) {
        let (done, told) = oneshot::channel();
        (Self::Record { facts, done }, told)
    }

    /// Its facts.
    pub fn facts(&self) -> &[Fact] {
        match self {
            Self::Accept { fact, .. } => std::slice::from_ref(fact),
            Self::Record { facts, .. } => facts,
            Self::Rotate { .. } | Self::Wake | Self::Close => &[],
        }
    }

    /// Whether it is still wanted; from then on it can't be withdrawn.
    pub fn begin(&self) -> bool {
        match self {
            Self::Accept { turn, .. } => turn.begin(),
            Self::Record { .. } | Self::Rotate { .. } | Self::Wake | Self::Close => true,
        }
    }

    /// Whether it brings new messages.
    pub fn is_accept(&self) -> bool {
        matches!(self, Self::Accept { .. })
    }
}
