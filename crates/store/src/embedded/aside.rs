//! Batches put aside while a file they touch is locked for building an index.

use std::collections::HashSet;
use std::sync::atomic::Ordering;

use domain::id::MessageId;
use smallvec::SmallVec;

use super::queue::Order;
use super::shared::Shared;
use crate::error::RecordError;

/// An order on its way, perhaps half done.
pub(crate) struct Entry {
    pub order: Order,
    /// How it went so far.
    pub result: Result<(), RecordError>,
    /// The spans, by first id, that still have to be written; `None` = all.
    pub only: Option<SmallVec<[MessageId; 1]>>,
}

impl Entry {
    /// An order nothing was done of.
    pub fn new(order: Order) -> Self {
        Self { order, result: Ok(()), only: None }
    }
}

/// Entries put aside, in the order they came, with the spans they wait for.
#[derive(Default)]
pub(crate) struct Aside {
    entries: Vec<Entry>,
    /// First ids of the spans that entries wait for: whatever comes for them waits behind.
    pub spans: HashSet<MessageId>,
    /// Facts in the entries.
    pub facts: usize,
}

impl Aside {
    /// Puts an entry behind the others.
    pub fn put(&mut self, entry: Entry) {
        self.facts += entry.order.facts().len();
        self.spans.extend(entry.only.iter().flatten());
        self.entries.push(entry);
    }

    /// Takes everything out.
    pub fn take_all(&mut self) -> Vec<Entry> {
        self.spans.clear();
        self.facts = 0;
        std::mem::take(&mut self.entries)
    }

    /// Takes everything out if any of the files is free again; else nothing.
    pub fn take_free(&mut self, shared: &Shared) -> Vec<Entry> {
        let is_locked =
            |first: &MessageId| shared.spans.of(*first).is_some_and(|span| span.building.load(Ordering::Acquire));
        if self.spans.iter().all(is_locked) { Vec::new() } else { self.take_all() }
    }
}
