//! Bounds of number portability, with the reason for each.

use std::time::Duration;

/// How long a message of the Priority lane waits for the network of its recipient at most: a code must be
/// with its operator within a fraction of a second, and the range is right for most numbers.
pub(super) const PRIORITY_WAIT: Duration = Duration::from_millis(100);
/// How long any other request waits for the networks of all its recipients.
pub(super) const STANDARD_WAIT: Duration = Duration::from_secs(2);
/// Calls in progress for the Priority lane: nobody else gets them, so codes never stand behind a campaign.
pub(super) const PRIORITY_CALLS_MAX: usize = 16;
/// Calls in progress for everything else.
pub(super) const STANDARD_CALLS_MAX: usize = 32;
/// Octets of an answer that are read: one is a few hundred.
pub(super) const ANSWER_OCTETS_MAX: usize = 16 * 1024;
/// Octets of the headers of an answer.
pub(super) const ANSWER_HEADER_OCTETS_MAX: usize = 16 * 1024;
/// How long an idle connection to the service is kept.
pub(super) const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// Calls that fail one after the other before the service is left alone.
pub(super) const FAILURES_MAX: u32 = 5;
/// How long it is left alone before one call tries how it does.
pub(super) const PAUSE: Duration = Duration::from_secs(10);
/// How often a file is looked at for changes.
pub(super) const FILE_TICK: Duration = Duration::from_secs(5);
/// Numbers a file may hold: every number of a large country that was ever ported, at 12 octets each.
pub(super) const FILE_NUMBERS_MAX: usize = 50_000_000;
/// Octets of a line of a file: two numbers and a comma take 22.
pub(super) const FILE_LINE_OCTETS_MAX: u64 = 256;
