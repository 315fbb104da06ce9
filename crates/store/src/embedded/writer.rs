//! The one writer of a lane: takes everything waiting, commits once, releases all who wait.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use domain::id::MessageId;
use domain::lane::Lane;
use domain::limits::{COMMIT_FACTS_MAX, COMMIT_ROWS_MAX, STORE_QUEUE_BATCHES};
use rusqlite::Connection;
use tokio::sync::mpsc;

use super::commit::{Item, Outcome, Transaction};
use super::database::{Fault, Purpose, open_span};
use super::files::{SpanName, sync_directory};
use super::filter::Filters;
use super::index::HotIndex;
use super::limits::WRITE_CONNECTIONS_MAX;
use super::live::LiveCache;
use super::publish;
use super::queue::Order;
use super::shared::Shared;
use super::span::{Counts, Span};
use crate::error::RecordError;
use crate::watcher::Committed;

/// A lane's writer.
pub(crate) struct Writer {
    lane: Lane,
    shared: Arc<Shared>,
    orders: mpsc::Receiver<Order>,
    /// Most recently used last.
    connections: Vec<(MessageId, Connection)>,
    live: LiveCache,
}

/// The facts of one round that belong to one span, each with the order it came with.
struct Work<'a> {
    span: Arc<Span>,
    /// The first id that belongs to the next span.
    end: MessageId,
    items: Vec<(usize, Item<'a>)>,
}

impl Writer {
    /// A writer for `lane` and the way to its queue.
    pub fn new(lane: Lane, shared: Arc<Shared>) -> (Self, mpsc::Sender<Order>) {
        let (sender, orders) = mpsc::channel(STORE_QUEUE_BATCHES);
        (Self { lane, shared, orders, connections: Vec::new(), live: LiveCache::default() }, sender)
    }

    /// Works until the queue is closed and empty.
    pub fn run(mut self) {
        let mut waiting = Vec::new();
        loop {
            let room = COMMIT_FACTS_MAX.saturating_sub(waiting.len()).max(1);
            if waiting.is_empty() && self.orders.blocking_recv_many(&mut waiting, room) == 0 {
                return;
            }
            while waiting.len() < COMMIT_FACTS_MAX
                && let Ok(order) = self.orders.try_recv()
            {
                waiting.push(order);
            }
            let rest = waiting.split_off(round_length(&waiting));
            self.round(std::mem::replace(&mut waiting, rest));
        }
    }

    fn round(&mut self, mut orders: Vec<Order>) {
        if let Some(place) = orders.iter().position(|order| matches!(order, Order::Rotate { .. })) {
            let later = orders.split_off(place + 1);
            if let Some(Order::Rotate { spare }) = orders.pop() {
                self.keep(orders);
                if let Err(reason) = self.rotate(&spare) {
                    tracing::error!(target: "store", lane = self.lane.name(), reason, "could not begin a new span, the old one goes on");
                }
            }
            return self.round(later);
        }
        self.keep(orders);
    }

    /// Makes the orders durable and releases those who wait for them.
    fn keep(&mut self, orders: Vec<Order>) {
        if orders.is_empty() {
            return;
        }
        let mut results: Vec<Result<(), RecordError>> = vec![Ok(()); orders.len()];
        let mut committed = Vec::new();
        for work in self.sort(&orders, &mut results) {
            self.keep_in_span(&work, &orders, &mut results, &mut committed);
        }
        if let Some(watcher) = self.shared.watcher.get().filter(|_| !committed.is_empty()) {
            watcher.committed(self.lane, committed);
        }
        for (order, result) in orders.into_iter().zip(results) {
            match order {
                Order::Accept { claims, done, .. } => {
                    drop(claims);
                    // Whoever gave up waiting does not mind.
                    let _ = done.send(result);
                }
                Order::Record { done, .. } => {
                    let _ = done.send(result);
                }
                Order::Rotate { .. } => {}
                Order::Close => self.orders.close(),
            }
        }
    }

    /// Groups the facts by the span they belong to, oldest span first.
    fn sort<'a>(&self, orders: &'a [Order], results: &mut [Result<(), RecordError>]) -> Vec<Work<'a>> {
        let mut works: Vec<Work<'a>> = Vec::new();
        for (number, order) in orders.iter().enumerate() {
            for fact in order.facts() {
                Item::of_fact(fact, |item| {
                    let id = item.id();
                    let is_of = |work: &&mut Work<'_>| {
                        work.span.name.first <= id && id < work.end && work.span.name.lane == id.lane()
                    };
                    if let Some(work) = works.iter_mut().find(is_of) {
                        work.items.push((number, item));
                    } else if let Some(span) = self.shared.spans.of(id) {
                        let end = self.shared.spans.end_of(&span).unwrap_or(MessageId(i64::MAX));
                        works.push(Work { span, end, items: vec![(number, item)] });
                    } else if order.is_accept() {
                        let reason = "the message's id is older than everything kept: check the clock".into();
                        results[number] = Err(RecordError::Failed { file: "spans".into(), reason });
                    }
                });
            }
        }
        works.sort_by_key(|work| work.span.name.first);
        works
    }

    fn keep_in_span(
        &mut self,
        work: &Work<'_>,
        orders: &[Order],
        results: &mut [Result<(), RecordError>],
        committed: &mut Vec<Committed>,
    ) {
        let all: Vec<(usize, Item<'_>)> = work.items.clone();
        match self.commit(&work.span, &all, committed) {
            Ok(()) => {}
            Err(Fault::Full) => self.keep_without_accepts(work, orders, results, committed),
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
                for number in 0..orders.len() {
                    let own: Vec<_> = all.iter().filter(|(of, _)| *of == number).copied().collect();
                    if !own.is_empty() {
                        self.keep_in_span(
                            &Work { span: Arc::clone(&work.span), end: work.end, items: own },
                            orders,
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
        orders: &[Order],
        results: &mut [Result<(), RecordError>],
        committed: &mut Vec<Committed>,
    ) {
        self.shared.disk.found_full();
        let (accepts, others): (Vec<_>, Vec<_>) =
            work.items.iter().copied().partition(|(number, _)| orders[*number].is_accept());
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
        let began = Instant::now();
        let control = self.shared.control.snapshot();
        let connection = connection_to(&mut self.connections, span)?;
        let result = transact(connection, &mut self.live, span, &control, items);
        if result.is_err() && !connection.is_autocommit() {
            // SQLite has rolled back already after most errors.
            let _ = connection.execute_batch("ROLLBACK");
        }
        let mut outcome = result?;
        span.touch(self.shared.clock.now());
        self.shared.metrics[self.lane.index()].committed(u64::try_from(items.len()).unwrap_or(0), began.elapsed());
        committed.append(&mut outcome.committed);
        publish::publish(&self.shared, span, &mut self.live, outcome);
        drop(gate);
        Ok(())
    }

    /// Begins a new span. Only the writer does this, so that no commit can fall between the choice of the
    /// boundary and the moment it holds.
    fn rotate(&mut self, spare: &Path) -> Result<(), String> {
        let name = SpanName { lane: self.lane, first: self.shared.ids.next(self.lane) };
        let path = self.shared.layout.span(name);
        self.shared.step("rotate: rename");
        std::fs::rename(spare, &path).map_err(|error| error.to_string())?;
        sync_directory(&self.shared.layout.spans()).map_err(|error| error.to_string())?;
        let connection = open_span(&path, Purpose::WriteHot).map_err(|error| error.to_string())?;
        let filters = Filters::new(path.with_extension("filter"), false);
        let span = Arc::new(Span::new(name, path, Some(HotIndex::default()), Counts::default(), filters));
        span.touch(self.shared.clock.now());
        self.connections.push((name.first, connection));
        self.shared.spans.add(span);
        Ok(())
    }
}

/// How many of the waiting orders one round takes.
fn round_length(orders: &[Order]) -> usize {
    let (mut facts, mut rows) = (0, 0);
    for (place, order) in orders.iter().enumerate() {
        for fact in order.facts() {
            Item::of_fact(fact, |item| {
                facts += 1;
                rows += item.rows();
            });
        }
        if place > 0 && (facts > COMMIT_FACTS_MAX || rows > COMMIT_ROWS_MAX) {
            return place;
        }
    }
    orders.len()
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
    control: &domain::control::Control,
    items: &[(usize, Item<'_>)],
) -> Result<Outcome, Fault> {
    connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    let mut transaction = Transaction::new(connection, live, control);
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
