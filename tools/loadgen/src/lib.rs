//! Open-loop and closed-loop load on `POST /v2.1/sms` with latency histograms, made to share its machine with the
//! server it measures.
//!
//! - [`LoadOptions`] says what to send and how fast; [`start`] runs it on a thread of its own and returns [`Running`].
//! - [`Report`] is the result: counts, rates, latencies, and what the load cost this side.
//! - [`Answered`] is what a ledger is told of every request, answered or not.
//! - [`bare`] is the other end: a server that answers everything at once, to find the ceiling of the machine.
//!
//! In the open loop request `n` is planned for `start + n / rate` whatever the server does, and its latency counts from
//! there: a server that stalls is charged for everyone who waited, not only for those it let in.

pub mod bare;

mod connection;
mod cpu;
mod error;
mod ledger;
mod options;
mod pace;
mod plan;
mod progress;
mod report;
mod request;
mod response;
mod run;
mod tally;

pub use cpu::{CpuTime, process_cpu, thread_cpu};
pub use error::LoadError;
pub use ledger::{Answered, Ledger};
pub use options::LoadOptions;
pub use progress::{Progress, watch};
pub use report::{LatencySummary, Report};
pub use run::{Running, start};
