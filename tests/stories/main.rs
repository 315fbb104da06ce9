//! The stories: one file each, all against the real binary.

mod kill9_20;
mod mutants;
mod send_and_read;
