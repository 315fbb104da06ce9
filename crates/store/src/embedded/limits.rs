//! Bounds of the embedded backend, with the reason for each figure.

/// Messages of a lane that the writer knows without asking the file: a few seconds of full speed
/// until the receipt, at about 250 octets each.
pub(crate) const LIVE_MESSAGES_MAX: usize = 65_536;
/// Steps kept of one message: an operator that repeats a receipt for ever must not fill the disk.
pub(crate) const STEPS_PER_MESSAGE_MAX: u16 = 250;
/// Spans a lane's writer keeps open: late receipts are spread over the validity of 72 hours.
pub(crate) const WRITE_CONNECTIONS_MAX: usize = 12;
/// Idle connections kept for questions, over all spans, at up to 1 MiB of cache each.
pub(crate) const READ_CONNECTIONS_MAX: usize = 24;
/// Threads that answer short questions: receipts, refills, single messages.
pub(crate) const PROMPT_READERS: usize = 2;
/// Threads that answer lists, so that a slow list never keeps a receipt waiting.
pub(crate) const PATIENT_READERS: usize = 2;
/// Questions waiting for a reader; beyond it they are refused.
pub(crate) const QUESTIONS_WAITING_MAX: usize = 4_096;
/// Time a question may take once it has begun, in milliseconds.
pub(crate) const QUESTION_MS: u64 = 5_000;
/// Virtual machine steps between two looks at the clock.
pub(crate) const QUESTION_CHECK_STEPS: i32 = 20_000;
/// Log length from which it is copied back.
pub(crate) const WAL_CHECKPOINT_OCTETS: u64 = 32 * 1024 * 1024;
/// Log length at which the writer waits until it is copied back.
pub(crate) const WAL_OCTETS_MAX: u64 = 128 * 1024 * 1024;
/// Spans of a lane that wait to be sealed; beyond it sealing no longer waits for them to come to rest.
pub(crate) const UNSEALED_SPANS_MAX: usize = 3;
/// How long sealing waits for a span to come to rest, in milliseconds.
pub(crate) const SEAL_WAIT_MAX_MS: i64 = 300_000;
/// A span smaller than this is not closed for its age alone, so that quiet systems have few files.
pub(crate) const SPAN_MESSAGES_MIN: u64 = 20_000;
/// How many times the usual age closes even a small span.
pub(crate) const SMALL_SPAN_AGES: i64 = 24;
/// Filters held in memory, over all spans; the rest is read when asked.
pub(crate) const FILTER_OCTETS_MAX: u64 = 96 * 1024 * 1024;
/// Keys a sealed span got since its filter was made; beyond it the filter is made anew.
pub(crate) const LATE_KEYS_MAX: usize = 65_536;
/// Operator ids of messages in sealed spans held in memory: the receipts of some seconds at full speed, at
/// about 50 octets each.
pub(crate) const LATE_OPERATOR_KEYS_MAX: usize = 131_072;
/// How long after the end of a span a receipt without anything open in it is still looked up there.
pub(crate) const RECEIPT_LOOK_BACK_MS: i64 = 10 * 86_400_000;
/// Messages looked at for one page of a list in a span without indexes, when no index helps.
pub(crate) const EXPIRING_LOOKED_AT_MAX: usize = 10_000;
/// Messages of an account that are looked up one by one to find those that wait; where there are more,
/// one walk over the file is cheaper.
pub(crate) const WAITING_LOOKED_UP_MAX: usize = 20_000;
/// How often the keeper looks round, in milliseconds.
pub(crate) const KEEPER_TICK_MS: u64 = 20;
/// Facts a lane's writer puts aside while an index is built on their file; beyond it the lane waits.
pub(crate) const ASIDE_FACTS_MAX: usize = 20_000;
/// Places of events looked at in one span for one page, when most of them are other accounts'.
pub(crate) const PLACES_LOOKED_AT_MAX: usize = 100_000;
/// How long an event that was given up is kept for replay, even in a span that is older than messages are kept.
pub(crate) const DEAD_LETTER_LIFE_MS: i64 = 14 * 86_400_000;
/// How much longer than messages are kept a span may stay for the sake of its events: the last try of an
/// event comes at most a few days after it, the dead letter lives 14 days more.
pub(crate) const EVENTS_HOLD_MAX_MS: i64 = 30 * 86_400_000;
