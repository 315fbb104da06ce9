//! What is known of people, beside the spans: it outlives every message, so retention must not take it.
//!
//! One small file with one writer thread, written in group commits like the spans; everything in it is in
//! memory too, for the opt-out list is asked for every recipient and every part that is sent.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use domain::clock::UnixMillis;
use domain::id::{AccountId, MessageId};
use domain::limits::{COMMIT_FACTS_MAX, STORE_QUEUE_BATCHES};
use domain::person::{OptOut, OptOutKey, OptOutOrigin, PersonFact, Talk, TalkKey};
use domain::phone::Phone;
use parking_lot::RwLock;
use rusqlite::{Connection, params};
use smallvec::SmallVec;
use tokio::sync::{mpsc, oneshot};

use super::database::Fault;
use super::queue::Done;
use super::read::prepare;
use super::shared::Shared;
use crate::error::{OpenError, RecordError};

/// `application_id` of the file: "PHpe".
const APPLICATION_ID: i64 = 0x5048_7065;
/// `user_version`: format of the tables.
const FORMAT: i64 = 1;
/// Pages in the log before SQLite copies it back by itself: 4 MiB, which takes a moment nobody waits for.
const CHECKPOINT_PAGES: u32 = 1_000;

const SCHEMA: &str = "
    CREATE TABLE opt_out (            -- who wants no messages
      account INTEGER NOT NULL,
      phone   INTEGER NOT NULL,       -- E.164 digits
      sender  TEXT NOT NULL,          -- from whom; empty = from none of the account's
      at      INTEGER NOT NULL,       -- since when, Unix milliseconds
      origin  TEXT NOT NULL,          -- person or account
      PRIMARY KEY (account, phone, sender)) WITHOUT ROWID;
    CREATE TABLE talk (               -- who is in the middle of a talk with a bot
      account  INTEGER NOT NULL,
      phone    INTEGER NOT NULL,
      number   TEXT NOT NULL,         -- the number that was written to
      position TEXT NOT NULL,         -- JSON: flow, step and answers so far
      until    INTEGER NOT NULL,      -- when it ends by itself
      last     INTEGER NOT NULL,      -- the incoming message that brought it here
      PRIMARY KEY (account, phone, number)) WITHOUT ROWID;";

/// Facts for the writer, and who waits for them.
pub(crate) struct PersonOrder {
    facts: Vec<PersonFact>,
    done: Done,
}

/// What is known of people, in memory.
#[derive(Default)]
pub(crate) struct People {
    opt_outs: RwLock<BTreeMap<(AccountId, Phone), Entries>>,
    /// Entries in it, readable without the lock.
    opt_out_count: AtomicUsize,
    talks: RwLock<Talks>,
    talk_count: AtomicUsize,
}

/// A person's entries; nearly always one.
type Entries = SmallVec<[Entry; 1]>;

#[derive(Clone, Debug)]
struct Entry {
    sender: Box<str>,
    at: UnixMillis,
    origin: OptOutOrigin,
}

#[derive(Default)]
struct Talks {
    by_key: BTreeMap<TalkKey, Arc<Talk>>,
    by_end: BTreeSet<(UnixMillis, TalkKey)>,
}

impl People {
    /// Whether somebody wants nothing from this sender.
    pub fn is_opted_out(&self, account: AccountId, sender: &str, phone: Phone) -> bool {
        if self.opt_out_count.load(Ordering::Acquire) == 0 {
            return false;
        }
        let opt_outs = self.opt_outs.read();
        let entries = opt_outs.get(&(account, phone)).map_or(&[][..], SmallVec::as_slice);
        entries.iter().any(|entry| entry.sender.is_empty() || *entry.sender == *sender)
    }

    /// An account's opt-outs after `after`, by number and sender.
    pub fn opt_outs(&self, account: AccountId, after: Option<&OptOutKey>, limit: usize) -> Vec<OptOut> {
        let opt_outs = self.opt_outs.read();
        let first = (account, after.map_or(Phone::LEAST, |key| key.phone));
        let of_account = opt_outs.range(first..).take_while(|((of, _), _)| *of == account);
        let entries = of_account.flat_map(|((account, phone), entries)| {
            entries.iter().map(|entry| OptOut {
                key: OptOutKey { account: *account, phone: *phone, sender: entry.sender.clone() },
                at: entry.at,
                origin: entry.origin,
            })
        });
        entries.filter(|entry| after.is_none_or(|after| entry.key > *after)).take(limit).collect()
    }

    /// A person's entries on an account's list.
    pub fn opt_outs_of(&self, account: AccountId, phone: Phone) -> Vec<OptOut> {
        let opt_outs = self.opt_outs.read();
        let entries = opt_outs.get(&(account, phone)).map_or(&[][..], SmallVec::as_slice);
        let entry = |entry: &Entry| OptOut {
            key: OptOutKey { account, phone, sender: entry.sender.clone() },
            at: entry.at,
            origin: entry.origin,
        };
        entries.iter().map(entry).collect()
    }

    /// Opt-outs and talks in all.
    pub fn counts(&self) -> [usize; 2] {
        [self.opt_out_count.load(Ordering::Acquire), self.talk_count.load(Ordering::Acquire)]
    }

    /// Where somebody stands in a talk.
    pub fn talk(&self, key: &TalkKey) -> Option<Arc<Talk>> {
        if self.talk_count.load(Ordering::Acquire) == 0 {
            return None;
        }
        self.talks.read().by_key.get(key).cloned()
    }

    /// An account's talks after `after`, by number and person.
    pub fn talks(&self, account: AccountId, after: Option<&TalkKey>, limit: usize) -> Vec<Arc<Talk>> {
        let first = TalkKey { account, number: Box::default(), phone: Phone::LEAST };
        let from = after.map_or(Bound::Included(&first), Bound::Excluded);
        let talks = self.talks.read();
        let of_account = talks.by_key.range((from, Bound::Unbounded)).take_while(|(key, _)| key.account == account);
        of_account.take(limit).map(|(_, talk)| Arc::clone(talk)).collect()
    }

    /// Talks that end by themselves at or before `now`, the first to end first.
    pub fn talks_due(&self, now: UnixMillis, limit: usize) -> Vec<Arc<Talk>> {
        let talks = self.talks.read();
        let due = talks.by_end.iter().take_while(|(until, _)| *until <= now).take(limit);
        due.filter_map(|(_, key)| talks.by_key.get(key).cloned()).collect()
    }

    fn learn(&self, facts: &[PersonFact]) {
        for fact in facts {
            match fact {
                PersonFact::OptedOut(opt_out) => self.opted_out(opt_out),
                PersonFact::OptedIn(key) => self.opted_in(key),
                PersonFact::Talks(talk) => self.talks_on(talk),
                PersonFact::TalkEnded(key) => self.talk_ended(key),
            }
        }
    }

    fn opted_out(&self, opt_out: &OptOut) {
        let OptOut { key, at, origin } = opt_out;
        let mut opt_outs = self.opt_outs.write();
        let entries = opt_outs.entry((key.account, key.phone)).or_default();
        // Who asks twice is out since the first time.
        if entries.iter().all(|entry| entry.sender != key.sender) {
            entries.push(Entry { sender: key.sender.clone(), at: *at, origin: *origin });
            entries.sort_by(|one, other| one.sender.cmp(&other.sender));
            self.opt_out_count.fetch_add(1, Ordering::AcqRel);
        }
    }

    fn opted_in(&self, key: &OptOutKey) {
        let mut opt_outs = self.opt_outs.write();
        let name = (key.account, key.phone);
        let Some(entries) = opt_outs.get_mut(&name) else { return };
        let before = entries.len();
        entries.retain(|entry| entry.sender != key.sender);
        self.opt_out_count.fetch_sub(before - entries.len(), Ordering::AcqRel);
        if entries.is_empty() {
            opt_outs.remove(&name);
        }
    }

    fn talks_on(&self, talk: &Talk) {
        let mut talks = self.talks.write();
        talks.by_end.insert((talk.until, talk.key.clone()));
        let before = talks.by_key.insert(talk.key.clone(), Arc::new(talk.clone()));
        match before {
            Some(before) if before.until != talk.until => _ = talks.by_end.remove(&(before.until, talk.key.clone())),
            Some(_) => {}
            None => _ = self.talk_count.fetch_add(1, Ordering::AcqRel),
        }
    }

    fn talk_ended(&self, key: &TalkKey) {
        let mut talks = self.talks.write();
        if let Some(ended) = talks.by_key.remove(key) {
            talks.by_end.remove(&(ended.until, key.clone()));
            self.talk_count.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

/// Writes what is learnt of people.
pub(crate) struct PeopleWriter {
    connection: Connection,
    orders: mpsc::Receiver<PersonOrder>,
}

/// The way to the writer.
pub(crate) type PeopleOrders = mpsc::Sender<PersonOrder>;

impl PersonOrder {
    /// An order to keep `facts`, and where its end is told.
    pub fn new(facts: Vec<PersonFact>) -> (Self, oneshot::Receiver<Result<(), RecordError>>) {
        let (done, told) = oneshot::channel();
        (Self { facts, done }, told)
    }
}

/// The file in a data directory.
pub(crate) fn file(data_dir: &Path) -> PathBuf {
    data_dir.join("people.db")
}

/// Opens the file, making it if there is none, and reads everything back.
pub(crate) fn open(data_dir: &Path) -> Result<(People, PeopleWriter, PeopleOrders), OpenError> {
    let path = file(data_dir);
    let failed = |source| OpenError::Database { file: path.clone(), source };
    let connection = Connection::open(&path).map_err(failed)?;
    connection.busy_timeout(std::time::Duration::from_secs(5)).map_err(failed)?;
    connection
        .execute_batch(&format!(
            "PRAGMA synchronous=FULL; PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES};"
        ))
        .map_err(failed)?;
    let number = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).map_err(failed);
    match (number("application_id")?, number("user_version")?) {
        (0, 0) => connection
            .execute_batch(&format!(
                "BEGIN; {SCHEMA} PRAGMA application_id={APPLICATION_ID}; PRAGMA user_version={FORMAT}; COMMIT;"
            ))
            .map_err(failed)?,
        (APPLICATION_ID, found) if found > FORMAT => return Err(OpenError::Newer { file: path, found, known: FORMAT }),
        (APPLICATION_ID, _) => {}
        _ => return Err(OpenError::Foreign { file: path }),
    }
    let people = People::default();
    load(&connection, &people).map_err(failed)?;
    let (sender, orders) = mpsc::channel(STORE_QUEUE_BATCHES);
    Ok((people, PeopleWriter { connection, orders }, sender))
}

fn load(connection: &Connection, people: &People) -> rusqlite::Result<()> {
    let phone = |number: i64| Phone::from_u64(number.cast_unsigned());
    let mut statement = connection.prepare("SELECT account, phone, sender, at, origin FROM opt_out")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let Some(phone) = phone(row.get(1)?) else {
            unreadable("opt-out", row)?;
            continue;
        };
        let origin = row.get_ref(4)?.as_str()?;
        let origin = OptOutOrigin::NAMES.into_iter().find(|(_, name)| *name == origin);
        people.opted_out(&OptOut {
            key: OptOutKey { account: AccountId(row.get(0)?), phone, sender: row.get(2)? },
            at: UnixMillis(row.get(3)?),
            origin: origin.map_or(OptOutOrigin::Person, |(origin, _)| origin),
        });
    }
    let mut statement = connection.prepare("SELECT account, phone, number, position, until, last FROM talk")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        // Without its place a talk is over: the default place would keep the bot silent.
        let (Some(phone), Ok(position)) = (phone(row.get(1)?), serde_json::from_str(row.get_ref(3)?.as_str()?)) else {
            unreadable("talk", row)?;
            continue;
        };
        people.talks_on(&Talk {
            key: TalkKey { account: AccountId(row.get(0)?), number: row.get(2)?, phone },
            position,
            until: UnixMillis(row.get(4)?),
            last: MessageId(row.get(5)?),
        });
    }
    Ok(())
}

/// A row that holds what was never written there is left out, and said: somebody may get messages who wants none.
fn unreadable(what: &str, row: &rusqlite::Row<'_>) -> rusqlite::Result<()> {
    let (account, phone): (u32, i64) = (row.get(0)?, row.get(1)?);
    tracing::error!(target: "store", file = "people.db", what, account, phone, "a damaged row is left out; enter it anew by the API if it is known");
    Ok(())
}

impl PeopleWriter {
    /// Works until every sender is gone and the queue is empty.
    pub fn run(mut self, shared: &Shared) {
        let mut waiting = Vec::new();
        while self.orders.blocking_recv_many(&mut waiting, COMMIT_FACTS_MAX) > 0 {
            let orders = std::mem::take(&mut waiting);
            match self.commit(shared, &orders) {
                Ok(()) => {
                    orders.iter().for_each(|order| shared.people.learn(&order.facts));
                    // Whoever gave up waiting does not mind.
                    orders.into_iter().for_each(|order| _ = order.done.send(Ok(())));
                }
                Err(error) => orders.into_iter().for_each(|order| _ = order.done.send(Err(error.clone()))),
            }
        }
    }

    fn commit(&self, shared: &Shared, orders: &[PersonOrder]) -> Result<(), RecordError> {
        if shared.has_failed() {
            return Err(RecordError::Closed);
        }
        let result = self.transact(orders);
        if result.is_err() && !self.connection.is_autocommit() {
            // SQLite has rolled back already after most errors.
            let _ = self.connection.execute_batch("ROLLBACK");
        }
        result.map_err(|fault| match fault {
            Fault::Full => RecordError::StorageFull,
            Fault::Disk(text) => {
                shared.disk_failed("people.db", &text);
                RecordError::Closed
            }
            fault => RecordError::Failed { file: "people.db".into(), reason: format!("{fault:?}").into() },
        })
    }

    fn transact(&self, orders: &[PersonOrder]) -> Result<(), Fault> {
        prepare(&self.connection, "BEGIN IMMEDIATE")?.execute([])?;
        for fact in orders.iter().flat_map(|order| &order.facts) {
            self.write(fact)?;
        }
        prepare(&self.connection, "COMMIT")?.execute([])?;
        Ok(())
    }

    fn write(&self, fact: &PersonFact) -> Result<(), Fault> {
        let json = |value: serde_json::Result<String>| value.map_err(|error| Fault::Other(error.to_string()));
        match fact {
            PersonFact::OptedOut(OptOut { key, at, origin }) => {
                let sql = "INSERT OR IGNORE INTO opt_out VALUES (?1,?2,?3,?4,?5)";
                let phone = key.phone.as_u64().cast_signed();
                prepare(&self.connection, sql)?.execute(params![
                    key.account.0,
                    phone,
                    &*key.sender,
                    at.0,
                    origin.name()
                ])?;
            }
            PersonFact::OptedIn(key) => {
                let sql = "DELETE FROM opt_out WHERE account=?1 AND phone=?2 AND sender=?3";
                let phone = key.phone.as_u64().cast_signed();
                prepare(&self.connection, sql)?.execute(params![key.account.0, phone, &*key.sender])?;
            }
            PersonFact::Talks(talk) => {
                let sql = "INSERT OR REPLACE INTO talk VALUES (?1,?2,?3,?4,?5,?6)";
                let TalkKey { account, number, phone } = &talk.key;
                prepare(&self.connection, sql)?.execute(params![
                    account.0,
                    phone.as_u64().cast_signed(),
                    &**number,
                    json(serde_json::to_string(&talk.position))?,
                    talk.until.0,
                    talk.last.0,
                ])?;
            }
            PersonFact::TalkEnded(key) => {
                let sql = "DELETE FROM talk WHERE account=?1 AND phone=?2 AND number=?3";
                let phone = key.phone.as_u64().cast_signed();
                prepare(&self.connection, sql)?.execute(params![key.account.0, phone, &*key.number])?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_row_is_left_out_and_silences_nobody() {
        let directory = tempfile::tempdir().expect("a folder");
        let (_, writer, _) = open(directory.path()).expect("a new file");
        let rows = "INSERT INTO opt_out VALUES (1,48600100200,'',5,'person'), (1,-7,'',5,'person');
            INSERT INTO talk VALUES (1,48600100200,'2424','{\"flow\":\"table\"}',9000,64), (1,48600100201,'2424','{\"fl',9000,64);";
        writer.connection.execute_batch(rows).expect("rows");
        drop(writer);
        let (people, ..) = open(directory.path()).expect("the file opens all the same");
        assert_eq!(people.counts(), [1, 1]);
        let talks = people.talks(AccountId(1), None, 10);
        assert!(talks.iter().all(|talk| !talk.position.is_handed_over()), "{talks:?}");
    }
}
