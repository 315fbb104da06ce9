//! Makes the facts of one round durable in one span, whatever the disk says.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use domain::control::Control;
use domain::id::{IdGenerator, MessageId};
use domain::lane::Lane;
use rusqlite::Connection;

use super::aside::Entry;
use super::commit::{Item, Outcome, Transaction};
use super::database::{Fault, Purpose, log_frames, open_span};
use super::limits::WRITE_CONNECTIONS_MAX;
use super::live::LiveCache;
use super::publish;
use super::span::Span;
use super::writer::{Work, Writer};
use crate::error::RecordError;
use crate::watcher::Committed;

/// A page with its header in the log.
const LOG_FRAME_OCTETS: u64 = 4096 + 24;

impl Writer {
    /// Keeps what belongs to one span; `results` and `committed` learn how that went.
    pub(super) fn keep_in_span(
        &mut self,
        work: &Work<'_>,
        entries: &[Entry],
        results: &mut [Result<(), RecordError>],
        committed: &mut Vec<Committed>,
    ) {
        let all: Vec<(usize, Item<'_>)> = work.items.clone();
        match self.commit(&work.span, &all, committed) {
            Ok(()) => {}
            Err(Fault::Full) => self.keep_without_accepts(work, entries, results, committed),
            Err(Fault::Disk(text)) => {
                self.shared.disk_failed(&work.span.short_name, &text);
                fail(&all, results, &RecordError::Closed);
            }
            Err(Fault::Corrupt(place)) => {
                let damage = work.span.set_damaged(&place);
                fail(&all, results, &RecordError::Damaged(damage));
            }
            // One bad order must not fail its neighbours.
            Err(fault) if orders_in(&all) > 1 => {
                tracing::warn!(target: "store", ?fault, "a commit failed, its batches are tried one by one");
                for number in 0..entries.len() {
                    let own: Vec<_> = all.iter().filter(|(of, _)| *of == number).copied().collect();
                    if !own.is_empty() {
                        self.keep_in_span(
                            &Work { span: Arc::clone(&work.span), end: work.end, items: own },
                            entries,
                            results,
                            committed,
                        );
                    }
                }
            }
            Err(Fault::BadRow(place)) => {
                let damage = work.span.note_bad_row(&place);
                fail(&all, results, &RecordError::Damaged(damage));
            }
            Err(Fault::Interrupted) => fail(&all, results, &RecordError::Closed),
            Err(Fault::Other(reason)) => {
                let file = Arc::clone(&work.span.short_name);
                fail(&all, results, &RecordError::Failed { file, reason: reason.into() });
            }
        }
    }

    /// The disk is full: new messages are refused, what happened to the others is kept out of the reserve.
    fn keep_without_accepts(
        &mut self,
        work: &Work<'_>,
        entries: &[Entry],
        results: &mut [Result<(), RecordError>],
        committed: &mut Vec<Committed>,
    ) {
        self.shared.disk.found_full();
        let (accepts, others): (Vec<_>, Vec<_>) =
            work.items.iter().copied().partition(|(number, _)| entries[*number].order.is_accept());
        fail(&accepts, results, &RecordError::StorageFull);
        if others.is_empty() {
            return;
        }
        match self.commit(&work.span, &others, committed) {
            Ok(()) => {}
            Err(Fault::Disk(text)) => {
                self.shared.disk_failed(&work.span.short_name, &text);
                fail(&others, results, &RecordError::Closed);
            }
            Err(_) => fail(&others, results, &RecordError::StorageFull),
        }
    }

    fn commit(
        &mut self,
        span: &Arc<Span>,
        items: &[(usize, Item<'_>)],
        committed: &mut Vec<Committed>,
    ) -> Result<(), Fault> {
        if self.shared.has_failed() {
            return Err(Fault::Interrupted);
        }
        if let Some(damage) = span.damage() {
            return Err(Fault::Corrupt(damage.place.to_string()));
        }
        let gate = span.gate.lock();
        if span.is_deleted() {
            // Retention was faster: what happened to a message that is not kept any more is not kept either.
            return Ok(());
        }
        let began = Instant::now();
        let control = self.shared.control.snapshot();
        let connection = connection_to(&mut self.connections, span)?;
        let places = (&self.shared.ids, self.lane);
        (self.shared.options.hooks.commit)();
        let result = transact(connection, &mut self.live, span, (&control, places), items);
        if result.is_err() && !connection.is_autocommit() {
            // SQLite has rolled back already after most errors.
            let _ = connection.execute_batch("ROLLBACK");
        }
        let mut outcome = result?;
        span.log_octets.store(u64::from(log_frames()) * LOG_FRAME_OCTETS, Ordering::Relaxed);
        span.touch();
        self.shared.metrics[self.lane.index()].committed(u64::try_from(items.len()).unwrap_or(0), began.elapsed());
        committed.append(&mut outcome.committed);
        self.log_end = self.log_end.max(outcome.last_position);
        publish::publish(&self.shared, span, &mut self.live, outcome);
        drop(gate);
        Ok(())
    }
}

fn orders_in(items: &[(usize, Item<'_>)]) -> usize {
    let mut numbers: Vec<usize> = items.iter().map(|(number, _)| *number).collect();
    numbers.dedup();
    numbers.len()
}

fn fail(items: &[(usize, Item<'_>)], results: &mut [Result<(), RecordError>], error: &RecordError) {
    for (number, _) in items {
        results[*number] = Err(error.clone());
    }
}

fn transact(
    connection: &Connection,
    live: &mut LiveCache,
    span: &Span,
    (control, places): (&Control, (&IdGenerator, Lane)),
    items: &[(usize, Item<'_>)],
) -> Result<Outcome, Fault> {
    connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    let mut transaction = Transaction::new(connection, live, control, places);
    for (_, item) in items {
        transaction.apply(item)?;
    }
    let outcome = transaction.finish()?;
    if span.is_sealed() && !span.late_noted.load(Ordering::Acquire) && outcome.has_keys() {
        connection.execute("INSERT OR REPLACE INTO meta VALUES ('late_keys', 1)", [])?;
        span.late_noted.store(true, Ordering::Release);
    }
    connection.prepare_cached("COMMIT")?.execute([])?;
    Ok(outcome)
}

/// The write connection to a span, opened when it is not among the recent ones.
fn connection_to<'a>(connections: &'a mut Vec<(MessageId, Connection)>, span: &Span) -> Result<&'a Connection, Fault> {
    let known = connections.iter().position(|(first, _)| *first == span.name.first);
    let entry = match known {
        Some(place) => connections.remove(place),
        None => {
            let purpose = if span.is_closed() { Purpose::WriteCold } else { Purpose::WriteHot };
            let connection = open_span(&span.path, purpose).map_err(|error| match error {
                crate::error::OpenError::Database { source, .. } => source.into(),
                other => Fault::Corrupt(other.to_string()),
            })?;
            (span.name.first, connection)
        }
    };
    connections.push(entry);
    if connections.len() > WRITE_CONNECTIONS_MAX {
        connections.remove(0);
    }
    match connections.last() {
        Some((_, connection)) => Ok(connection),
        None => Err(Fault::Other("no connection".into())),
    }
}
