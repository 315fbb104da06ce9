//! The shapes of questions and their answers.

use domain::clock::UnixMillis;
use domain::fact::ParkedReceipt;
use domain::id::{AccountId, CarrierId, KeyId, MessageId};
use domain::money::Money;
use domain::phone::Phone;
use domain::sender::Sender;
use domain::state::{Part, Status};
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
    /// The text.
    pub text: Box<str>,
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
    /// The carrier it was planned for.
    pub carrier: CarrierId,
    /// Its parts in order.
    pub parts: Vec<Part>,
}

/// One line of a message's history, oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// When.
    pub at: UnixMillis,
    /// Stable word: `submitted`, `refused`, `unanswered`, `receipt`, `ended`, `cancelled`, `purged`, `told`.
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

/// A page of parked receipts.
pub type ParkedReceipts = Vec<ParkedReceipt>;

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
    /// Receipts parked without a message.
    pub parked_receipts: usize,
    /// Parked receipts whose message never showed up in their time.
    pub orphans_expired: u64,
    /// Operator ids that were given to another message before.
    pub operator_ids_reused: u64,
    /// Octets in write-ahead logs.
    pub wal_octets: u64,
}
