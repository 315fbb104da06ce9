//! The one writer of a lane: takes everything waiting, commits once, releases all who wait.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use domain::id::MessageId;
use domain::lane::Lane;
use domain::limits::{COMMIT_FACTS_MAX, COMMIT_ROWS_MAX, STORE_QUEUE_BATCHES};
use rusqlite::Connection;
use smallvec::SmallVec;
use tokio::sync::mpsc;

use super::aside::{Aside, Entry};
use super::commit::Item;
use super::database::{Purpose, open_span};
use super::files::{SpanName, sync_directory};
use super::filter::Filters;
use super::index::HotIndex;
use super::limits::ASIDE_FACTS_MAX;
use super::live::LiveCache;
use super::queue::Order;
use super::shared::Shared;
use super::span::{Counts, Span};
use crate::error::RecordError;

/// A lane's writer.
pub(crate) struct Writer {
    pub(super) lane: Lane,
    pub(super) shared: Arc<Shared>,
    orders: mpsc::Receiver<Order>,
    /// Most recently used last.
    pub(super) connections: Vec<(MessageId, Connection)>,
    pub(super) live: LiveCache,
    aside: Aside,
    /// The last place that was given to an event.
    pub(super) log_end: i64,
}

/// The facts of one round that belong to one span, each with the order it came with.
pub(super) struct Work<'a> {
    pub span: Arc<Span>,
    /// The first id that belongs to the next span.
    pub end: MessageId,
    pub items: Vec<(usize, Item<'a>)>,
}

impl Writer {
    /// A writer for `lane` and the way to its queue.
    pub fn new(lane: Lane, shared: Arc<Shared>) -> (Self, mpsc::Sender<Order>) {
        let (sender, orders) = mpsc::channel(STORE_QUEUE_BATCHES);
        let writer = Self {
            lane,
            shared,
            orders,
            connections: Vec::new(),
            live: LiveCache::default(),
            aside: Aside::default(),
            log_end: 0,
        };
        (writer, sender)
    }

    /// Works until the queue is closed and empty.
    pub fn run(mut self) {
        let mut waiting = Vec::new();
        loop {
            let room = COMMIT_FACTS_MAX.saturating_sub(waiting.len()).max(1);
            if waiting.is_empty() && self.orders.blocking_recv_many(&mut waiting, room) == 0 {
                return self.round(Vec::new(), true);
            }
            while waiting.len() < COMMIT_FACTS_MAX
                && let Ok(order) = self.orders.try_recv()
            {
                waiting.push(order);
            }
            let rest = waiting.split_off(round_length(&waiting));
            let mut orders = std::mem::replace(&mut waiting, rest);
            while let Some(place) = orders.iter().position(|order| matches!(order, Order::Rotate { .. })) {
                let later = orders.split_off(place + 1);
                let spare = orders.pop();
                self.round(orders, false);
                if let Some(Order::Rotate { spare }) = spare
                    && let Err(reason) = self.rotate(&spare)
                {
                    tracing::error!(target: "store", lane = self.lane.name(), reason, "could not begin a new span, the old one goes on");
                }
                orders = later;
            }
            self.round(orders, false);
        }
    }

    /// Makes the orders durable and releases those who wait for them. Facts for a file that is locked are
    /// put aside, unless it is the last round or too many are aside already.
    fn round(&mut self, orders: Vec<Order>, is_last: bool) {
        let must_wait = is_last || self.aside.facts > ASIDE_FACTS_MAX;
        let mut entries = if must_wait { self.aside.take_all() } else { self.aside.take_free(&self.shared) };
        entries.extend(orders.into_iter().filter(Order::begin).map(Entry::new));
        if entries.is_empty() {
            return;
        }
        let mut results: Vec<Result<(), RecordError>> =
            entries.iter_mut().map(|entry| std::mem::replace(&mut entry.result, Ok(()))).collect();
        let mut locked: Vec<SmallVec<[MessageId; 1]>> = vec![SmallVec::new(); entries.len()];
        let mut committed = Vec::new();
        for work in self.sort(&entries, &mut results) {
            let first = work.span.name.first;
            if !must_wait && (self.aside.spans.contains(&first) || work.span.building.load(Ordering::Acquire)) {
                for (number, _) in &work.items {
                    if !locked[*number].contains(&first) {
                        locked[*number].push(first);
                    }
                }
                self.aside.spans.insert(first);
                continue;
            }
            self.keep_in_span(&work, &entries, &mut results, &mut committed);
        }
        // Only now, when no file of this round is missing: a reader that got further would skip what came later.
        self.shared.log_ends[self.lane.index()].fetch_max(self.log_end, Ordering::AcqRel);
        if let Some(watcher) = self.shared.watcher.get().filter(|_| !committed.is_empty()) {
            watcher.committed(self.lane, committed);
        }
        for ((mut entry, result), only) in entries.into_iter().zip(results).zip(locked) {
            if only.is_empty() {
                self.release(entry.order, result);
            } else {
                (entry.result, entry.only) = (result, Some(only));
                self.aside.put(entry);
            }
        }
    }

    fn release(&mut self, order: Order, result: Result<(), RecordError>) {
        match order {
            Order::Accept { claims, done, .. } => {
                drop(claims);
                // Whoever gave up waiting does not mind.
                let _ = done.send(result);
            }
            Order::Record { done, .. } => {
                let _ = done.send(result);
            }
            Order::Rotate { .. } | Order::Wake => {}
            Order::Close => self.orders.close(),
        }
    }

    /// Groups the facts by the span they belong to, oldest span first.
    fn sort<'a>(&self, entries: &'a [Entry], results: &mut [Result<(), RecordError>]) -> Vec<Work<'a>> {
        let mut works: Vec<Work<'a>> = Vec::new();
        for (number, entry) in entries.iter().enumerate() {
            for fact in entry.order.facts() {
                Item::of_fact(fact, |item| {
                    let id = item.id();
                    let is_of = |work: &Work<'_>| {
                        work.span.name.first <= id && id < work.end && work.span.name.lane == id.lane()
                    };
                    let work = match works.iter().position(is_of) {
                        Some(place) => &mut works[place],
                        None => match self.shared.spans.of(id) {
                            Some(span) => {
                                let end = self.shared.spans.end_of(&span).unwrap_or(MessageId(i64::MAX));
                                works.push(Work { span, end, items: Vec::new() });
                                let last = works.len() - 1;
                                &mut works[last]
                            }
                            None => {
                                if entry.order.is_accept() {
                                    let reason =
                                        "the message's id is older than everything kept: check the clock".into();
                                    results[number] = Err(RecordError::Failed { file: "spans".into(), reason });
                                }
                                return;
                            }
                        },
                    };
                    if entry.only.as_ref().is_none_or(|only| only.contains(&work.span.name.first)) {
                        work.items.push((number, item));
                    }
                });
            }
        }
        works.retain(|work| !work.items.is_empty());
        works.sort_by_key(|work| work.span.name.first);
        works
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
        span.touch();
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
