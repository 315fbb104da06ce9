//! The one state machine: folds facts into what became of a message.
//!
//! States only move up. A late receipt may turn undelivered, expired or unknown into delivered;
//! nothing turns delivered into anything else, and nothing returns to new or sent.

use smallvec::SmallVec;

use crate::clock::UnixMillis;
use crate::fact::{MessageFact, PURGED};
use crate::id::CarrierId;
use crate::receipt::ReceiptState;

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
        [Self::Waiting, Self::Sent, Self::Unknown, Self::Rejected, Self::Undelivered, Self::Expired, Self::Delivered]
            .into_iter()
            .find(|state| state.code() == code)
    }

    fn rank(self) -> u8 {
        match self {
            Self::Waiting => 0,
            Self::Sent => 1,
            Self::Unknown => 2,
            Self::Rejected | Self::Undelivered | Self::Expired => 3,
            Self::Delivered => 4,
        }
    }

    fn failure(self) -> Option<Status> {
        match self {
            Self::Rejected => Some(Status::Rejected),
            Self::Undelivered => Some(Status::Undelivered),
            Self::Expired => Some(Status::Expired),
            Self::Waiting | Self::Sent | Self::Unknown | Self::Delivered => None,
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
    /// When an operator took it; `None` until then.
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
    /// Index of the part that changed.
    pub part: Option<usize>,
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

    /// Whether an operator took at least one part.
    #[must_use]
    pub fn any_taken(&self) -> bool {
        self.parts.iter().any(|part| part.taken_at.is_some())
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
                    return Change::default();
                }
                self.part_becomes(*part, PartState::Rejected, *carrier, &format!("{command_status:#06x}"), at)
            }
            MessageFact::Receipt { part, carrier, state, error, .. } => {
                self.part_becomes(*part, PartState::from(*state), *carrier, error, at)
            }
            MessageFact::Unanswered { .. } => Change::default(),
            MessageFact::Ended { status, reason } => self.end(*status, reason, at),
            MessageFact::Cancelled if self.any_taken() => Change::default(),
            MessageFact::Cancelled => self.end(Status::Cancelled, "", at),
            MessageFact::Purged { .. } if self.any_taken() => Change::default(),
            MessageFact::Purged { .. } => self.end(Status::Rejected, PURGED, at),
        }
    }

    fn take(&mut self, number: u8, taken: Part, at: UnixMillis) -> Change {
        let Some((index, part)) = self.part_mut(number) else { return Change::default() };
        if part.state != PartState::Waiting {
            return Change::default();
        }
        *part = taken;
        let all_taken = self.parts.iter().all(|part| part.state != PartState::Waiting);
        let moved_from = if all_taken { self.become_status(Status::Sent, "", at) } else { None };
        Change { moved_from, part: Some(index), refund: false }
    }

    fn part_becomes(&mut self, number: u8, next: PartState, carrier: CarrierId, error: &str, at: UnixMillis) -> Change {
        let Some((index, part)) = self.part_mut(number) else { return Change::default() };
        if next.rank() <= part.state.rank() {
            return Change::default();
        }
        let was_waiting = part.state == PartState::Waiting;
        part.state = next;
        if was_waiting {
            part.carrier = carrier;
        }
        let moved_from = self.outcome(next).and_then(|status| self.become_status(status, error, at));
        Change { moved_from, part: Some(index), refund: moved_from == Some(Status::New) && !self.any_taken() }
    }

    /// The status that follows from the parts after one of them became `next`.
    fn outcome(&self, next: PartState) -> Option<Status> {
        let all_delivered = self.parts.iter().all(|part| part.state == PartState::Delivered);
        if all_delivered { Some(Status::Delivered) } else { next.failure() }
    }

    fn end(&mut self, status: Status, reason: &str, at: UnixMillis) -> Change {
        let moved_from = self.become_status(status, reason, at);
        Change { moved_from, part: None, refund: moved_from.is_some() && !self.any_taken() }
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

#[cfg(test)]
mod tests {
    use super::*;

    const AT: UnixMillis = UnixMillis(1_800_000_000_000);

    fn submitted(part: u8) -> MessageFact {
        let id: Box<str> = format!("id{part}").into();
        MessageFact::Submitted { part, carrier: CarrierId(1), operator_id: id.clone(), canonical_id: id }
    }

    fn receipt(part: u8, state: ReceiptState) -> MessageFact {
        let error = if state == ReceiptState::Delivered { "000" } else { "021" };
        MessageFact::Receipt {
            part,
            carrier: CarrierId(1),
            state,
            error: error.into(),
            done_at: None,
            raw: Box::default(),
        }
    }

    fn after(parts: u8, facts: &[MessageFact]) -> Progress {
        let mut progress = Progress::new(parts, AT);
        for fact in facts {
            progress.apply(fact, AT);
        }
        progress
    }

    #[test]
    fn one_part_goes_from_new_over_sent_to_delivered() {
        let mut progress = Progress::new(1, AT);
        assert_eq!(progress.apply(&submitted(1), AT).moved_from, Some(Status::New));
        assert_eq!(progress.apply(&receipt(1, ReceiptState::Accepted), AT).moved_from, None);
        assert_eq!(progress.apply(&receipt(1, ReceiptState::Delivered), AT).moved_from, Some(Status::Sent));
        assert_eq!(progress.status, Status::Delivered);
        assert_eq!(progress.apply(&receipt(1, ReceiptState::Delivered), AT), Change::default());
    }

    #[test]
    fn a_long_message_is_delivered_when_all_its_parts_are() {
        let mut facts = vec![submitted(1), submitted(2), submitted(3)];
        facts.extend([2, 1].map(|part| receipt(part, ReceiptState::Delivered)));
        assert_eq!(after(3, &facts).status, Status::Sent);
        facts.push(receipt(3, ReceiptState::Delivered));
        assert_eq!(after(3, &facts).status, Status::Delivered);
    }

    #[test]
    fn the_first_part_that_fails_decides_and_a_late_delivery_still_lifts() {
        let mut facts = vec![submitted(1), submitted(2), receipt(2, ReceiptState::Undelivered)];
        assert_eq!(after(2, &facts).status, Status::Undelivered);
        facts.push(receipt(1, ReceiptState::Expired));
        assert_eq!(after(2, &facts).status, Status::Undelivered);
        facts.extend([1, 2].map(|part| receipt(part, ReceiptState::Delivered)));
        assert_eq!(after(2, &facts).status, Status::Delivered);
    }

    #[test]
    fn a_refusal_before_anything_left_gives_the_price_back() {
        let refused = MessageFact::Refused { part: 1, carrier: CarrierId(1), command_status: 0x0b, is_final: true };
        let mut progress = Progress::new(1, AT);
        let change = progress.apply(&refused, AT);
        assert!(change.refund);
        assert_eq!((progress.status, &*progress.error), (Status::Rejected, "0x000b"));
        let mut half_sent = after(2, &[submitted(1)]);
        let refused = MessageFact::Refused { part: 2, carrier: CarrierId(1), command_status: 0x0b, is_final: true };
        assert!(!half_sent.apply(&refused, AT).refund);
        assert_eq!(half_sent.status, Status::Rejected);
    }

    #[test]
    fn what_has_left_is_not_cancelled() {
        assert_eq!(after(2, &[submitted(1), MessageFact::Cancelled]).status, Status::New);
        assert_eq!(after(1, &[MessageFact::Cancelled]).status, Status::Cancelled);
    }

    #[test]
    fn what_has_left_is_not_purged_and_what_waits_is_rejected_and_refunded() {
        let purged = || MessageFact::Purged { reason: "the operator is gone".into() };
        assert_eq!(after(2, &[submitted(1), purged()]).status, Status::New);
        let mut waiting = Progress::new(1, AT);
        let change = waiting.apply(&purged(), AT);
        assert_eq!((waiting.status, &*waiting.error, change.refund), (Status::Rejected, "purged", true));
    }

    #[test]
    fn a_message_is_sent_only_when_all_parts_are_taken() {
        assert_eq!(after(2, &[submitted(2)]).status, Status::New);
        assert_eq!(after(2, &[submitted(2), submitted(1)]).status, Status::Sent);
    }

    #[test]
    fn unknown_words_keep_waiting() {
        let waiting = after(1, &[submitted(1), receipt(1, ReceiptState::Unknown)]);
        assert_eq!(waiting.status, Status::Sent);
    }

    #[test]
    fn no_pair_of_states_ever_moves_down() {
        for from in Status::ALL {
            assert!(!from.may_become(from));
            for to in Status::ALL {
                assert!(!(from.may_become(to) && to.may_become(from)), "{from:?} {to:?}");
            }
            assert!(!from.may_become(Status::New) && !Status::Delivered.may_become(from));
        }
        for late in [Status::Undelivered, Status::Expired, Status::Unknown] {
            assert!(late.may_become(Status::Delivered));
        }
    }

    fn any_fact() -> impl proptest::strategy::Strategy<Value = MessageFact> {
        use proptest::prelude::*;
        let states = prop_oneof![
            Just(ReceiptState::Enroute),
            Just(ReceiptState::Accepted),
            Just(ReceiptState::Unknown),
            Just(ReceiptState::Expired),
            Just(ReceiptState::Deleted),
            Just(ReceiptState::Undelivered),
            Just(ReceiptState::Rejected),
            Just(ReceiptState::Delivered)
        ];
        prop_oneof![
            (0_u8..5).prop_map(submitted),
            (0_u8..5, states).prop_map(|(part, state)| receipt(part, state)),
            (0_u8..5, any::<bool>()).prop_map(|(part, is_final)| MessageFact::Refused {
                part,
                carrier: CarrierId(1),
                command_status: 8,
                is_final
            }),
            Just(MessageFact::Cancelled),
            Just(MessageFact::Purged { reason: "by mistake".into() }),
            Just(MessageFact::Ended { status: Status::Expired, reason: "validity_over" }),
            Just(MessageFact::Ended { status: Status::Unknown, reason: "no_receipt" }),
        ]
    }

    proptest::proptest! {
        #[test]
        fn any_order_of_facts_only_moves_up(parts in 1_u8..4, facts in proptest::collection::vec(any_fact(), 0..40)) {
            let mut progress = Progress::new(parts, AT);
            for fact in &facts {
                let before = progress.status;
                let change = progress.apply(fact, AT);
                match change.moved_from {
                    Some(from) => proptest::prop_assert!(from == before && from.may_become(progress.status)),
                    None => proptest::prop_assert_eq!(before, progress.status),
                }
            }
            let again = facts.iter().fold(progress.clone(), |mut state, fact| { state.apply(fact, AT); state });
            proptest::prop_assert!(progress.status == again.status || progress.status.may_become(again.status));
        }
    }
}
