//! Bots: what is answered to people who write, declared as data.
//!
//! [`Bot`] is what a setup file declares. [`Script::of`] checks it and makes it fit for use; what is wrong
//! is told with its path. [`Script::react`] is the whole behaviour: it takes what was said and where the
//! person stands, and gives answers and the next place. It keeps nothing and asks nobody.

mod check;
mod declared;
mod react;
mod script;
mod template;
#[cfg(test)]
mod tests;

pub use check::BotFlaw;
pub use declared::{Bot, Expect, Flow, MatchKind, Rule, Step};
pub use react::{Next, Reaction, Said};
pub use script::Script;
