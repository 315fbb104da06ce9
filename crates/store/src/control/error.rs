//! What can go wrong with the control data.

use std::io;
use std::path::PathBuf;

/// Why the control data could not be opened, read or changed.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// A file could not be read or written.
    #[error("cannot {action} {path}: {source}", path = path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Others than the owner can read the master key.
    #[error("the master key file {path} can be used by others than its owner (mode {mode:04o}): run `chmod 600 {path}`", path = path.display())]
    MasterKeyOpen {
        /// Which file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file holds something else than a master key.
    #[error("{path} is no master key file: expected 32 octets, found {octets}; restore it from your backup", path = path.display())]
    MasterKeyMalformed {
        /// Which file.
        path: PathBuf,
        /// Its length.
        octets: u64,
    },
    /// There are secrets, but the key that opens them is gone.
    #[error("the master key file {path} is missing, but {database} holds secrets sealed with it: restore it from your backup", path = path.display(), database = database.display())]
    MasterKeyMissing {
        /// Which file.
        path: PathBuf,
        /// The database that needs it.
        database: PathBuf,
    },
    /// The secrets were sealed with another master key.
    #[error("the master key in {path} is not the one that {database} was made with: restore the right file from your backup", path = path.display(), database = database.display())]
    MasterKeyWrong {
        /// Which file.
        path: PathBuf,
        /// The database that needs another one.
        database: PathBuf,
    },
    /// A sealed value does not open: damaged, or moved from another row.
    #[error("the sealed value in {table}.{column} of row {row} is damaged: restore control.db from your backup")]
    Sealed {
        /// Table of the value.
        table: &'static str,
        /// Column of the value.
        column: &'static str,
        /// Row of the value.
        row: u32,
    },
    /// Settings do not serialise.
    #[error("settings can't be written as JSON: {0}")]
    Settings(String),
    /// A newer program wrote the file.
    #[error("{path} has format {found}, this program knows formats up to {known}: use the program that wrote it or a newer one", path = path.display())]
    Format {
        /// Which file.
        path: PathBuf,
        /// Its format version.
        found: i64,
        /// The newest format known here.
        known: i64,
    },
    /// A stored value makes no sense to this program.
    #[error(
        "{table}.{column} of row {row} holds {found:?}, which is not understood: restore control.db from your backup"
    )]
    Stored {
        /// Table of the value.
        table: &'static str,
        /// Column of the value.
        column: &'static str,
        /// Row of the value.
        row: u32,
        /// What was found.
        found: String,
    },
    /// There is no such endpoint.
    #[error("account {account} has no webhook for {event}: add an [[account.webhook]] entry to the setup file")]
    NoEndpoint {
        /// Name of the account.
        account: String,
        /// What it would be told.
        event: &'static str,
    },
    /// The file is right in itself but contradicts what is kept.
    #[error("nothing was changed, the setup contradicts what is kept:\n{}", .0.join("\n"))]
    Conflicts(Vec<String>),
    /// A version that is not kept, or was never made.
    #[error("there is no version {version}: versions {oldest} to {newest} are kept; `posthorn versions` lists them")]
    NoSuchVersion {
        /// What was asked for.
        version: u64,
        /// The oldest one kept.
        oldest: i64,
        /// The one in force.
        newest: i64,
    },
    /// A carrier nobody knows.
    #[error("there is no carrier {name}; the setup has: {known}")]
    NoSuchCarrier {
        /// What was asked for.
        name: String,
        /// Those there are.
        known: String,
    },
    /// The system gave no thread to follow changes.
    #[error("cannot start the thread that follows the control data: {0}")]
    Thread(io::Error),
    /// SQLite refused.
    #[error("control.db: {0}")]
    Database(#[from] rusqlite::Error),
}

impl ControlError {
    /// Wraps a failed action on a file.
    pub(super) fn file(action: &'static str, path: &std::path::Path, source: io::Error) -> Self {
        Self::File { action, path: path.to_owned(), source }
    }
}
