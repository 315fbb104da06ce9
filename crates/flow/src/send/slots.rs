//! What is with the operator: which slot holds which part.

use std::sync::Arc;

use domain::lane::Lane;

use super::form::Form;
use crate::enqueue::Job;

/// A part in flight.
#[derive(Debug)]
pub(super) struct InFlight {
    pub job: Arc<Job>,
    pub number: u8,
    /// How it was written.
    pub form: Form,
    /// The message goes in one piece: this is all of its parts, under the number of the first.
    pub is_whole: bool,
}

impl InFlight {
    pub(super) fn lane(&self) -> Lane {
        self.job.id.lane()
    }
}

/// Parts in flight by token. Each is taken out exactly once.
#[derive(Debug, Default)]
pub(super) struct Slots {
    slots: Vec<Option<InFlight>>,
    free: Vec<usize>,
    /// By lane.
    used: [usize; 2],
}

impl Slots {
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

    /// Takes a part out; `None` if the token is not in use.
    pub(super) fn remove(&mut self, token: u64) -> Option<InFlight> {
        let index = usize::try_from(token).ok()?;
        let part = self.slots.get_mut(index)?.take()?;
        self.free.push(index);
        self.used[part.lane().index()] -= 1;
        Some(part)
    }

    /// Parts in flight of a lane.
    pub(super) fn used(&self, lane: Lane) -> usize {
        self.used[lane.index()]
    }
}
