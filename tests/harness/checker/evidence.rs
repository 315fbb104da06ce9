//! All the books of a run.

use crate::dump::Shown;
use crate::ledger::Asked;
use crate::operator::{ReceiptGiven, Submitted};
use crate::sink::Told;
use crate::spans::Stored;

/// What everybody wrote down.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// The clients.
    pub asked: Vec<Asked>,
    /// The operator: submits answered ESME_ROK.
    pub submitted: Vec<Submitted>,
    /// The operator: receipts.
    pub receipts: Vec<ReceiptGiven>,
    /// The webhook sink.
    pub told: Vec<Told>,
    /// The API, after the quiet period.
    pub shown: Vec<Shown>,
    /// The span files, after the stop; None = not looked at.
    pub stored: Option<Vec<Stored>>,
    /// Sum of the windows of all binds.
    pub in_flight_max: usize,
    /// Whether everything had the time to reach a final state.
    pub settled: bool,
    /// Whether every outcome had to be told to the sink.
    pub all_told: bool,
}
