//! An operator's message centre that lives in the test: it keeps its books while the server dies and comes back.
//! Read from SMPP 3.4 directly, with nothing shared with the platform's own codec.

mod alphabet;
mod behaviour;
mod books;
pub mod pdu;
mod receipts;
mod service;
mod session;

pub use behaviour::{Behaviour, receipt_word};
pub use books::{Books, ReceiptGiven, Submitted, Written};
pub use service::Operator;
pub use session::DELIVER_WINDOW;
