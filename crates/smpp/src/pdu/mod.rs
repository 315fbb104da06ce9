//! PDUs (SMPP 3.4 §4), borrowed from the frame they stand in.
//!
//! Decoding is forgiving: [`decode`] gives [`Decoded::Parsed`] with the [`Quirks`] it met, or [`Decoded::Damaged`] with
//! the raw frame. Values are octets, not text: alphabets are the business of whoever knows the operator.

mod bind;
mod decode;
mod message;
mod other;
mod quirks;

pub use bind::{Bind, BindMode, BindResp, Outbind};
pub use decode::{Damage, Decoded, Pdu, decode};
pub use message::{Address, DataSm, DeliverSm, MessageIdResp, Sm, SubmitSm, message_id_of};
pub use other::{AlertNotification, CancelSm, QuerySm, QuerySmResp, ReplaceSm};
pub use quirks::Quirks;
