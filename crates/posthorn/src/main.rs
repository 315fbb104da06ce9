//! The Posthorn server and its commands.
fn main() {}
