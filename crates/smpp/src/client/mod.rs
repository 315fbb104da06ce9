//! The ESME end: connect, bind, and run one session that pulls its work from a [`ClientHandler`].
//!
//! ```no_run
//! use smpp::client::{ClientHandler, ClientSession, SubmitBatch, connect};
//! use smpp::pdu::{Bind, BindMode};
//! use smpp::session::{Answers, OutcomeBatch, RequestBatch, SessionOptions};
//!
//! struct Idle;
//! impl ClientHandler for Idle {
//!     fn pull(&mut self, _batch: &mut SubmitBatch<'_>) {}
//!     fn outcomes(&mut self, _outcomes: &OutcomeBatch) {}
//!     fn delivers(&mut self, _delivers: RequestBatch, _answers: &mut Answers<'_>) {}
//! }
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let stream = connect("127.0.0.1", 2775, &Default::default()).await?;
//! let bind = Bind {
//!     mode: BindMode::Transceiver,
//!     system_id: b"us",
//!     password: b"secret",
//!     system_type: b"",
//!     interface_version: 0x34,
//!     addr_ton: 0,
//!     addr_npi: 0,
//!     address_range: b"",
//! };
//! let session = ClientSession::bind(stream, &bind, SessionOptions::default()).await?;
//! let handle = session.handle();
//! let running = tokio::spawn(session.run(Idle));
//! handle.drain();
//! println!("{}", running.await?);
//! # Ok(())
//! # }
//! ```

mod connect;
mod handler;
mod outbind;
mod session;

pub use connect::{ConnectError, ConnectOptions, Transport, connect, tune};
pub use handler::{ClientHandler, SubmitBatch};
pub use outbind::{Outbound, read_outbind};
pub use session::{BindError, Bound, ClientSession};
