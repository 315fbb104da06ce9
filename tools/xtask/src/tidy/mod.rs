//! `cargo xtask tidy`: the habits that neither the compiler nor clippy can check.

mod finding;
mod graph;
mod house;
mod leftovers;
mod limits;
mod links;
mod run;
mod shape;
mod supply;

pub use run::run;
