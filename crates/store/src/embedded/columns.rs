//! How the mutable columns of messages and parts look, and their sums.

use domain::operator_id::match_key;
use domain::state::{Part, Progress};

use super::sum::RowSum;

/// The columns of one part, as in the message row or in a row of its own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PartColumns<'a> {
    pub state: i64,
    pub carrier: Option<i64>,
    pub taken_at: Option<i64>,
    pub operator_id: Option<&'a str>,
    pub canonical_id: Option<&'a str>,
    pub operator_key: Option<i64>,
}

/// The columns of a message that change.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StateColumns<'a> {
    pub status: i64,
    pub status_at: i64,
    pub error: Option<&'a str>,
    pub steps: i64,
    pub part: PartColumns<'a>,
}

fn filled(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

impl<'a> PartColumns<'a> {
    /// A part nothing has happened to, and the columns of messages whose parts have their own rows.
    pub const NONE: Self =
        Self { state: 0, carrier: None, taken_at: None, operator_id: None, canonical_id: None, operator_key: None };

    /// The columns of `part`.
    pub fn of(part: &'a Part) -> Self {
        let canonical = filled(&part.canonical_id);
        Self {
            state: i64::from(part.state.code()),
            carrier: (part.carrier.0 != 0).then_some(i64::from(part.carrier.0)),
            taken_at: part.taken_at.map(|at| at.0),
            operator_id: filled(&part.operator_id),
            canonical_id: canonical.filter(|canonical| *canonical != &*part.operator_id),
            operator_key: canonical.map(|canonical| match_key(part.carrier, canonical)),
        }
    }

    fn add_to(&self, sum: &mut RowSum) {
        sum.int(self.state)
            .opt_int(self.carrier)
            .opt_int(self.taken_at)
            .opt_text(self.operator_id)
            .opt_text(self.canonical_id)
            .opt_int(self.operator_key);
    }

    /// Sum of a row in `part`.
    pub fn sum(&self, message_id: i64, number: i64, sum: &mut RowSum) -> i64 {
        sum.begin().int(message_id).int(number);
        self.add_to(sum);
        sum.finish()
    }
}

impl<'a> StateColumns<'a> {
    /// The columns for `progress` after `steps` steps.
    pub fn of(progress: &'a Progress, steps: u16) -> Self {
        let part = match progress.parts.as_slice() {
            [only] => PartColumns::of(only),
            _ => PartColumns::NONE,
        };
        Self {
            status: i64::from(progress.status.code()),
            status_at: progress.status_at.0,
            error: filled(&progress.error),
            steps: i64::from(steps),
            part,
        }
    }

    /// The `state_sum` of message `id`.
    pub fn sum(&self, id: i64, sum: &mut RowSum) -> i64 {
        sum.begin().int(id).int(self.status).int(self.status_at).opt_text(self.error).int(self.steps);
        self.part.add_to(sum);
        sum.finish()
    }
}
