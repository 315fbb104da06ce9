//! For the people and machines that run the server: metrics and health on a listener of its own, so that they never
//! stand on the public port, and [`local`], the way in for the command line.

mod handler;
pub mod local;
mod options;

pub use handler::Operations;
pub use options::Options;
