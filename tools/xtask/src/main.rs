//! Project commands: test, bench, tidy.
fn main() {}
