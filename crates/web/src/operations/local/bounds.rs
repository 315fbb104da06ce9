//! Bounds of the socket.

use std::time::Duration;

/// Callers at a time; further ones are closed at once. A person uses one or two.
pub(super) const CALLERS_MAX: usize = 16;
/// Octets of one line: a request holds a few names and a reason.
pub(super) const LINE_OCTETS_MAX: u64 = 64 * 1024;
/// How long a request may take to arrive, and a line to be taken.
pub(super) const LINE_TIME: Duration = Duration::from_secs(10);
/// Octets of a path that a socket address can hold (`sun_path` of unix(7), less its closing NUL).
pub(super) const SOCKET_PATH_OCTETS_MAX: usize = 107;
