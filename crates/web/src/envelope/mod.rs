//! The contract's envelope: `meta` in every answer, `data` and `errors` never together unless the
//! status is 207, nothing else at the top level.

mod answer;
mod fault;
mod meta;
mod uniq_id;

pub use answer::Answer;
pub use fault::{Fault, Rejection};
pub use meta::Extra;
pub use uniq_id::{UniqId, UniqIds};
