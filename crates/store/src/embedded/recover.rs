//! Brings a span back into memory when the store opens.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use domain::fact::ParkedReceipt;
use domain::id::{AccountId, CarrierId, MessageId};
use domain::money::Money;
use domain::state::Status;
use parking_lot::Mutex;
use rusqlite::{Connection, params};

use super::ask_receipts::parked_rows;
use super::commit::{COUNTER_ACCEPTED, COUNTER_REFUNDED};
use super::database::{Fault, Purpose, open_span};
use super::event_rows::{self, EVENT_DEAD, EVENT_UNTOLD};
use super::files::{Layout, SpanName};
use super::filter::Filters;
use super::hash::{Reference, reference_key};
use super::incoming_index::IncomingIndex;
use super::index::{HotIndex, NewEntry};
use super::read::{one_number, prepare};
use super::span::{Counts, Span};
use crate::error::OpenError;

/// Threads that read spans back.
const THREADS: usize = 2;

/// What a span's file says.
pub(crate) struct Recovered {
    pub span: Span,
    pub last_id: MessageId,
    pub spent: HashMap<AccountId, Money>,
    pub parked: Vec<ParkedReceipt>,
}

/// Reads all spans back, in parallel; in the order of `names`.
pub(crate) fn recover_all(
    layout: &Layout,
    names: &[SpanName],
    parked_since: MessageId,
) -> Result<Vec<Recovered>, OpenError> {
    let next = AtomicUsize::new(0);
    let found = Mutex::new(Vec::with_capacity(names.len()));
    std::thread::scope(|scope| {
        for _ in 0..THREADS.min(names.len()) {
            scope.spawn(|| {
                while let Some(name) = names.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let end = names.iter().find(|other| other.lane == name.lane && other.first > name.first);
                    let with_parked = end.is_none_or(|end| end.first >= parked_since);
                    found.lock().push((*name, recover(layout, *name, with_parked)));
                }
            });
        }
    });
    let mut found = found.into_inner();
    found.sort_by_key(|(name, _)| *name);
    found.into_iter().map(|(_, recovered)| recovered).collect()
}

fn recover(layout: &Layout, name: SpanName, with_parked: bool) -> Result<Recovered, OpenError> {
    let path = layout.span(name);
    let read = open_span(&path, Purpose::WriteCold).map(|connection| read_span(&connection, name, with_parked));
    let read = match read {
        Ok(read) => read,
        Err(OpenError::Database { source, file }) => match Fault::from(source) {
            fault @ (Fault::Corrupt(_) | Fault::BadRow(_)) => Err(fault),
            fault => Err(Fault::Other(format!("{}: {fault:?}", file.display()))),
        },
        // Zeroes or garbage where the header was: damage, unless it never was a database.
        Err(OpenError::Foreign { .. }) => Err(Fault::Corrupt("page 1: the header is not one of a span".into())),
        Err(error) => return Err(error),
    };
    let filter_path = path.with_extension("filter");
    match read {
        Ok(read) => {
            let filters = Filters::new(filter_path, !read.late);
            let span = Span::new(name, path, read.hot, read.counts, filters);
            span.late_noted.store(read.late, Ordering::Release);
            span.last_position.store(read.last_position, Ordering::Release);
            Ok(Recovered { span, last_id: read.last_id, spent: read.spent, parked: read.parked })
        }
        Err(fault) => {
            let span = Span::new(name, path, None, Counts::default(), Filters::new(filter_path, false));
            let place = match fault {
                Fault::Corrupt(place) | Fault::BadRow(place) | Fault::Other(place) | Fault::Disk(place) => place,
                Fault::Full => "the disk is full".into(),
                Fault::Interrupted => "interrupted".into(),
            };
            span.set_damaged(&place);
            Ok(Recovered { span, last_id: name.first, spent: HashMap::new(), parked: Vec::new() })
        }
    }
}

struct ReadSpan {
    hot: Option<HotIndex>,
    counts: Counts,
    late: bool,
    last_id: MessageId,
    last_position: i64,
    spent: HashMap<AccountId, Money>,
    parked: Vec<ParkedReceipt>,
}

fn read_span(connection: &Connection, name: SpanName, with_parked: bool) -> Result<ReadSpan, Fault> {
    let is_sealed = one_number(connection, "SELECT value FROM meta WHERE key = 'sealed_at'")?.is_some();
    let late =
        one_number(connection, "SELECT value FROM meta WHERE key = 'late_keys'")?.is_some_and(|value| value != 0);
    let (hot, counts) = if is_sealed {
        (None, counts_of_sealed(connection)?)
    } else {
        scan(connection).map(|(hot, counts)| (Some(hot), counts))?
    };
    let last_position = match &hot {
        Some(index) => index.last_position(),
        None => event_rows::last_position(connection)?,
    };
    // Places of events are made like ids: neither must come again, whatever the clock does.
    let mut last_id = name.first.max(MessageId(last_position));
    for table in ["message", "parked_receipt", "incoming", "incoming_part", "notice", "click"] {
        let last = one_number(connection, &format!("SELECT max(id) FROM {table}"))?;
        last_id = last_id.max(MessageId(last.unwrap_or(0)));
    }
    let parked = if with_parked { parked_rows(connection)? } else { Vec::new() };
    Ok(ReadSpan { hot, counts, late, last_id, last_position, spent: spent(connection)?, parked })
}

/// What accounts have spent on the messages of a file.
pub(crate) fn spent(connection: &Connection) -> Result<HashMap<AccountId, Money>, Fault> {
    let mut statement = prepare(
        connection,
        "SELECT account, sum(CASE kind WHEN ?1 THEN price ELSE -price END) FROM counter WHERE kind IN (?1, ?2) GROUP BY account",
    )?;
    let sums = statement.query_map(params![COUNTER_ACCEPTED, COUNTER_REFUNDED], |row| {
        Ok((AccountId(row.get(0)?), Money(row.get(1)?)))
    })?;
    Ok(sums.collect::<Result<_, _>>()?)
}

fn counts_of_sealed(connection: &Connection) -> Result<Counts, Fault> {
    let mut counts = Counts::default();
    let mut statement = prepare(
        connection,
        "SELECT carrier, account, count(*) FROM message INDEXED BY message_waiting WHERE status = 1 GROUP BY carrier, account",
    )?;
    let lines = statement.query_map([], |row| {
        Ok(((CarrierId(row.get(0)?), AccountId(row.get(1)?)), row.get::<_, i64>(2)?.unsigned_abs()))
    })?;
    for line in lines {
        let (line, waiting) = line?;
        counts.waiting.insert(line, waiting);
    }
    let open = one_number(connection, "SELECT count(*) FROM message INDEXED BY message_open WHERE status IN (1, 2)")?;
    counts.open = open.unwrap_or(0).unsigned_abs();
    Ok(counts)
}

fn scan(connection: &Connection) -> Result<(HotIndex, Counts), Fault> {
    let mut index = HotIndex::default();
    let mut counts = Counts::default();
    scan_messages(connection, &mut index, &mut counts)?;
    let mut statement =
        prepare(connection, "SELECT message_id, number, operator_key FROM part WHERE operator_key IS NOT NULL")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        index.add_operator_key(row.get(2)?, MessageId(row.get(0)?), row.get(1)?);
    }
    let mut statement = prepare(
        connection,
        "SELECT id, account, external_id, idempotency_key FROM request WHERE external_id IS NOT NULL OR idempotency_key IS NOT NULL",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (id, account) = (MessageId(row.get(0)?), AccountId(row.get(1)?));
        for (column, kind) in [(2, Reference::External), (3, Reference::Idempotency)] {
            if let Some(text) = row.get_ref(column)?.as_str_or_null()? {
                index.add_reference(reference_key(account, kind, text), id);
            }
        }
    }
    counts.incoming = scan_incoming(connection, &mut index.incoming)?;
    let mut log = Vec::new();
    event_rows::scan(connection, |logged, state| {
        log.push(logged);
        match state {
            Some(EVENT_UNTOLD) => index.add_untold(logged.event),
            Some(EVENT_DEAD) => index.add_dead(logged.event),
            _ => {}
        }
    })?;
    index.log_all(log);
    Ok((index, counts))
}

fn scan_incoming(connection: &Connection, index: &mut IncomingIndex) -> Result<u64, Fault> {
    let mut statement = prepare(connection, "SELECT id, account, phone, handled FROM incoming ORDER BY id")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        index.add(row.get(0)?, row.get(1)?, row.get::<_, i64>(2)?.cast_unsigned(), row.get(3)?);
    }
    let mut statement = prepare(connection, "SELECT id FROM incoming_part WHERE state <> 1")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        index.add_part(MessageId(row.get(0)?));
    }
    let joined = one_number(connection, "SELECT count(*) FROM incoming_part WHERE state = 1")?;
    Ok(index.count() + joined.unwrap_or(0).unsigned_abs())
}

fn scan_messages(connection: &Connection, index: &mut HotIndex, counts: &mut Counts) -> Result<(), Fault> {
    let mut statement = prepare(
        connection,
        "SELECT id, account, phone, carrier, status, due_at, expires_at, operator_key FROM message ORDER BY id",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        let status: i64 = row.get(4)?;
        let waits = status == i64::from(Status::New.code());
        let open = waits || status == i64::from(Status::Sent.code());
        let phone: i64 = row.get(2)?;
        index.add_message(NewEntry {
            id,
            account: AccountId(row.get(1)?),
            phone: phone.cast_unsigned(),
            due_at: row.get(5)?,
            expires_at: row.get(6)?,
            open,
            waits,
        });
        if let Some(key) = row.get::<_, Option<i64>>(7)? {
            index.add_operator_key(key, MessageId(id), 1);
        }
        counts.messages += 1;
        counts.open += u64::from(open);
        if waits {
            *counts.waiting.entry((CarrierId(row.get(3)?), AccountId(row.get(1)?))).or_default() += 1;
        }
    }
    Ok(())
}
