//! Tests of the whole stage: against receivers on loopback, and in virtual time against receivers in memory.

mod flow;
mod memory;
mod recovery;
mod support;
