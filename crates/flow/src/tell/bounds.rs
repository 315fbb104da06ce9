//! Bounds of this stage beyond those of [`domain::limits`].

use std::time::Duration;

/// Events waiting in memory in all; beyond it endpoints keep only [`EVENTS_GUARANTEED`] each and the rest
/// is read from the store when there is room.
pub const EVENTS_IN_MEMORY_MAX: usize = 200_000;
/// Events that every endpoint may hold whatever the others hold, so that nobody is crowded out.
pub const EVENTS_GUARANTEED: usize = 100;
/// Events held for an endpoint that fails: it will not need them soon.
pub const EVENTS_OF_FAILING_MAX: usize = 1_000;
/// An endpoint with events left in the store is filled up when it falls below this.
pub const REFILL_BELOW: usize = 5_000;
/// What a start finds untold and never failed may have been on its way when the program broke off. So many
/// of an endpoint's events go alone then, under the name that a call with this one event had; a longer
/// queue goes in full calls as usual.
pub const ALONE_AFTER_START_MAX: usize = 100;
/// Events read from the store at a time.
pub const PAGE_EVENTS: usize = 1_000;
/// Calls of one endpoint and lane that failed and wait for another try; beyond it nothing new is begun.
pub const FROZEN_CALLS_MAX: usize = 1_000;
/// Events in those calls and in calls that are in progress; beyond it nothing new is begun.
pub const FROZEN_EVENTS_MAX: usize = 10_000;
/// Calls within a minute from which on an endpoint is judged.
pub const CALLS_TO_JUDGE: u32 = 5;
/// A call that takes longer than this is slow, even if it succeeds.
pub const SLOW_CALL: Duration = Duration::from_secs(10);
/// Pause between two probes of an endpoint that is down.
pub const PROBE_PAUSE: Duration = Duration::from_secs(10);
/// Calls are counted in stretches of this length …
pub const HEALTH_BUCKET: Duration = Duration::from_secs(10);
/// … of which so many, the last minute, say how an endpoint does.
pub const HEALTH_BUCKETS: usize = 6;
/// Calls in progress to an endpoint that nothing is known of yet.
pub const CALLS_AT_FIRST: usize = 10;
/// First pause between calls after a 429; each further one doubles it, successes take it back bit by bit.
pub const GAP_MIN: Duration = Duration::from_millis(100);
/// Longest pause between calls that 429s lead to.
pub const GAP_MAX: Duration = Duration::from_secs(10);
/// Calls that an endpoint may make in one turn, however small they are.
pub const CALLS_PER_TURN_MAX: usize = 5;
/// An endpoint that has done nothing but fail for so long is warned of …
pub const WARN_AFTER_MS: i64 = 3_600_000;
/// … and once more after a day.
pub const WARN_AGAIN_AFTER_MS: i64 = 24 * 3_600_000;
/// An endpoint that has done nothing but fail for five days is not called any more …
pub const OFF_AFTER_MS: i64 = 5 * 24 * 3_600_000;
/// … if it failed at least so often.
pub const OFF_AFTER_FAILURES: u32 = 20;
/// Longest time an endpoint's wish to be left alone (429 or 503 with `Retry-After`) holds all its calls.
pub const HOLD_MAX: Duration = Duration::from_secs(3_600);
/// Longest `Retry-After` that is honoured for a call.
pub const RETRY_AFTER_MAX_MS: i64 = 24 * 3_600_000;
/// A call that is not full begins at least this long after the one before; while calls are in progress
/// events gather this long times the number of calls. A stream of events is so told in hundreds of calls
/// a second instead of thousands, at a cost of a few milliseconds.
pub const GATHER: Duration = Duration::from_millis(5);
/// Ended calls waiting to be recorded, per lane; beyond it calls wait before they end.
pub const RECORDS_WAITING_MAX: usize = 4_096;
/// Ends of calls are recorded together until they hold so many events: enough that thousands of small calls are
/// done in one commit, and few enough that full calls leave room in it for what others record.
pub const EVENTS_PER_RECORD: usize = domain::limits::COMMIT_FACTS_MAX / 2;
/// Pause before the store is asked again after it refused.
pub const STORE_RETRY: Duration = Duration::from_secs(1);
/// How often it is looked for events left in the store although nobody said that there is room.
pub const LOOK_AGAIN: Duration = Duration::from_secs(30);
/// Events told while a page was read; beyond it the page is read again.
pub const TOLD_DURING_READ_MAX: usize = 100_000;
/// Endpoints in trouble that are remembered; the trouble of further ones is only known while they are active.
pub const TROUBLES_MAX: usize = 10_000;
/// Time for one name look-up.
pub const LOOK_UP: Duration = Duration::from_secs(3);
/// Addresses of one name that are taken.
pub const ADDRESSES_MAX: usize = 16;
/// Name look-ups at a time: each holds a thread until the system gives up.
pub const LOOK_UPS_MAX: usize = 64;
/// Octets of response headers.
pub const ANSWER_HEADER_OCTETS_MAX: usize = 16 * 1024;
/// Informational answers (1xx, RFC 9110 §15.2) before the one that counts: a server has reason to send one or two, and an
/// endless stream of them would cost work until the deadline.
pub const INFORMATIONAL_ANSWERS_MAX: usize = 16;
/// How long an unused connection is kept.
pub const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// Characters of an answer kept with a failed try.
pub const EXCERPT_CHARACTERS_MAX: usize = 200;
/// How often attempts are handed to the store.
pub const LAB_FLUSH: Duration = Duration::from_secs(1);
/// They are handed over before that when there are so many.
pub const LAB_FLUSH_ATTEMPTS: usize = 1_000;
/// Attempts gathered at most while the store is busy with those before; further ones are only counted.
pub const LAB_ATTEMPTS_MAX: usize = 5_000;
/// Of these, successes take at most so many: they must not crowd out the failures that somebody looks for.
pub const LAB_SUCCESSES_MAX: usize = 4_000;
/// Octets of an answer's body that tenants get to see: more would let them read what is not theirs.
pub const ANSWER_SHOWN_OCTETS_MAX: usize = 1_024;
