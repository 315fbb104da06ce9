//! What is with the operator: which slot holds which part.

use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::sync::Arc;

use domain::lane::Lane;

use super::form::Form;
use super::hedge::Watched;
use crate::enqueue::Job;

/// A part in flight.
#[derive(Clone, Debug)]
pub(super) struct InFlight {
    pub job: Arc<Job>,
    pub number: u8,
    /// How it was written.
    pub form: Form,
    /// The message goes in one piece: this is all of its parts, under the number of the first.
    pub is_whole: bool,
    /// Codes are watched: what is not answered soon is handed on.
    pub watched: Option<Arc<Watched>>,
}

impl InFlight {
    /// The numbers of the parts it is.
    pub(super) fn numbers(&self) -> RangeInclusive<u8> {
        let last = if self.is_whole { self.job.content().parts } else { self.number };
        self.number..=last
    }

    pub(super) fn lane(&self) -> Lane {
        self.job.id.lane()
    }
}

/// Parts in flight by token. Each ends exactly once.
#[derive(Debug)]
pub(super) struct Slots {
    slots: Vec<Option<InFlight>>,
    free: Vec<usize>,
    /// By lane.
    used: [usize; 2],
    /// Tokens of parts that were not answered in time, oldest first: an answer may still come.
    overdue: VecDeque<usize>,
    overdue_max: usize,
}

impl Slots {
    /// Slots of a session that remembers `overdue_max` requests that were not answered in time.
    pub(super) fn new(overdue_max: usize) -> Self {
        Self { slots: Vec::new(), free: Vec::new(), used: [0; 2], overdue: VecDeque::new(), overdue_max }
    }

    /// Puts a part in and returns its token.
    pub(super) fn insert(&mut self, part: InFlight) -> u64 {
        self.used[part.lane().index()] += 1;
        let index = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() - 1
        });
        self.slots[index] = Some(part);
        index as u64
    }

    /// Notes that a part is watched.
    pub(super) fn watch(&mut self, token: u64, watched: Arc<Watched>) {
        let slot = usize::try_from(token).ok().and_then(|index| self.slots.get_mut(index));
        if let Some(Some(part)) = slot {
            part.watched = Some(watched);
        }
    }

    /// A part that was not written after all.
    pub(super) fn remove(&mut self, token: u64) -> Option<InFlight> {
        self.end(token, false)
    }

    /// The end of a part; `None` if the token is not in use. The token of one that was not answered in time is kept for
    /// [`Slots::late`].
    pub(super) fn end(&mut self, token: u64, is_overdue: bool) -> Option<InFlight> {
        let index = usize::try_from(token).ok()?;
        let slot = self.slots.get_mut(index)?;
        let part = if is_overdue { slot.clone() } else { slot.take() }?;
        self.used[part.lane().index()] -= 1;
        if is_overdue {
            self.overdue.push_back(index);
            if self.overdue.len() > self.overdue_max
                && let Some(oldest) = self.overdue.pop_front()
            {
                self.slots[oldest] = None;
                self.free.push(oldest);
            }
        } else {
            self.free.push(index);
        }
        Some(part)
    }

    /// A part whose answer came after its time.
    pub(super) fn late(&mut self, token: u64) -> Option<InFlight> {
        let index = usize::try_from(token).ok()?;
        let place = self.overdue.iter().position(|overdue| *overdue == index)?;
        self.overdue.remove(place);
        self.free.push(index);
        self.slots.get_mut(index)?.take()
    }

    /// Parts in flight of a lane.
    pub(super) fn used(&self, lane: Lane) -> usize {
        self.used[lane.index()]
    }
}
