//! All lines, and the way in.

use std::collections::HashMap;
use std::sync::Arc;

use domain::id::{AccountId, CarrierId, MessageId};
use domain::lane::Lane;
use domain::request::Request;
use parking_lot::RwLock;
use tokio::sync::Notify;

use super::job::Entry;
use super::line::{IdSet, Line};

/// The way into the lines. Cheap to clone.
#[derive(Clone, Default)]
pub struct Enqueue(pub(super) Arc<Lines>);

#[derive(Default)]
pub(super) struct Lines {
    lines: RwLock<HashMap<(Lane, CarrierId), Arc<Line>>>,
    /// A line may have room for what is in the store.
    pub refill_wanted: [Notify; 2],
}

impl Enqueue {
    /// The line of a lane to a carrier.
    #[must_use]
    pub fn line(&self, lane: Lane, carrier: CarrierId) -> Arc<Line> {
        if let Some(line) = self.0.lines.read().get(&(lane, carrier)) {
            return Arc::clone(line);
        }
        let mut lines = self.0.lines.write();
        Arc::clone(lines.entry((lane, carrier)).or_insert_with(|| Arc::new(Line::new(lane, carrier))))
    }

    /// All lines.
    #[must_use]
    pub fn lines(&self) -> Vec<Arc<Line>> {
        self.0.lines.read().values().cloned().collect()
    }

    /// Lines up the messages of a request that just became durable. What is scheduled for later stays
    /// in the store until its time comes.
    pub fn accepted(&self, request: &Request) {
        if request.due_at > request.accepted_at {
            return;
        }
        let lane = request.id.lane();
        let is_due = |entry: &(CarrierId, Entry)| entry.1.job.due_at() <= request.accepted_at;
        let mut entries = Entry::of_request(request).filter(is_due).peekable();
        while let Some((carrier, first)) = entries.next() {
            // A run of neighbours for one carrier is lined up under one lock.
            let mut run = vec![first];
            while let Some((_, entry)) = entries.next_if(|(next, _)| *next == carrier) {
                run.push(entry);
            }
            self.line(lane, carrier).push(run.into_iter());
        }
    }

    /// Takes a message of an account out of its line. True when no bind has it or can take it until
    /// [`Enqueue::withdrawal_ended`].
    #[must_use]
    pub fn withdraw(&self, id: MessageId, account: AccountId) -> bool {
        let lines = self.of_lane(id.lane());
        let withdrawn = lines.iter().all(|line| line.withdraw(id));
        if !withdrawn {
            lines.iter().for_each(|line| line.withdrawal_ended(id, account, true));
        }
        withdrawn
    }

    /// The fact that ended a withdrawn message is durable; if it could not be recorded, the message
    /// waits again.
    pub fn withdrawal_ended(&self, id: MessageId, account: AccountId, recorded: bool) {
        self.of_lane(id.lane()).iter().for_each(|line| line.withdrawal_ended(id, account, recorded));
    }

    /// Takes messages of one lane out of their lines, in one pass over each line. Returns those that no bind has or
    /// can take until [`Enqueue::withdrawals_ended`].
    pub(crate) fn withdraw_all(&self, lane: Lane, ids: &[MessageId]) -> Vec<MessageId> {
        let mut withdrawn: IdSet = ids.iter().copied().collect();
        let lines = self.of_lane(lane);
        lines.iter().for_each(|line| line.withdraw_all(&mut withdrawn));
        // What one line has given away, before another said that a bind has it, waits in neither.
        let refused: IdSet = ids.iter().copied().filter(|id| !withdrawn.contains(id)).collect();
        lines.iter().for_each(|line| line.withdrawals_refused(&refused));
        ids.iter().copied().filter(|id| withdrawn.contains(id)).collect()
    }

    /// The facts that ended or moved withdrawn messages of an account are durable; if they could not be recorded, the
    /// messages wait again.
    pub(crate) fn withdrawals_ended(&self, (lane, account): (Lane, AccountId), ids: &[MessageId], recorded: bool) {
        for line in self.of_lane(lane) {
            ids.iter().for_each(|id| line.withdrawal_ended(*id, account, recorded));
        }
    }

    /// Messages of an account, the lowest of which is this one, wait for this carrier now: they are fetched from the
    /// store as there is room.
    pub(crate) fn left_in_store(&self, (lane, carrier): (Lane, CarrierId), account: AccountId, lowest: MessageId) {
        self.line(lane, carrier).state.lock().spill(account, lowest);
        self.taken(lane);
    }

    /// The lines of one lane.
    #[must_use]
    pub fn of_lane(&self, lane: Lane) -> Vec<Arc<Line>> {
        self.0.lines.read().values().filter(|line| line.lane == lane).cloned().collect()
    }

    /// A bind took messages out of a line of this lane.
    pub fn taken(&self, lane: Lane) {
        self.0.refill_wanted[lane.index()].notify_one();
    }
}
