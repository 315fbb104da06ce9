//! Tests of the control data as a whole.

use std::path::PathBuf;

use domain::clock::{Clock, UnixMillis};
use domain::random::Random;
use tempfile::TempDir;

use super::{Applied, ControlDb, ControlError, Setup};

mod applying;
mod crash;
mod history;
mod links;
mod problems;
mod processes;
mod rotation;
mod secrets;
mod two_way;

/// The documented example of a setup file.
const EXAMPLE: &str = include_str!("example.toml");

/// A data directory that goes away with the test.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn data_dir(&self) -> PathBuf {
        self.0.path().join("data")
    }

    fn master_key_file(&self) -> PathBuf {
        self.0.path().join("master.key")
    }

    fn try_open(&self) -> Result<ControlDb, ControlError> {
        let clock = Clock::manual(UnixMillis(1_800_000_000_000));
        ControlDb::open_with(&self.data_dir(), &self.master_key_file(), clock, Random::system())
    }

    fn open(&self) -> ControlDb {
        self.try_open().unwrap()
    }

    /// A second way into the database file, past the code under test.
    fn raw(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.data_dir().join("control.db")).unwrap()
    }
}

fn setup(text: &str) -> Setup {
    Setup::parse("setup.toml", text).unwrap_or_else(|problems| panic!("{problems}"))
}

/// The example with one text replaced by another; the text must be there.
fn example_with(from: &str, to: &str) -> String {
    assert!(EXAMPLE.contains(from), "{from}");
    EXAMPLE.replacen(from, to, 1)
}

fn apply(database: &ControlDb, text: &str) -> Applied {
    database.apply(&setup(text), false).unwrap_or_else(|error| panic!("{error}"))
}

fn lines(applied: &Applied) -> Vec<String> {
    applied.diff.to_string().lines().map(Into::into).collect()
}
