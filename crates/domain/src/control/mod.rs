//! Control data: accounts, keys, senders, carriers, routes, endpoints and numbers, as one immutable
//! snapshot. The data plane never asks a database; it looks into the current snapshot.
//!
//! What serialises of these types is what the setup file says, under the names of its keys: a new key is a
//! field with a default here and a line in the reader of the setup file; it is stored, compared and shown
//! in diffs without further ado.

mod account;
mod addressing;
mod carrier;
mod endpoint;
mod hold;
mod key;
mod link;
mod number;
mod owners;
mod route;
mod routes;
mod secret;
mod snapshot;
mod status_rule;
mod two_way;

pub use account::{Account, AccountSettings, SenderEntry};
pub use addressing::{InvalidTonNpi, TonNpi};
pub use carrier::{BindMode, Carrier, DefaultAlphabet, InterfaceVersion, LongMessages};
pub use endpoint::{Endpoint, EventKind, PreviousSecrets};
pub use hold::{Hold, HoldMode};
pub use key::{Key, KeySettings};
pub use link::{Link, SubmitWith, sha256_digits, split_host};
pub use number::{Number, NumberKind, NumberSettings};
pub use owners::Owner;
pub use route::{Choose, Route, RouteLane, RouteSettings};
pub use routes::{Mismatch, Subject};
pub use secret::Secret;
pub use snapshot::Control;
pub use status_rule::{StatusAction, StatusRule};
pub use two_way::{ReservedSettings, StopScope};
