//! The control database's past: versions, going back, holds, and the audit.

use domain::control::HoldMode;
use domain::id::CarrierId;
use rusqlite::Connection;

use super::apply::Applied;
use super::audit::{self, AuditEntry};
use super::author::{Author, Note};
use super::content::Content;
use super::database::ControlDb;
use super::diff::Diff;
use super::error::ControlError;
use super::versions::{self, VersionInfo};
use super::{hold, load};

impl ControlDb {
    /// All versions that are kept, newest first.
    ///
    /// # Errors
    /// [`ControlError`] when reading fails.
    pub fn list_versions(&self) -> Result<Vec<VersionInfo>, ControlError> {
        versions::list(&self.connection.lock().connection)
    }

    /// What differs from version `from` to version `to`; 0 is the empty one before the first apply.
    ///
    /// # Errors
    /// [`ControlError::NoSuchVersion`], others when reading fails.
    pub fn difference(&self, from: u64, to: u64) -> Result<Diff, ControlError> {
        let connection = &self.connection.lock().connection;
        let before = versions::content_of(connection, &self.vault, from)?;
        let after = versions::content_of(connection, &self.vault, to)?;
        Ok(Diff::between(&after, &before))
    }

    /// Makes carriers and routes what they were in `version`, as a new version. Accounts with what is theirs stay as
    /// they are: going back must neither bring back a key that was taken away nor take back money that was paid in. A
    /// carrier that comes back is the one it was, so that what waits for it goes on.
    ///
    /// # Errors
    /// [`ControlError::NoSuchVersion`]; [`ControlError::Conflicts`] when an account's number hangs on a carrier that the
    /// version does not have; others when reading or writing fails. Nothing is changed then.
    pub fn roll_back(&self, version: u64, author: &Author, dry_run: bool) -> Result<Applied, ControlError> {
        self.change(author, dry_run, |connection, stored| {
            let then = versions::content_of(connection, &self.vault, version)?;
            let conflicts = homeless_numbers(version, &then, stored);
            if !conflicts.is_empty() {
                return Err(ControlError::Conflicts(conflicts));
            }
            Ok(Content { accounts: stored.accounts.clone(), ..then })
        })
    }

    /// The newest lines of the audit, newest first.
    ///
    /// # Errors
    /// [`ControlError`] when reading fails.
    pub fn audit(&self, count: u32) -> Result<Vec<AuditEntry>, ControlError> {
        audit::newest(&self.connection.lock().connection, count)
    }

    /// Notes in the audit something that changes no control data.
    ///
    /// # Errors
    /// [`ControlError`] when writing fails.
    pub fn note(&self, note: &Note) -> Result<(), ControlError> {
        let connection = &self.connection.lock().connection;
        audit::note(connection, self.clock.now(), load::version(connection)?, note)
    }

    /// Whether there is a carrier of that name.
    ///
    /// # Errors
    /// [`ControlError::NoSuchCarrier`].
    pub fn check_carrier(&self, name: &str) -> Result<CarrierId, ControlError> {
        let control = self.snapshot();
        let found = control.carriers().find(|carrier| carrier.name == name).map(|carrier| carrier.id);
        found.ok_or_else(|| {
            let mut known: Vec<&str> = control.carriers().map(|carrier| carrier.name.as_str()).collect();
            known.sort_unstable();
            ControlError::NoSuchCarrier { name: name.to_owned(), known: known.join(", ") }
        })
    }

    /// Holds a carrier back, or with `None` lets it go on. It lasts until it is ended, over restarts and versions.
    ///
    /// # Errors
    /// [`ControlError::NoSuchCarrier`], others when writing fails.
    pub fn hold(&self, carrier: &str, mode: Option<HoldMode>, author: &Author) -> Result<(), ControlError> {
        let id = self.check_carrier(carrier)?;
        let action = match mode {
            Some(HoldMode::Paused) => "pause",
            Some(HoldMode::Draining) => "drain",
            None => "resume",
        };
        let note = Note {
            who: author.who.clone(),
            action: action.into(),
            what: format!("carrier {carrier}"),
            reason: author.reason.clone(),
            detail: String::new(),
        };
        let at = self.clock.now();
        self.write(|connection| {
            hold::set(connection, at, id, mode, author)?;
            audit::note(connection, at, load::version(connection)?, &note)
        })
    }

    /// Runs `write` in a transaction of its own and takes over what came of it.
    fn write(&self, write: impl FnOnce(&Connection) -> Result<(), ControlError>) -> Result<(), ControlError> {
        let connected = &mut *self.connection.lock();
        let behavior = rusqlite::TransactionBehavior::Immediate;
        let transaction = connected.connection.transaction_with_behavior(behavior)?;
        write(&transaction)?;
        transaction.commit()?;
        self.take_over(connected)
    }
}

fn homeless_numbers(version: u64, then: &Content, stored: &Content) -> Vec<String> {
    let has = |name: &str| then.carriers.iter().any(|carrier| carrier.name == name);
    let numbers =
        stored.accounts.iter().flat_map(|account| account.numbers.iter().map(move |number| (account, number)));
    let homeless = numbers.filter(|(_, number)| !has(&number.carrier));
    let sentence = |(account, number): (&super::content::AccountEntry, &super::content::NumberEntry)| {
        format!(
            "version {version} has no carrier {}, but account {} has number {} on it: apply a setup without the number first",
            number.carrier, account.name, number.number
        )
    };
    homeless.map(sentence).collect()
}
