//! Tests of the whole stage: against receivers on loopback, and in virtual time against receivers in memory.

mod calls;
mod faults;
mod flow;
mod guard;
mod hostile_answers;
mod hostile_urls;
mod interop;
mod isolation;
mod memory;
mod neighbours;
mod receiver;
mod recovery;
mod support;
mod trust;
