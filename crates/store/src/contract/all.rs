//! The list of all cases.

use super::fixture::Case;
use super::{accepting, clicking, events, incoming, listing, receipts, rerouting, telling, waiting};

/// All cases by name.
#[must_use]
pub fn cases() -> Vec<(&'static str, Case)> {
    [
        accepting::CASES,
        waiting::CASES,
        rerouting::CASES,
        receipts::CASES,
        telling::CASES,
        events::CASES,
        clicking::CASES,
        listing::CASES,
        incoming::CASES,
    ]
    .concat()
}
