//! How requests ended, many at a time.

use std::time::Duration;

use crate::CommandStatus;

/// The one end of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome<'a> {
    /// The peer answered.
    Answered {
        /// Its verdict.
        status: CommandStatus,
        /// The operator's id of the message; `None` if it gave none.
        message_id: Option<&'a [u8]>,
        /// How busy the peer says it is, 0 to 100 (SMPP 5.0).
        congestion_state: Option<u8>,
        /// From the reservation of the slot to the answer.
        round_trip: Duration,
    },
    /// The peer answered `generic_nack`.
    Nacked {
        /// Its verdict.
        status: CommandStatus,
    },
    /// The peer did not answer in time; it may have taken the message all the same.
    TimedOut,
    /// The connection ended first.
    ConnectionLost {
        /// Whether the whole request went out. If not, the peer cannot have taken it.
        written: bool,
    },
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    token: u64,
    /// `message_id` is left empty here: it stands in the octets of the batch.
    outcome: Outcome<'static>,
    id_from: u32,
    id_octets: u32,
}

/// The outcomes of one turn, in the order of arrival.
#[derive(Debug, Default)]
pub struct OutcomeBatch {
    entries: Vec<Entry>,
    octets: Vec<u8>,
}

impl OutcomeBatch {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Each request's token with its outcome.
    pub fn iter(&self) -> impl Iterator<Item = (u64, Outcome<'_>)> {
        self.entries.iter().map(|entry| {
            let outcome = match entry.outcome {
                Outcome::Answered { status, congestion_state, round_trip, .. } => {
                    let from = entry.id_from as usize;
                    let id = &self.octets[from..from + entry.id_octets as usize];
                    let message_id = (!id.is_empty()).then_some(id);
                    Outcome::Answered { status, message_id, congestion_state, round_trip }
                }
                Outcome::Nacked { status } => Outcome::Nacked { status },
                Outcome::TimedOut => Outcome::TimedOut,
                Outcome::ConnectionLost { written } => Outcome::ConnectionLost { written },
            };
            (entry.token, outcome)
        })
    }

    pub(crate) fn push(&mut self, token: u64, outcome: Outcome<'static>) {
        self.entries.push(Entry { token, outcome, id_from: 0, id_octets: 0 });
    }

    pub(crate) fn push_answered(
        &mut self,
        token: u64,
        status: CommandStatus,
        message_id: Option<&[u8]>,
        congestion_state: Option<u8>,
        round_trip: Duration,
    ) {
        let id = message_id.unwrap_or_default();
        let outcome = Outcome::Answered { status, message_id: None, congestion_state, round_trip };
        let (id_from, id_octets) = (self.octets.len() as u32, id.len() as u32);
        self.octets.extend_from_slice(id);
        self.entries.push(Entry { token, outcome, id_from, id_octets });
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.octets.clear();
    }
}
