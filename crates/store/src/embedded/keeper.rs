//! Looks after a lane's files: copies logs back, prepares the next span.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use domain::id::MessageId;
use domain::lane::Lane;
use rusqlite::Connection;
use tokio::sync::mpsc;

use super::database::{Fault, Purpose, create_span, open_span};
use super::files::with_suffix;
use super::limits::{
    KEEPER_TICK_MS, SMALL_SPAN_AGES, SPAN_MESSAGES_MIN, WAL_CHECKPOINT_OCTETS, WAL_OCTETS_MAX, WRITE_CONNECTIONS_MAX,
};
use super::queue::Order;
use super::shared::Shared;
use super::span::Span;
use super::sums::{PageSums, sums_path};
use super::wal::committed_pages;

/// A span that got no fact for so long has its log copied back however short it is.
const IDLE_MS: i64 = 2_000;
/// The same for sealed spans, where it costs two syncs of the page sums beside: late receipts trickle.
const SEALED_IDLE_MS: i64 = 60_000;

/// How long emptying a log waits for readers.
const READERS_WAIT: Duration = Duration::from_millis(20);

/// Looks after the files of a lane on a thread of its own, so that no commit ever copies a log back.
pub(crate) struct Keeper {
    lane: Lane,
    shared: Arc<Shared>,
    orders: mpsc::Sender<Order>,
    connections: Vec<(MessageId, Connection)>,
    /// The span whose successor is ordered.
    rotating: Option<MessageId>,
}

impl Keeper {
    /// A keeper for `lane`.
    pub fn new(lane: Lane, shared: Arc<Shared>, orders: mpsc::Sender<Order>) -> Self {
        Self { lane, shared, orders, connections: Vec::new(), rotating: None }
    }

    /// Works until the store closes.
    pub fn run(mut self) {
        while self.shared.pause(Duration::from_millis(KEEPER_TICK_MS)) {
            self.rotate_if_due();
            for span in self
                .shared
                .spans
                .of_lane_after(self.lane, MessageId(0), |span| span.commits_pending.load(Ordering::Acquire) > 0)
            {
                self.checkpoint_if_due(&span);
            }
        }
        for span in self
            .shared
            .spans
            .of_lane_after(self.lane, MessageId(0), |span| span.commits_pending.load(Ordering::Acquire) > 0)
        {
            self.checkpoint(&span);
        }
    }

    fn checkpoint_if_due(&mut self, span: &Arc<Span>) {
        let length = span.log_octets.load(Ordering::Relaxed);
        if length >= WAL_OCTETS_MAX {
            let gate = span.gate.lock();
            self.copy_back(span, CopyBack::Passive);
            drop(gate);
        }
        let idle_limit = if span.is_sealed() { SEALED_IDLE_MS } else { IDLE_MS };
        let is_idle = span.idle_ms() >= idle_limit;
        if length >= WAL_CHECKPOINT_OCTETS || is_idle {
            self.checkpoint(span);
        }
    }

    /// Copies the log back: most of it beside the writer, the rest while the writer waits, so that the
    /// next commit begins the log anew.
    fn checkpoint(&mut self, span: &Arc<Span>) {
        if span.building.load(Ordering::Acquire) {
            return;
        }
        if span.is_sealed() {
            return self.checkpoint_sealed(span);
        }
        self.shared.step("checkpoint: copy");
        if !self.copy_back(span, CopyBack::Passive) && span.idle_ms() >= IDLE_MS {
            return;
        }
        self.shared.step("checkpoint: finish");
        let gate = span.gate.lock();
        let pending = span.commits_pending.swap(0, Ordering::AcqRel);
        let how =
            if self.shared.is_closing() || span.idle_ms() >= IDLE_MS { CopyBack::Empty } else { CopyBack::Passive };
        if !self.copy_back(span, how) {
            span.commits_pending.fetch_add(pending.max(1), Ordering::AcqRel);
        }
        drop(gate);
    }

    /// As [`Keeper::checkpoint`], with the page sums kept in step. The file is locked all the while, for
    /// nothing may be copied back whose sums are not noted; facts for it are put aside.
    fn checkpoint_sealed(&mut self, span: &Arc<Span>) {
        span.building.store(true, Ordering::Release);
        self.checkpoint_summed(span);
        span.building.store(false, Ordering::Release);
        // The writer may be waiting for nothing but this; if its queue is full it is awake anyway.
        let _ = self.orders.try_send(Order::Wake);
    }

    fn checkpoint_summed(&mut self, span: &Arc<Span>) {
        let gate = span.gate.lock();
        let pending = span.commits_pending.swap(0, Ordering::AcqRel);
        let path = sums_path(&span.path);
        let noted = PageSums::read(&path).map(|mut sums| {
            let in_log = committed_pages(&with_suffix(&span.path, "-wal"))?;
            sums.expect(in_log);
            sums.write(&path)?;
            Ok::<_, std::io::Error>(sums)
        });
        let sums = match noted {
            Ok(Ok(sums)) => Some(sums),
            // The sealer makes sums where there are none.
            Err(_) => None,
            Ok(Err(error)) => {
                tracing::warn!(target: "store", file = &*span.short_name, %error, "page sums could not be written, the log stays");
                span.commits_pending.fetch_add(pending, Ordering::AcqRel);
                return;
            }
        };
        self.shared.step("checkpoint: sealed");
        if !self.copy_back(span, CopyBack::Empty) {
            span.commits_pending.fetch_add(pending, Ordering::AcqRel);
            return;
        }
        if let Some(mut sums) = sums {
            self.shared.step("checkpoint: settle");
            sums.settle();
            if let Err(error) = sums.write(&path) {
                tracing::warn!(target: "store", file = &*span.short_name, %error, "page sums could not be settled");
            }
        }
        drop(gate);
    }

    /// True if all of the log is in the file.
    fn copy_back(&mut self, span: &Arc<Span>, how: CopyBack) -> bool {
        match self.try_copy_back(span, how) {
            Ok(complete) => complete,
            Err(Fault::Disk(text)) => {
                self.shared.disk_failed(&span.short_name, &text);
                false
            }
            Err(Fault::Full) => {
                self.shared.disk.found_full();
                false
            }
            Err(Fault::Corrupt(place) | Fault::BadRow(place)) => {
                span.set_damaged(&place);
                span.commits_pending.store(0, Ordering::Release);
                false
            }
            Err(Fault::Interrupted | Fault::Other(_)) => false,
        }
    }

    fn try_copy_back(&mut self, span: &Arc<Span>, how: CopyBack) -> Result<bool, Fault> {
        if self.shared.has_failed() || span.damage().is_some() {
            return Ok(false);
        }
        let place = self.connections.iter().position(|(first, _)| *first == span.name.first);
        let entry = match place {
            Some(place) => self.connections.remove(place),
            None => {
                let opened = open_span(&span.path, Purpose::WriteCold);
                (span.name.first, opened.map_err(|error| Fault::Other(error.to_string()))?)
            }
        };
        let result = copy_back_with(&entry.1, how);
        self.connections.push(entry);
        if self.connections.len() > WRITE_CONNECTIONS_MAX {
            self.connections.remove(0);
        }
        result
    }

    fn rotate_if_due(&mut self) {
        let Some(newest) = self.shared.spans.newest(self.lane) else { return };
        if self.rotating == Some(newest.name.first) || !self.is_full(&newest) {
            return;
        }
        match self.prepare_spare() {
            Ok(spare) => {
                if self.orders.try_send(Order::Rotate { spare }).is_ok() {
                    self.rotating = Some(newest.name.first);
                }
            }
            Err(error) => {
                tracing::warn!(target: "store", lane = self.lane.name(), %error, "could not prepare the next span")
            }
        }
    }

    fn is_full(&self, span: &Span) -> bool {
        let messages = {
            let counts = span.counts.lock();
            counts.messages + counts.incoming
        };
        let options = &self.shared.options;
        let age_ms = self.shared.clock.now().since_ms(span.name.first.created());
        let is_old = age_ms >= options.span_age_ms && messages >= SPAN_MESSAGES_MIN.min(options.span_messages_max);
        let is_very_old = age_ms >= options.span_age_ms.saturating_mul(SMALL_SPAN_AGES) && messages > 0;
        messages >= options.span_messages_max || is_old || is_very_old || span.damage().is_some()
    }

    fn prepare_spare(&self) -> Result<PathBuf, crate::error::OpenError> {
        self.shared.step("rotate: prepare");
        let spare = self.shared.layout.spare(self.lane);
        for suffix in ["", "-wal", "-shm", "-journal"] {
            let _ = std::fs::remove_file(with_suffix(&spare, suffix));
        }
        create_span(&spare)?;
        Ok(spare)
    }
}

/// How far a log is copied back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CopyBack {
    /// As far as nobody is in the way.
    Passive,
    /// In full, and the log is emptied, so that rot in the file is not hidden by it.
    Empty,
}

/// Copies the log of a file back; true if all of it is in the file.
pub(crate) fn copy_back_with(connection: &Connection, how: CopyBack) -> Result<bool, Fault> {
    let checkpoint = |sql| {
        connection.query_row(sql, [], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?)))
    };
    if how == CopyBack::Empty {
        // Readers are not waited for: their next statement sees the emptied log or the full one.
        connection.busy_timeout(READERS_WAIT)?;
        let (busy, ..) = checkpoint("PRAGMA wal_checkpoint(TRUNCATE)")?;
        if busy == 0 {
            return Ok(true);
        }
    }
    let (busy, log, copied) = checkpoint("PRAGMA wal_checkpoint(PASSIVE)")?;
    Ok(busy == 0 && log == copied)
}
