//! Short links: from an opened link to a redirect. On a listener of its own, and on those of the API for
//! requests that name the domain of short links.

mod by_host;
mod handler;
mod options;

pub use by_host::ByHost;
pub use handler::{Follower, Links};
pub use options::{Options, OptionsError};
