//! When a carrier counts as in trouble, and how fast its share moves.

/// Shares a carrier may have, in hundredths. One step at a time, so that no carrier gets everything at once.
pub(super) const STEPS: [u8; 5] = [0, 10, 25, 50, 100];

/// How often carriers are looked at.
pub(super) const TICK_MS: i64 = 100;
/// Without any bind for this long a carrier is down: shorter than what an OTP bears, longer than a rebind.
pub(super) const DOWN_AFTER_MS: i64 = 800;
/// A carrier that has just been started may take this long to bind before it counts as down.
pub(super) const STARTING_MS: i64 = 3_000;

/// What counts as evidence is no older than this, by lane: bulk by a longer memory than codes.
pub(super) const EVIDENCE_MS: [i64; 2] = [3_000, 10_000];
/// A share goes down one step at most this often, by lane.
pub(super) const STEP_DOWN_MS: [i64; 2] = [1_000, 5_000];
/// A share goes up one step when the carrier did well for this long, by lane.
pub(super) const STEP_UP_MS: [i64; 2] = [3_000, 10_000];
/// Evidence is weighed from this many answers on: fewer prove nothing.
pub(super) const ANSWERS_MIN: u64 = 20;
/// Failed answers in hundredths from which a carrier does badly, and up to which it does well. The gap
/// between them is the hysteresis.
pub(super) const FAILED_BAD: u64 = 20;
pub(super) const FAILED_GOOD: u64 = 5;
/// Mean time to an answer from which a carrier is slow, and up to which it is not.
pub(super) const ANSWER_BAD_MS: u64 = 5_000;
pub(super) const ANSWER_GOOD_MS: u64 = 2_000;
/// While a carrier has no share, one message per lane goes over it this often to see how it does.
pub(super) const PROBE_EVERY_MS: i64 = 5_000;

/// One message in this many is watched for its receipt.
pub(super) const RECEIPT_SAMPLE: i64 = 16;
/// Messages watched for their receipts at a time.
pub(super) const RECEIPTS_WATCHED_MAX: usize = 256;
/// A receipt that takes longer counts as slow, and so does one that has not come for so long.
pub(super) const RECEIPT_SLOW_MS: i64 = 180_000;
/// Watched receipts from which on their times are weighed.
pub(super) const RECEIPTS_MIN: usize = 20;
/// Slow receipts in hundredths from which a carrier does badly, and up to which it does well: some
/// handsets are always off.
pub(super) const RECEIPTS_BAD: usize = 60;
pub(super) const RECEIPTS_GOOD: usize = 30;
/// The last receipts whose times are remembered.
pub(super) const RECEIPTS_REMEMBERED: usize = 64;

const _: () = assert!(FAILED_GOOD < FAILED_BAD && ANSWER_GOOD_MS < ANSWER_BAD_MS && RECEIPTS_GOOD < RECEIPTS_BAD);
