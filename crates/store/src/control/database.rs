//! The control database: the one way in.

use std::path::Path;
use std::sync::Arc;

use arc_swap::ArcSwap;
use domain::clock::Clock;
use domain::control::Control;
use domain::link::LinkCodes;
use domain::random::Random;
use parking_lot::Mutex;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior};
use tokio::sync::watch;

use super::apply::{Applied, Writer};
use super::author::Author;
use super::content::Content;
use super::diff::Diff;
use super::error::ControlError;
use super::rotate::Rotation;
use super::setup::Setup;
use super::vault::{Cell, Vault};
use super::{audit, conflict, hold, load, master_key, schema, snapshot, versions};

/// A sealed text that tells whether the master key is the right one before any secret is needed.
const WITNESS: Cell = Cell { table: "meta", column: "value", row: 0 };
const WITNESS_NAME: &str = "master_key_witness";
const WITNESS_TEXT: &[u8] = b"posthorn";

/// Control data of this machine, shared by all processes that open it.
pub struct ControlDb {
    pub(super) connection: Mutex<Connected>,
    pub(super) vault: Vault,
    pub(super) clock: Clock,
    random: Random,
    snapshot: ArcSwap<Control>,
    versions: watch::Sender<u64>,
}

pub(super) struct Connected {
    pub(super) connection: Connection,
    /// SQLite's mark of the last change by another connection that was taken over.
    data_version: i64,
}

impl ControlDb {
    /// Opens the control data in `data_dir`, making database and master key file where there are none yet.
    ///
    /// # Errors
    /// [`ControlError`] when a file is not accessible, damaged or of a newer format, or when the master key
    /// file is missing, open to others or not the one the secrets were sealed with.
    pub fn open(data_dir: &Path, master_key_file: &Path) -> Result<Self, ControlError> {
        Self::open_with(data_dir, master_key_file, Clock::system(), Random::system())
    }

    /// [`ControlDb::open`] with a given clock and source of randomness.
    ///
    /// # Errors
    /// As [`ControlDb::open`].
    pub fn open_with(
        data_dir: &Path,
        master_key_file: &Path,
        clock: Clock,
        random: Random,
    ) -> Result<Self, ControlError> {
        let alone = schema::lock_opening(data_dir)?;
        let mut connection = schema::open(data_dir)?;
        let vault = open_vault(&connection, data_dir, master_key_file, &random)?;
        drop(alone);
        let data_version = data_version(&connection)?;
        let control = read(&mut connection, &vault)?;
        let versions = watch::Sender::new(control.version);
        let connection = Mutex::new(Connected { connection, data_version });
        Ok(Self { connection, vault, clock, random, snapshot: ArcSwap::from_pointee(control), versions })
    }

    /// What applying `setup` would change.
    ///
    /// # Errors
    /// [`ControlError::Conflicts`] when the setup contradicts what is kept, others when reading fails.
    pub fn plan(&self, setup: &Setup) -> Result<Diff, ControlError> {
        self.apply(setup, true).map(|applied| applied.diff)
    }

    /// [`ControlDb::apply_by`] by the program itself.
    ///
    /// # Errors
    /// As [`ControlDb::apply_by`].
    pub fn apply(&self, setup: &Setup, dry_run: bool) -> Result<Applied, ControlError> {
        let author = Author { who: "posthorn".into(), reason: "apply".into() };
        self.apply_by(setup, &author, dry_run)
    }

    /// Makes the control data what `setup` declares, in one transaction, and takes it over here; other
    /// processes take it over when they refresh. A dry run only tells what would change.
    ///
    /// # Errors
    /// [`ControlError::Conflicts`] when the setup contradicts what is kept, others when reading or writing
    /// fails; nothing is changed then.
    pub fn apply_by(&self, setup: &Setup, author: &Author, dry_run: bool) -> Result<Applied, ControlError> {
        self.change(author, dry_run, |_, stored| {
            let conflicts = conflict::find(&setup.content, stored);
            if conflicts.is_empty() { Ok(setup.content.clone()) } else { Err(ControlError::Conflicts(conflicts)) }
        })
    }

    /// Gives the endpoint of an account new secrets; those it had stay valid for the overlap. The new ones are
    /// handed out once, here.
    ///
    /// # Errors
    /// [`ControlError::NoEndpoint`] when there is no such endpoint, others when reading or writing fails;
    /// nothing is changed then.
    pub fn rotate(&self, rotation: &Rotation, author: &Author) -> Result<Applied, ControlError> {
        let mut generated = Vec::new();
        let now = self.clock.now();
        let declare = |_: &Connection, stored: &Content| rotation.declare(stored, &self.random, now, &mut generated);
        let applied = self.change(author, false, declare)?;
        Ok(Applied { generated, ..applied })
    }

    /// Makes the control data what `declare` says of what is stored.
    pub(super) fn change(
        &self,
        author: &Author,
        dry_run: bool,
        declare: impl FnOnce(&Connection, &Content) -> Result<Content, ControlError>,
    ) -> Result<Applied, ControlError> {
        let connected = &mut *self.connection.lock();
        let behavior = if dry_run { TransactionBehavior::Deferred } else { TransactionBehavior::Immediate };
        let transaction = connected.connection.transaction_with_behavior(behavior)?;
        let version = load::version(&transaction)?;
        let stored = load::content(&transaction, &self.vault)?;
        let mut declared = declare(&transaction, &stored)?;
        let notices = declared.settle_balances(&stored);
        let diff = Diff { notices, ..Diff::between(&declared, &stored) };
        if dry_run || diff.is_empty() {
            return Ok(Applied { version, diff, generated: Vec::new() });
        }
        let (version, at) = (version + 1, self.clock.now());
        let writer = Writer::new(&transaction, &self.vault, &self.random, &diff, at);
        let generated = writer.write(&declared, &stored)?;
        audit::record(&transaction, at, version, author, &diff)?;
        versions::keep(&transaction, at, version, author)?;
        transaction.commit()?;
        self.take_over(connected)?;
        Ok(Applied { version, diff, generated })
    }

    /// Puts what is stored in force here.
    pub(super) fn take_over(&self, connected: &mut Connected) -> Result<(), ControlError> {
        self.publish(read(&mut connected.connection, &self.vault)?);
        Ok(())
    }

    /// The control data as last taken over.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Control> {
        self.snapshot.load_full()
    }

    /// Writes and reads the codes of short links.
    #[must_use]
    pub fn link_codes(&self) -> &LinkCodes {
        self.vault.link_codes()
    }

    /// Tells the version of the snapshot whenever it changes.
    #[must_use]
    pub fn versions(&self) -> watch::Receiver<u64> {
        self.versions.subscribe()
    }

    /// Takes over what another process changed. Returns whether there was anything.
    ///
    /// # Errors
    /// [`ControlError`] when reading fails; the snapshot then stays as it is and the next refresh tries again.
    pub fn refresh(&self) -> Result<bool, ControlError> {
        let connected = &mut *self.connection.lock();
        // Read before the content: a change in between is seen again next time rather than missed.
        let data_version = data_version(&connected.connection)?;
        if data_version == connected.data_version {
            return Ok(false);
        }
        let control = read(&mut connected.connection, &self.vault)?;
        connected.data_version = data_version;
        Ok(self.publish(control))
    }

    fn publish(&self, control: Control) -> bool {
        let version = control.version;
        let current = self.snapshot.load();
        if version == current.version && control.has_holds_of(&current) {
            return false;
        }
        self.snapshot.store(Arc::new(control));
        self.versions.send_replace(version);
        true
    }
}

fn read(connection: &mut Connection, vault: &Vault) -> Result<Control, ControlError> {
    let transaction = connection.transaction()?;
    let version = load::version(&transaction)?;
    Ok(snapshot::build(version, load::content(&transaction, vault)?).with_holds(hold::load(&transaction)?))
}

fn data_version(connection: &Connection) -> Result<i64, ControlError> {
    Ok(connection.pragma_query_value(None, "data_version", |row| row.get(0))?)
}

/// Reads or makes the master key and makes sure that it is the one this database was made with.
fn open_vault(
    connection: &Connection,
    data_dir: &Path,
    master_key_file: &Path,
    random: &Random,
) -> Result<Vault, ControlError> {
    let path = master_key_file.to_owned();
    let database = schema::path(data_dir);
    let key = match master_key::read(master_key_file)? {
        Some(key) => key,
        None if witness(connection)?.is_some() => return Err(ControlError::MasterKeyMissing { path, database }),
        None => {
            master_key::create(master_key_file, random)?;
            master_key::read(master_key_file)?
                .ok_or_else(|| ControlError::MasterKeyMissing { path: path.clone(), database: database.clone() })?
        }
    };
    let vault = Vault::new(&key, random.clone());
    if witness(connection)?.is_none() {
        let sealed = vault.seal(WITNESS, WITNESS_TEXT)?;
        connection.execute("INSERT INTO meta (name, value) VALUES (?1, ?2)", (WITNESS_NAME, sealed))?;
    }
    let sealed = witness(connection)?.unwrap_or_default();
    match vault.open(WITNESS, &sealed) {
        Ok(_) => Ok(vault),
        Err(_) => Err(ControlError::MasterKeyWrong { path, database }),
    }
}

fn witness(connection: &Connection) -> Result<Option<Vec<u8>>, ControlError> {
    let query = "SELECT value FROM meta WHERE name = ?1";
    Ok(connection.query_row(query, [WITNESS_NAME], |row| row.get(0)).optional()?)
}
