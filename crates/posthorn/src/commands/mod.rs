//! One file per command.

mod apply;
mod check;
mod demo;
mod demo_story;
mod dispatch;
mod repair;
mod send;
mod serve;
mod simulate;
mod status;

pub use dispatch::run;
pub use simulate::Simulate;
