//! The one state machine: folds facts into what became of a message.
//!
//! States only move up. A late receipt may turn undelivered, expired or unknown into delivered;
//! nothing turns delivered into anything else, and nothing returns to new or sent.

use smallvec::SmallVec;

use crate::clock::UnixMillis;
use crate::fact::{MessageFact, PURGED};
use crate::id::CarrierId;
use crate::receipt::ReceiptState;

/// Why a message is unknown: no final receipt came in time.
pub const NO_RECEIPT: &str = "no_receipt";
/// Why a message counts as delivered although not every part was reported: its carrier sends one receipt for a long
/// message.
pub const PARTIAL_EVIDENCE: &str = "partial_evidence";

/// What became of a message, with the contract's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Status {
    /// Accepted, not handed over.
    New = 1,
    /// With the operator, no final report yet.
    Sent = 2,
    /// Refused by us or by the operator.
    Rejected = 9,
    /// Taken back by the client.
    Cancelled = 10,
    /// On the handset.
    Delivered = 21,
    /// Not deliverable.
    Undelivered = 22,
    /// Not delivered within its validity.
    Expired = 23,
    /// No final report came in time.
    Unknown = 24,
}

impl Status {
    /// All of them, by number.
    pub const ALL: [Self; 8] = [
        Self::New,
        Self::Sent,
        Self::Rejected,
        Self::Cancelled,
        Self::Delivered,
        Self::Undelivered,
        Self::Expired,
        Self::Unknown,
    ];

    /// The contract's number.
    #[must_use]
    pub fn code(self) -> u8 {
        self as u8
    }

    /// Finds a status by the contract's number.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.code() == code)
    }

    /// The contract's `statusDesc`.
    #[must_use]
    pub fn description(self) -> &'static str {
        match self {
            Self::New => "New",
            Self::Sent => "Sent",
            Self::Rejected => "Rejected",
            Self::Cancelled => "Cancelled",
            Self::Delivered => "Delivered",
            Self::Undelivered => "Undelivered",
            Self::Expired => "Expired",
            Self::Unknown => "Unknown",
        }
    }

    /// Whether this is an outcome: told by webhook, no longer waited for.
    #[must_use]
    pub fn is_outcome(self) -> bool {
        !matches!(self, Self::New | Self::Sent)
    }

    /// Whether a message may go from this status to `next`.
    #[must_use]
    pub fn may_become(self, next: Self) -> bool {
        let closed = matches!(self, Self::Rejected | Self::Cancelled | Self::Delivered);
        !closed && next.rank() > self.rank()
    }

    fn rank(self) -> u8 {
        match self {
            Self::New => 0,
            Self::Sent => 1,
            Self::Unknown => 2,
            Self::Rejected | Self::Cancelled | Self::Undelivered | Self::Expired => 3,
            Self::Delivered => 4,
        }
    }
}

/// What became of one part, with the number it is stored under.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum PartState {
    /// Not taken by an operator yet.
    #[default]
    Waiting = 0,
    /// With the operator.
    Sent = 1,
    /// The operator does not know.
    Unknown = 2,
    /// Refused by the operator.
    Rejected = 3,
    /// Not deliverable.
    Undelivered = 4,
    /// Its validity ran out at the operator.
    Expired = 5,
    /// On the handset.
    Delivered = 6,
    /// About to be written to an operator.
    Intended = 7,
    /// Whether an operator took it is not known, and it is not sent again.
    InDoubt = 8,
}

impl PartState {
    /// The number it is stored under.
    #[must_use]
    pub fn code(self) -> u8 {
        self as u8
    }

    /// Finds a state by the number it is stored under.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        const ALL: [PartState; 9] = [
            PartState::Waiting,
            PartState::Sent,
            PartState::Unknown,
            PartState::Rejected,
            PartState::Undelivered,
            PartState::Expired,
            PartState::Delivered,
            PartState::Intended,
            PartState::InDoubt,
        ];
        ALL.into_iter().find(|state| state.code() == code)
    }

    fn rank(self) -> u8 {
        match self {
            Self::Waiting | Self::Intended => 0,
            Self::InDoubt => 1,
            Self::Sent => 2,
            Self::Unknown => 3,
            Self::Rejected | Self::Undelivered | Self::Expired => 4,
            Self::Delivered => 5,
        }
    }

    /// Whether a receipt is not waited for any more.
    #[must_use]
    pub fn is_outcome(self) -> bool {
        self.rank() >= Self::Rejected.rank()
    }

    /// Not handed over as far as is known.
    fn is_here(self) -> bool {
        matches!(self, Self::Waiting | Self::Intended)
    }

    fn failure(self) -> Option<Status> {
        match self {
            Self::Rejected => Some(Status::Rejected),
            Self::Undelivered => Some(Status::Undelivered),
            Self::Expired => Some(Status::Expired),
            Self::Waiting | Self::Intended | Self::InDoubt | Self::Sent | Self::Unknown | Self::Delivered => None,
        }
    }
}

impl From<ReceiptState> for PartState {
    fn from(state: ReceiptState) -> Self {
        match state {
            ReceiptState::Enroute | ReceiptState::Accepted => Self::Sent,
            ReceiptState::Unknown => Self::Unknown,
            ReceiptState::Expired => Self::Expired,
            ReceiptState::Deleted | ReceiptState::Undelivered => Self::Undelivered,
            ReceiptState::Rejected => Self::Rejected,
            ReceiptState::Delivered => Self::Delivered,
        }
    }
}

/// One part of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// What became of it.
    pub state: PartState,
    /// When an operator took it, or may have; `None` until then.
    pub taken_at: Option<UnixMillis>,
    /// The carrier that took or refused it; the default until then.
    pub carrier: CarrierId,
    /// The operator's id as given; empty until taken, or if the operator gave none.
    pub operator_id: Box<str>,
    /// The form receipts are matched by.
    pub canonical_id: Box<str>,
}

/// Everything the rules need to know of a message in flight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What became of it.
    pub status: Status,
    /// When it got there.
    pub status_at: UnixMillis,
    /// The operator's or our own code for the outcome; empty if there is none.
    pub error: Box<str>,
    /// Its parts in order.
    pub parts: SmallVec<[Part; 1]>,
}

/// What a fact changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// The status before, if the status moved.
    pub moved_from: Option<Status>,
    /// The parts that changed, as bits (bit 0 = part 1).
    pub parts: u16,
    /// All parts are settled and none ever left: the price is given back.
    pub refund: bool,
}

impl Progress {
    /// A message that was just accepted.
    #[must_use]
    pub fn new(parts: u8, at: UnixMillis) -> Self {
        let parts = (0..parts.max(1)).map(|_| Part::default()).collect();
        Self { status: Status::New, status_at: at, error: Box::default(), parts }
    }

    /// Whether the message may still change its carrier: all its parts leave by the one that took the first.
    #[must_use]
    pub fn may_be_rerouted(&self) -> bool {
        self.status == Status::New && !self.any_taken()
    }

    /// Whether an operator took at least one part, or may have.
    #[must_use]
    pub fn any_taken(&self) -> bool {
        self.parts.iter().any(|part| part.taken_at.is_some() || part.state == PartState::Intended)
    }

    /// Folds one fact in. Facts that change nothing (duplicates, late or lower ones) are harmless.
    pub fn apply(&mut self, fact: &MessageFact, at: UnixMillis) -> Change {
        match fact {
            MessageFact::Submitted { part, carrier, operator_id, canonical_id } => {
                let taken = Part {
                    state: PartState::Sent,
                    taken_at: Some(at),
                    carrier: *carrier,
                    operator_id: operator_id.clone(),
                    canonical_id: canonical_id.clone(),
                };
                self.take(*part, taken, at)
            }
            MessageFact::Refused { part, carrier, command_status, is_final } => {
                if !is_final {
                    return self.wait_again(*part);
                }
                self.part_becomes(*part, PartState::Rejected, *carrier, &format!("{command_status:#06x}"), at)
            }
            MessageFact::Receipt { part, carrier, state, error, .. } => {
                self.part_becomes(*part, PartState::from(*state), *carrier, error, at)
            }
            MessageFact::Intended { part, carrier } => self.intend(*part, *carrier),
            MessageFact::NotSent { part } => self.wait_again(*part),
            MessageFact::Unanswered { part, is_repeated: true, .. } => self.wait_again(*part),
            MessageFact::Unanswered { part, carrier, .. } => {
                let in_doubt =
                    Part { state: PartState::InDoubt, taken_at: Some(at), carrier: *carrier, ..Part::default() };
                self.take(*part, in_doubt, at)
            }
            MessageFact::Rerouted { .. } => Change::default(),
            MessageFact::NoReceipt { one_is_enough } if *one_is_enough && self.is_delivered_as_far_as_known() => {
                self.end(Status::Delivered, PARTIAL_EVIDENCE, at)
            }
            MessageFact::NoReceipt { .. } => self.end(Status::Unknown, NO_RECEIPT, at),
            MessageFact::Ended { status, reason } => self.end(*status, reason, at),
            MessageFact::Cancelled if self.any_taken() => Change::default(),
            MessageFact::Cancelled => self.end(Status::Cancelled, "", at),
            MessageFact::Purged { .. } if self.any_taken() => Change::default(),
            MessageFact::Purged { .. } => self.end(Status::Rejected, PURGED, at),
        }
    }

    fn take(&mut self, number: u8, taken: Part, at: UnixMillis) -> Change {
        let Some((index, part)) = self.part_mut(number) else { return Change::default() };
        // An answer that comes after all ends the doubt.
        if !part.state.is_here() && (part.state, taken.state) != (PartState::InDoubt, PartState::Sent) {
            return Change::default();
        }
        *part = taken;
        let parts = bit(index);
        let all_taken = self.parts.iter().all(|part| !part.state.is_here());
        let moved_from = if all_taken { self.become_status(Status::Sent, "", at) } else { None };
        Change { moved_from, parts, refund: false }
    }

    fn intend(&mut self, number: u8, carrier: CarrierId) -> Change {
        match self.part_mut(number) {
            Some((index, part)) if part.state == PartState::Waiting => {
                (part.state, part.carrier) = (PartState::Intended, carrier);
                Change { parts: bit(index), ..Change::default() }
            }
            _ => Change::default(),
        }
    }

    /// A part that was about to be written is here after all.
    fn wait_again(&mut self, number: u8) -> Change {
        match self.part_mut(number) {
            Some((index, part)) if part.state == PartState::Intended => {
                *part = Part::default();
                Change { parts: bit(index), ..Change::default() }
            }
            _ => Change::default(),
        }
    }

    fn part_becomes(&mut self, number: u8, next: PartState, carrier: CarrierId, error: &str, at: UnixMillis) -> Change {
        let Some(meant) = self.parts_meant(number) else { return Change::default() };
        let mut parts = 0;
        for (other, part) in self.parts.iter_mut().enumerate() {
            if meant & bit(other) != 0 && next.rank() > part.state.rank() {
                if part.state.is_here() {
                    part.carrier = carrier;
                }
                part.state = next;
                parts |= bit(other);
            }
        }
        if parts == 0 {
            return Change::default();
        }
        let moved_from = self.outcome(next).and_then(|status| self.become_status(status, error, at));
        Change { moved_from, parts, refund: moved_from == Some(Status::New) && !self.any_taken() }
    }

    /// The part of that number with those that have its id: an operator that gave several parts one id (a long message
    /// in one PDU) speaks of all of them.
    fn parts_meant(&self, number: u8) -> Option<u16> {
        let index = usize::from(number).checked_sub(1)?;
        let named = self.parts.get(index)?;
        let shares_id = |part: &Part| {
            !named.canonical_id.is_empty() && part.carrier == named.carrier && part.canonical_id == named.canonical_id
        };
        let parts = self.parts.iter().enumerate().filter(|(other, part)| *other == index || shares_id(part));
        Some(parts.fold(0, |meant, (other, _)| meant | bit(other)))
    }

    /// Whether some part is delivered, none has failed and none is still to be sent.
    fn is_delivered_as_far_as_known(&self) -> bool {
        let mut states = self.parts.iter().map(|part| part.state);
        states.clone().any(|state| state == PartState::Delivered)
            && states.all(|state| !state.is_here() && state.failure().is_none())
    }

    /// The status that follows from the parts after one of them became `next`.
    fn outcome(&self, next: PartState) -> Option<Status> {
        let all_delivered = self.parts.iter().all(|part| part.state == PartState::Delivered);
        if all_delivered { Some(Status::Delivered) } else { next.failure() }
    }

    fn end(&mut self, status: Status, reason: &str, at: UnixMillis) -> Change {
        let moved_from = self.become_status(status, reason, at);
        Change { moved_from, parts: 0, refund: moved_from.is_some() && !self.any_taken() }
    }

    fn become_status(&mut self, next: Status, error: &str, at: UnixMillis) -> Option<Status> {
        if !self.status.may_become(next) {
            return None;
        }
        let before = std::mem::replace(&mut self.status, next);
        self.status_at = at;
        self.error = error.into();
        Some(before)
    }

    fn part_mut(&mut self, number: u8) -> Option<(usize, &mut Part)> {
        let index = usize::from(number).checked_sub(1)?;
        self.parts.get_mut(index).map(|part| (index, part))
    }
}

fn bit(index: usize) -> u16 {
    u32::try_from(index).ok().and_then(|index| 1_u16.checked_shl(index)).unwrap_or(0)
}
