//! Every bound of the platform, with the reason for its figure.

/// Recipients in one request (API contract).
pub const RECIPIENTS_PER_REQUEST_MAX: usize = 10_000;
/// Parts of one message (API contract).
pub const PARTS_PER_MESSAGE_MAX: u8 = 9;
/// Characters of an `externalId` (API contract).
pub const EXTERNAL_ID_LENGTH_MAX: usize = 64;
/// Characters of an `Idempotency-Key`.
pub const IDEMPOTENCY_KEY_LENGTH_MAX: usize = 255;
/// Characters that force UCS-2 shown by a preview: enough to correct a text by.
pub const FORCING_CHARACTERS_SHOWN_MAX: usize = 100;
/// Validity of a message in minutes, also its default (API contract).
pub const VALIDITY_MINUTES_MAX: u32 = 4320;
/// How far ahead a message may be scheduled (API contract: 90 days).
pub const SCHEDULE_AHEAD_SECONDS_MAX: i64 = 90 * 86_400;
/// How long a repeated externalId or Idempotency-Key is recognised (API contract: 48 hours).
pub const IDEMPOTENCY_LIFE_MS: i64 = 48 * 3_600_000;
/// Characters of a URL given by a client.
pub const URL_LENGTH_MAX: usize = 2_048;
/// Links that one message with `shortLink` may hold: ten are more than fit into nine parts with any text.
pub const LINKS_PER_MESSAGE_MAX: usize = 10;

/// Octets of a request body, before and after decompression: 10,000 numbers with room to spare.
pub const BODY_OCTETS_MAX: usize = 10 * 1024 * 1024;
/// How much a body may grow when decompressed; text compresses 10:1, bombs 1000:1.
pub const DECOMPRESSION_RATIO_MAX: usize = 20;
/// Bodies below this size may grow beyond the ratio: tiny repetitive requests are honest.
pub const DECOMPRESSION_RATIO_FREE_OCTETS: usize = 64 * 1024;
/// Octets of request headers.
pub const HEADER_OCTETS_MAX: usize = 16 * 1024;
/// Number of request headers.
pub const HEADERS_MAX: usize = 64;
/// How long a client may take to send its headers.
pub const HEADER_READ_MS: u64 = 8_000;
/// How long a client may take to send its body.
pub const BODY_READ_MS: u64 = 15_000;
/// How long a TLS handshake may take.
pub const TLS_HANDSHAKE_MS: u64 = 10_000;
/// Open HTTP connections in all.
pub const CONNECTIONS_MAX: usize = 8_192;
/// Open HTTP connections from one address.
pub const CONNECTIONS_PER_ADDRESS_MAX: usize = 1_024;
/// Streams on one HTTP/2 connection.
pub const STREAMS_PER_CONNECTION_MAX: u32 = 200;
/// How long a stop waits for requests in progress and for answers of operators.
pub const DRAIN_MS: u64 = 10_000;

/// How long a request may take to become durable; then the client is told to repeat it, before its own patience (mostly
/// 10 to 30 s) ends without an answer. In milliseconds.
pub const ACCEPT_DURABLE_MS: u64 = 5_000;

/// Fact batches waiting for the writer of a lane; beyond it requests get 503.
pub const STORE_QUEUE_BATCHES: usize = 8_192;
/// Facts in one commit: keeps a commit, and so the wait of the next, short.
pub const COMMIT_FACTS_MAX: usize = 4_096;
/// Recipients of a large request that one commit takes at most, so that a small one gets its turn.
pub const COMMIT_ROWS_MAX: usize = 20_000;
/// Messages in a hot span before it is sealed.
pub const SPAN_MESSAGES_MAX: u64 = 500_000;
/// Age of a hot span before it is sealed.
pub const SPAN_AGE_MS: i64 = 3_600_000;
/// Room kept free on the disk for receipts and state changes: below it accepts get 503.
pub const DISK_RESERVE_OCTETS: u64 = 64 * 1024 * 1024;
/// Rows one page of a list may hold (API contract).
pub const PAGE_ROWS_MAX: u32 = 1_000;
/// How deep `offset` may go; beyond it a cursor is the way.
pub const OFFSET_MAX: u32 = 100_000;

/// Recipients that may get one text with a link over the Priority lane within an hour: more is no code.
pub const EQUAL_CODES_MAX: usize = 100;
/// Texts with links counted at a time, at about 50 octets each.
pub const CODE_TEXTS_MAX: usize = 100_000;
/// Codes remembered that a newer one to the same number may take back, at about 50 octets each.
pub const NEWEST_CODES_MAX: usize = 100_000;
/// Messages per hour that a request may ask for at most: one per millisecond.
pub const MESSAGES_PER_HOUR_MAX: i64 = 3_600_000;
/// Recipients of a request that are sorted out at once; larger requests go to a thread of their own, one at
/// a time, so that they hold up nobody else.
pub const RECIPIENTS_AT_ONCE_MAX: usize = 500;
/// How long after its acceptance a one-time code is worth sending twice rather than not at all.
pub const CODE_USEFUL_MS: i64 = 60_000;
/// How long a transactional message whose outcome is not known waits for a receipt before it is sent again.
pub const REPEAT_AFTER_MS: i64 = 5_000;
/// How long before its outcome was found to be unknown a part may have been written: the time for an
/// answer, twice.
pub const SUBMIT_WINDOW_MS: i64 = 60_000;
/// How long a code may stay unanswered before another bind sends it too: it is to be out by that one within two seconds.
pub const HEDGE_AFTER_MS: u64 = 1_800;
/// Parts of unknown outcome that a receipt may still be matched to by recipient and sender; of what
/// comes beyond, a receipt is only matched by its id.
pub const DOUBTS_MAX: usize = 100_000;
/// Messages of one line (lane and carrier) held in memory, over all accounts; an account alone may have
/// half of them. The rest stays in the store.
pub const LINE_MESSAGES_MAX: usize = 20_000;
/// Messages of an account fetched from the store at a time.
pub const REFILL_MESSAGES: usize = 5_000;
/// Messages moved from one line to another in one commit, so that a move of many lets others commit between.
pub const MOVED_AT_ONCE: usize = 2_000;
/// Routes with their carriers that are counted apart in the metrics: more lines than that no scraper likes.
pub const WAYS_COUNTED_MAX: usize = 2_000;
/// The same for pairs of carriers between which messages moved, by lane and reason.
pub const MOVES_COUNTED_MAX: usize = 1_000;
/// Prefixes in the table of number ranges: all countries' ranges several times over.
pub const NUMBER_RANGES_MAX: usize = 500_000;
/// How long a receipt without a message is kept (72 hours).
pub const PARKED_RECEIPT_LIFE_MS: i64 = 72 * 3_600_000;
/// Parked receipts held for matching in memory; the rest is in the store.
pub const PARKED_RECEIPTS_IN_MEMORY_MAX: usize = 200_000;
/// Digits of an operator's id up to which it is read as a number of another base: four times the 65 octets of
/// SMPP. Longer ids are matched as they are; the work grows with the square of the length.
pub const OPERATOR_ID_CONVERTED_DIGITS_MAX: usize = 260;
/// Receipts of a carrier from which it is learnt how it writes its ids.
pub const ID_LEARNING_RECEIPTS: u32 = 200;
/// Messages that hold one and the same operator id, as far as memory knows them: an operator that reuses ids.
pub const OPERATOR_ID_HOLDERS_MAX: usize = 8;
/// How long after its validity a message may still get its receipt before it counts as unknown.
pub const RECEIPT_GRACE_MS: i64 = 3_600_000;

/// PDUs waiting for someone who looks at them; beyond it they are missed and counted.
pub const TRACE_FRAMES_MAX: usize = 2_000;
/// People who look at PDUs at a time.
pub const TRACES_MAX: usize = 8;
/// Requests whose answers a look at one number waits for.
pub const TRACED_REQUESTS_MAX: usize = 10_000;
/// Octets of a PDU that are shown: a message of the longest payload would hold the queue's memory otherwise.
pub const TRACED_FRAME_OCTETS_MAX: usize = 4_096;
/// How long a look at PDUs lasts at most, in seconds: a forgotten one ends by itself.
pub const TRACE_SECONDS_MAX: u32 = 3_600;

/// Long messages of one sender that may wait for parts at a time; the oldest is told as far as it came.
pub const OPEN_GROUPS_PER_SOURCE_MAX: usize = 1_000;
/// Long messages that may wait for parts in all: about 20 MiB beside their texts.
pub const OPEN_GROUPS_MAX: usize = 50_000;
/// Octets of parts that may wait in memory.
pub const OPEN_GROUP_OCTETS_MAX: usize = 32 * 1024 * 1024;
/// Incomplete messages remembered for parts that come late.
pub const TOLD_GROUPS_MAX: usize = 50_000;
/// How long a part may come late.
pub const LATE_PART_LIFE_MS: i64 = 24 * 3_600_000;
/// Whole messages remembered, to recognise parts that an operator repeats.
pub const JOINED_GROUPS_MAX: usize = 50_000;
/// How long they are: operators repeat what was not answered within a minute or so.
pub const JOINED_LIFE_MS: i64 = 600_000;
/// Parts read back at a start.
pub const JOIN_PARTS_READ_MAX: usize = 200_000;
/// Least and most minutes that parts may be awaited: a day, the time in which they may come late.
pub const JOIN_MINUTES_MIN: u32 = 1;
/// See [`JOIN_MINUTES_MIN`].
pub const JOIN_MINUTES_MAX: u32 = 1_440;
/// Tasks that answer people; each answers many at once, one person's messages in order.
pub const TALKERS: usize = 8;
/// Messages waiting for one of them; beyond it the operator's request is answered later.
pub const TALKER_QUEUE_MAX: usize = 4_096;
/// Messages it answers at once.
pub const TALKER_BATCH: usize = 256;
/// Messages left unanswered that are read at a time.
pub const UNHANDLED_READ_MAX: usize = 10_000;
/// How late a message is still answered: later an answer only puzzles.
pub const ANSWER_LATE_MAX_MS: i64 = 3_600_000;
/// Talks ended by time that are looked at in one tick.
pub const DUE_TALKS_AT_ONCE: usize = 1_000;
/// Answers to one message.
pub const ANSWERS_PER_MESSAGE_MAX: usize = 10;
/// Answers of one number to one person within [`PAIR_WINDOW_MS`]; more is two machines talking.
pub const ANSWERS_PER_PAIR_MAX: u32 = 60;
/// See [`ANSWERS_PER_PAIR_MAX`].
pub const PAIR_WINDOW_MS: i64 = 3_600_000;
/// Answers of one account to one person within [`PERSON_WINDOW_MS`].
pub const ANSWERS_PER_PERSON_MAX: u32 = 20;
/// See [`ANSWERS_PER_PERSON_MAX`].
pub const PERSON_WINDOW_MS: i64 = 60_000;
/// The same text so many times in a row is a machine.
pub const SAME_TEXT_IN_A_ROW_MAX: u32 = 5;
/// People whose answers are counted at a time.
pub const GUARDED_PEOPLE_MAX: usize = 100_000;
/// Size of a bot's compiled pattern: keeps its time and memory small whatever it is.
pub const BOT_PATTERN_OCTETS_MAX: usize = 256 * 1024;
/// Steps of a flow that follow each other without an answer.
pub const BOT_STEPS_AT_ONCE_MAX: usize = 10;
/// Opt-outs an account may add; those that people ask for are always kept.
pub const OPT_OUTS_PER_ACCOUNT_MAX: usize = 1_000_000;
/// Waits between tries that one endpoint may have.
pub const RETRIES_MAX: usize = 50;
/// Longest wait between two tries, in seconds (7 days).
pub const RETRY_SECONDS_MAX: u64 = 7 * 86_400;
/// Longest time for which secrets overlap, in hours (7 days).
pub const SECRET_OVERLAP_HOURS_MAX: u32 = 168;

/// Events in one webhook call (API contract: an array).
pub const EVENTS_PER_CALL_MAX: usize = 100;
/// Events waiting in memory per endpoint; the rest stays in the store.
pub const EVENTS_PER_ENDPOINT_MAX: usize = 10_000;
/// Calls in progress to one endpoint.
pub const CALLS_PER_ENDPOINT_MAX: usize = 50;
/// Calls in progress in all.
pub const CALLS_MAX: usize = 500;
/// Endpoints known at a time: the accounts' own and those named by requests.
pub const ENDPOINTS_MAX: usize = 10_000;
/// One deadline over connect, TLS, headers and body of a call.
pub const CALL_DEADLINE_MS: u64 = 15_000;
/// Time to connect, and again to agree on TLS.
pub const CALL_CONNECT_MS: u64 = 5_000;
/// Octets of an answer that are read; the status counts all the same.
pub const CALL_ANSWER_OCTETS_MAX: usize = 64 * 1024;

const _: () = assert!(REFILL_MESSAGES <= LINE_MESSAGES_MAX / 4);
// Each with the refusal that made it move.
const _: () = assert!(MOVED_AT_ONCE * 2 <= COMMIT_FACTS_MAX);
const _: () = assert!(RECIPIENTS_PER_REQUEST_MAX <= COMMIT_ROWS_MAX);
