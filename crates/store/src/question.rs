//! The shapes of questions and their answers.

use domain::click::Click;
use domain::clock::UnixMillis;
use domain::event::Event;
use domain::fact::ParkedReceipt;
use domain::id::{AccountId, CarrierId, KeyId, MessageId};
use domain::incoming::IncomingMessage;
use domain::money::Money;
use domain::phone::Phone;
use domain::sender::Sender;
use domain::state::{Part, Status};
use domain::webhook::Attempt;
use text::Encoding;

/// One message as it is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageRecord {
    /// The message.
    pub id: MessageId,
    /// Whose message.
    pub account: AccountId,
    /// The key it was sent with.
    pub key: KeyId,
    /// `meta.uniqId` of the request.
    pub uniq_id: Box<str>,
    /// The contract's externalId.
    pub external_id: Box<str>,
    /// The recipient.
    pub phone: Phone,
    /// The sender.
    pub sender: Sender,
    /// The text as it was sent to this recipient.
    pub text: Box<str>,
    /// Whether it was asked for with short links.
    pub short_link: bool,
    /// How it travels.
    pub encoding: Encoding,
    /// Message class 0.
    pub flash: bool,
    /// What became of it.
    pub status: Status,
    /// When it got there.
    pub status_at: UnixMillis,
    /// Code of the outcome, empty if none.
    pub error: Box<str>,
    /// Version of the control data that its way and price were planned with.
    pub control_version: u64,
    /// When it was accepted.
    pub accepted_at: UnixMillis,
    /// `scheduleTime` as asked, Unix seconds.
    pub schedule_time: i64,
    /// Not to be sent after.
    pub expires_at: UnixMillis,
    /// Price of the whole message.
    pub price: Money,
    /// ISO 4217 number.
    pub currency: u16,
    /// The carrier it was planned for, or was moved to since.
    pub carrier: CarrierId,
    /// Its parts in order.
    pub parts: Vec<Part>,
}

/// One line of a message's history, oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// When.
    pub at: UnixMillis,
    /// Stable word: `submitted`, `refused`, `unanswered`, `rerouted`, `receipt`, `ended`, `cancelled`,
    /// `purged`, `told`.
    pub kind: Box<str>,
    /// Part number from 1, 0 for the whole message.
    pub part: u8,
    /// The carrier, where one took part.
    pub carrier: Option<CarrierId>,
    /// The status reached by it, if it moved the message.
    pub status: Option<Status>,
    /// Operator id, error code, reason or HTTP answer, as text.
    pub detail: Box<str>,
    /// The PDU body of a receipt, as received.
    pub raw: Box<[u8]>,
}

impl Step {
    /// Whether from here on it was not known if an operator has the part, and it was not sent again.
    pub(crate) fn begins_doubt(&self) -> bool {
        &*self.kind == "unanswered" && &*self.detail == "not_repeated"
    }
}

/// What to order a list by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OrderBy {
    /// Time of acceptance (the message id).
    #[default]
    CreateTime,
    /// The contract's externalId.
    ExternalId,
    /// The status number.
    Status,
}

/// A list query. Filters left `None` or empty do not filter.
#[derive(Clone, Debug)]
pub struct SearchQuery {
    /// Whose messages: a query never sees another account's.
    pub account: AccountId,
    /// The contract's externalId: of one message, or as given for a request with several.
    pub external_id: Option<String>,
    /// The recipient.
    pub phone: Option<Phone>,
    /// Any of these senders.
    pub senders: Vec<Sender>,
    /// This status.
    pub status: Option<Status>,
    /// Accepted at or after.
    pub from: Option<UnixMillis>,
    /// Accepted before or at.
    pub to: Option<UnixMillis>,
    /// Ordering key.
    pub order_by: OrderBy,
    /// Newest, or largest, first.
    pub descending: bool,
    /// Rows to skip; up to `domain::limits::OFFSET_MAX`.
    pub offset: u32,
    /// Rows to return; up to `domain::limits::PAGE_ROWS_MAX`.
    pub limit: u32,
    /// Continue after this message instead of skipping; only when ordered by create time.
    pub after: Option<MessageId>,
}

/// One page of a list.
#[derive(Clone, Debug, Default)]
pub struct SearchPage {
    /// The rows in order.
    pub rows: Vec<MessageRecord>,
    /// Where to continue; `None` at the end or when not ordered by create time.
    pub next: Option<MessageId>,
}

/// Where a short link leads, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkTarget {
    /// Whose message it stands in.
    pub account: AccountId,
    /// The contract's externalId of the message.
    pub external_id: Box<str>,
    /// The recipient it was made for.
    pub phone: Phone,
    /// The URL as it was written.
    pub url: Box<str>,
}

/// A query for clicks; newest first.
#[derive(Clone, Debug)]
pub struct ClickQuery {
    /// Whose clicks: a query never sees another account's.
    pub account: AccountId,
    /// Only on links of these messages; empty = all.
    pub messages: Vec<MessageId>,
    /// Whether those of bots and probes are listed too.
    pub with_programs: bool,
    /// Clicked at or after.
    pub from: Option<UnixMillis>,
    /// Clicked before or at.
    pub to: Option<UnixMillis>,
    /// Rows to return; up to `domain::limits::PAGE_ROWS_MAX`.
    pub limit: u32,
    /// Continue after this click.
    pub after: Option<MessageId>,
}

/// A click as it is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClickRecord {
    /// The click.
    pub click: Click,
    /// What was opened; `None` when the message is not kept any more.
    pub target: Option<LinkTarget>,
}

/// One page of clicks.
#[derive(Clone, Debug, Default)]
pub struct ClickPage {
    /// The rows in order.
    pub rows: Vec<ClickRecord>,
    /// Where to continue; `None` at the end.
    pub next: Option<MessageId>,
}

/// How often people opened the links of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClickSum {
    /// The first time.
    pub first_at: Option<UnixMillis>,
    /// How often, over all its links.
    pub clicks: u64,
}

/// A message past its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overdue {
    /// The message.
    pub id: MessageId,
    /// Whose message.
    pub account: AccountId,
    /// New: its validity ran out before it was handed over. Sent: no receipt came in time.
    pub status: Status,
}

/// Where a receipt belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiptMatch {
    /// The message.
    pub id: MessageId,
    /// Part number from 1.
    pub part: u8,
}

/// A query for incoming messages, newest first. Filters left `None` do not filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncomingQuery {
    /// Whose messages; `None` for those that nobody owns.
    pub account: Option<AccountId>,
    /// Who wrote.
    pub phone: Option<Phone>,
    /// The number that was written to.
    pub number: Option<Box<str>>,
    /// The keyword as its owner writes it.
    pub keyword: Option<Box<str>>,
    /// Came at or after.
    pub from: Option<UnixMillis>,
    /// Came before or at.
    pub to: Option<UnixMillis>,
    /// Rows to skip; up to `domain::limits::OFFSET_MAX`.
    pub offset: u32,
    /// Rows to return; up to `domain::limits::PAGE_ROWS_MAX`.
    pub limit: u32,
    /// Continue after this message instead of skipping.
    pub after: Option<MessageId>,
}

impl IncomingQuery {
    /// The newest messages of an account, or of nobody.
    #[must_use]
    pub fn of(account: Option<AccountId>) -> Self {
        Self {
            account,
            phone: None,
            number: None,
            keyword: None,
            from: None,
            to: None,
            offset: 0,
            limit: 100,
            after: None,
        }
    }
}

/// One page of incoming messages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IncomingPage {
    /// The rows, newest first.
    pub rows: Vec<IncomingMessage>,
    /// Where to continue; `None` at the end.
    pub next: Option<MessageId>,
}

/// A query for what a number and a person wrote to each other, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConversationQuery {
    /// Whose conversation.
    pub account: AccountId,
    /// The number.
    pub number: Box<str>,
    /// The person.
    pub phone: Phone,
    /// Rows to return; up to `domain::limits::PAGE_ROWS_MAX`.
    pub limit: u32,
    /// Continue after this message.
    pub after: Option<MessageId>,
}

/// One message of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConversationItem {
    /// The person wrote.
    Incoming(IncomingMessage),
    /// The number wrote.
    Outgoing(Box<MessageRecord>),
}

impl ConversationItem {
    /// The message's id: the conversation is in its order.
    #[must_use]
    pub fn id(&self) -> MessageId {
        match self {
            Self::Incoming(message) => message.id,
            Self::Outgoing(record) => record.id,
        }
    }
}

/// One page of a conversation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConversationPage {
    /// The messages, newest first.
    pub items: Vec<ConversationItem>,
    /// Where to continue; `None` at the end.
    pub next: Option<MessageId>,
}

/// A page of parked receipts.
pub type ParkedReceipts = Vec<ParkedReceipt>;

/// What became of telling an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Telling {
    /// Nobody wanted to be told.
    Unwanted,
    /// To be told, for the first time or again.
    Waiting,
    /// The receiver has it.
    Told,
    /// Given up: it lies in the dead-letter store until it is replayed or too old.
    GivenUp,
}

/// An event and what became of telling it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventRecord {
    /// The event.
    pub event: Event,
    /// What became of it.
    pub telling: Telling,
    /// When the last try ended.
    pub last_try_at: Option<UnixMillis>,
    /// HTTP status of the last try, 0 if none came.
    pub http_status: u16,
}

/// How far somebody has read the events: a place for each lane, since each is written by a thread of its
/// own. What is read in this order is never overtaken by something that comes before it, however late a
/// message had its outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EventCursor(
    /// By [`domain::lane::Lane::index`].
    pub [MessageId; 2],
);

impl EventCursor {
    /// Before everything that was written at or after `moment`.
    #[must_use]
    pub fn at(moment: UnixMillis) -> Self {
        Self([MessageId(MessageId::first_at(moment).0.saturating_sub(1)); 2])
    }

    /// Reads what [`Display`](std::fmt::Display) wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (first, second) = text.split_at_checked(16)?;
        Some(Self([MessageId::from_reference(first)?, MessageId::from_reference(second)?]))
    }
}

impl std::fmt::Display for EventCursor {
    /// 32 lowercase hexadecimal digits.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}{}", self.0[0], self.0[1])
    }
}

/// A part of an account's events, in the order in which they were written.
#[derive(Clone, Debug, Default)]
pub struct EventPage {
    /// The events; there may be none although there are more.
    pub events: Vec<EventRecord>,
    /// Where to go on.
    pub next: EventCursor,
    /// Whether there is more by now.
    pub more: bool,
}

/// Which attempts, newest first.
#[derive(Clone, Debug)]
pub struct AttemptQuery {
    /// Whose attempts.
    pub account: AccountId,
    /// Only those older than this one.
    pub before: Option<i64>,
    /// Only those that were not answered 2xx.
    pub failed_only: bool,
    /// At most so many.
    pub limit: u32,
}

/// Attempts of an account, and how many there were besides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AttemptPage {
    /// Newest first.
    pub records: Vec<AttemptRecord>,
    /// Attempts of the time that is kept which could not be: there were too many at once.
    pub missed: u64,
}

/// A kept attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptRecord {
    /// Names it within the store.
    pub id: i64,
    /// The attempt.
    pub attempt: Attempt,
}

/// What the store says of itself, for metrics and health.
#[derive(Clone, Debug, Default)]
pub struct Health {
    /// False while accepts are refused (disk reserve reached).
    pub accepts: bool,
    /// Free octets on the data disk.
    pub disk_free_octets: u64,
    /// Spans by state: hot, waiting to be sealed, sealed.
    pub spans: [u32; 3],
    /// Batches waiting for the writer, per lane.
    pub queued_batches: [usize; 2],
    /// Commits, per lane.
    pub commits: [u64; 2],
    /// Facts committed, per lane.
    pub facts: [u64; 2],
    /// Time of commits with sync: (upper bound in microseconds, count), cumulative, per lane.
    pub commit_microseconds: [Vec<(u64, u64)>; 2],
    /// Sum of commit times in microseconds, per lane.
    pub commit_microseconds_sum: [u64; 2],
    /// Entries of opt-out lists, and talks with bots that go on.
    pub people: [usize; 2],
    /// Receipts parked without a message.
    pub parked_receipts: usize,
    /// Parked receipts whose message never showed up in their time.
    pub orphans_expired: u64,
    /// Operator ids that were given to another message before.
    pub operator_ids_reused: u64,
    /// Octets in write-ahead logs.
    pub wal_octets: u64,
}
