//! The GSM 7-bit alphabet with national language tables (3GPP TS 23.038 §6.2.1.2 and annex A): a locking shift table
//! stands for the whole default alphabet, a single shift table for its extension. Which ones hold is said in the user
//! data header of every part, three octets for each (3GPP TS 23.040 §9.2.3.24.15 and §9.2.3.24.16).

mod language;
mod shift;
mod table;

pub use language::Language;
pub use shift::{LOCKING_SHIFT, SINGLE_SHIFT, Shift};
