//! Metrics and health, for the people and machines that run the server: on a listener of its own, so
//! that they never stand on the public port.

mod handler;
mod options;

pub use handler::Operations;
pub use options::Options;
