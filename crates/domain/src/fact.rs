//! Facts: what happened. The store keeps them; [`crate::state`] folds them into a status.

use std::sync::Arc;

use smallvec::SmallVec;

use crate::click::Click;
use crate::clock::UnixMillis;
use crate::event::{CallId, Event};
use crate::id::{CarrierId, MessageId};
use crate::incoming::{IncomingMessage, IncomingPart};
use crate::receipt::ReceiptState;
use crate::request::Request;
use crate::state::Status;

/// Something that happened and must not be forgotten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// A request was accepted with all its messages; kept whole or not at all.
    Accepted(Arc<Request>),
    /// A fact about one message.
    Message {
        /// Which message.
        id: MessageId,
        /// When it happened.
        at: UnixMillis,
        /// What happened.
        what: MessageFact,
    },
    /// A receipt came whose message is not known (yet): kept until its submit answer shows up.
    ReceiptParked(ParkedReceipt),
    /// A parked receipt was matched and recorded with its message.
    ReceiptUnparked {
        /// The parked receipt's id.
        parked_id: MessageId,
    },
    /// Something an account is told that is no move of a message; see [`crate::event`].
    Event(Arc<Event>),
    /// A part of a long incoming message; one that was recorded before changes nothing.
    IncomingPart(Box<IncomingPart>),
    /// An incoming message, whole or as far as it came.
    Incoming {
        /// The message.
        message: Arc<IncomingMessage>,
        /// Of a long message: the parts that are in it.
        part_ids: Box<[MessageId]>,
    },
    /// Nothing more is to be done for an incoming message.
    IncomingHandled {
        /// The message.
        id: MessageId,
    },
    /// A short link was opened.
    Clicked(Click),
    /// A webhook call ended.
    Called(WebhookCall),
    /// Events are to be told again, whatever became of them before.
    Replayed(Vec<EventId>),
}

/// A fact about one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MessageFact {
    /// The operator took a part.
    Submitted {
        /// Part number from 1.
        part: u8,
        /// Which operator connection.
        carrier: CarrierId,
        /// The operator's id of the part as it was given; empty when it gave none.
        operator_id: Box<str>,
        /// The same id in the form receipts are matched by; see [`crate::operator_id`].
        canonical_id: Box<str>,
    },
    /// The operator refused a part.
    Refused {
        /// Part number from 1.
        part: u8,
        /// Which operator connection.
        carrier: CarrierId,
        /// SMPP command_status.
        command_status: u32,
        /// Whether that ends the message; otherwise it is tried again.
        is_final: bool,
    },
    /// The operator reported on a part.
    Receipt {
        /// Part number from 1.
        part: u8,
        /// Which operator connection.
        carrier: CarrierId,
        /// What the report says.
        state: ReceiptState,
        /// The operator's error code as text, at most 16 characters, empty if none.
        error: Box<str>,
        /// The operator's own time of the outcome, if it was readable.
        done_at: Option<UnixMillis>,
        /// The body of the PDU as received.
        raw: Box<[u8]>,
    },
    /// A part of a message that must not be sent twice is about to be written to an operator. After a
    /// crash it counts as sent, for nobody knows.
    Intended {
        /// Part number from 1.
        part: u8,
        /// Which operator connection.
        carrier: CarrierId,
    },
    /// A part that was about to be written was not: it waits as before.
    NotSent {
        /// Part number from 1.
        part: u8,
    },
    /// The outcome of handing over a part is not known: the connection broke, the answer did not
    /// come in time, or the program ended in between.
    Unanswered {
        /// Part number from 1.
        part: u8,
        /// Which operator connection.
        carrier: CarrierId,
        /// Whether it is sent again, at the risk that it arrives twice; otherwise it counts as sent, and
        /// a receipt may still say what became of it.
        is_repeated: bool,
    },
    /// Validity and grace are over, and there is no final receipt.
    NoReceipt {
        /// The carrier sends one receipt for a long message: if a part is delivered and none has failed, the
        /// message is delivered, on partial evidence.
        one_is_enough: bool,
    },
    /// We ended the message ourselves.
    Ended {
        /// The outcome: rejected or expired.
        status: Status,
        /// Stable reason, such as `validity_over`.
        reason: &'static str,
    },
    /// The client took it back before it was handed over.
    Cancelled,
    /// Whoever operates the platform took it out of the queue before it was handed over: it ends as rejected.
    Purged {
        /// The reason that was given.
        reason: Box<str>,
    },
    /// A message no part of which an operator has taken waits for another carrier from now on. Its state and
    /// its price stay as they are.
    Rerouted {
        /// The carrier it waits for now.
        carrier: CarrierId,
        /// Why it left the other: a stable word, such as `down`, `removed` or `refused_0x0045`, or `order: ` with the
        /// words of whoever ordered it.
        reason: Box<str>,
    },
}

/// The stable reason of a message that was purged.
pub const PURGED: &str = "purged";

/// A receipt without a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParkedReceipt {
    /// Names the parked receipt; made by the id generator on the standard lane.
    pub id: MessageId,
    /// Which operator connection it came over.
    pub carrier: CarrierId,
    /// The forms of the operator's id to match by, likeliest first.
    pub canonical_ids: SmallVec<[Box<str>; 2]>,
    /// When it came.
    pub at: UnixMillis,
    /// What the report says.
    pub state: ReceiptState,
    /// The operator's error code as text.
    pub error: Box<str>,
    /// The operator's own time of the outcome.
    pub done_at: Option<UnixMillis>,
    /// The body of the PDU as received.
    pub raw: Box<[u8]>,
}

/// Names one event: the step of a message that moved it, or a row of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventId {
    /// The message, or the event's own row.
    pub message: MessageId,
    /// Step number within the message's history, from 1; 0 for an event with a row of its own. It rises
    /// with every event of a message, so it is the contract's `seq` too.
    pub step: u16,
}

impl EventId {
    /// The id of an event that has a row of its own. `row` is made by the id generator, or is the id of
    /// what the event tells of: both are then kept in the same commit.
    #[must_use]
    pub fn of_row(row: MessageId) -> Self {
        Self { message: row, step: 0 }
    }

    /// Whether it has a row of its own.
    #[must_use]
    pub fn has_row(self) -> bool {
        self.step == 0
    }

    /// Reads what [`Display`](std::fmt::Display) wrote: the contract's `eventId`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (message, step) = text.split_once('-')?;
        let number = Self { message: MessageId::from_reference(message)?, step: step.parse().ok()? };
        (number.to_string() == text).then_some(number)
    }
}

impl std::fmt::Display for EventId {
    /// The contract's `eventId`: the same on every try.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}-{}", self.message, self.step)
    }
}

/// The end of one try to call a webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookCall {
    /// Names the call; the same on every try (`Request-Id`, `webhook-id`).
    pub id: CallId,
    /// How many tries there were, this one included.
    pub attempt: u16,
    /// When the try ended.
    pub at: UnixMillis,
    /// How long it took.
    pub latency_ms: u32,
    /// HTTP status, 0 if none came.
    pub http_status: u16,
    /// What went wrong, empty on success.
    pub failure: Box<str>,
    /// What becomes of the events.
    pub outcome: CallOutcome,
    /// The events in the call, in the order of the array.
    pub events: Vec<EventId>,
}

/// What becomes of a call's events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallOutcome {
    /// Answered 2xx.
    Told,
    /// To be tried again.
    RetryAt(UnixMillis),
    /// Given up; kept for replay.
    Dead,
}
