//! Whose turn it is: the slots of a pool are given out by deficit round-robin.
//!
//! Endpoints that wait stand in a row. Whoever comes to its front may make calls for as many events as one
//! full call holds, at most [`CALLS_PER_TURN_MAX`] of them, before the next one has its turn. So an endpoint
//! with full calls and one with many small ones get on alike, and none waits longer than one round.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use domain::limits::EVENTS_PER_CALL_MAX;
use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::bounds::CALLS_PER_TURN_MAX;

/// What a call costs at least, in events: it takes a slot however little it carries.
const COST_MIN: usize = EVENTS_PER_CALL_MAX / CALLS_PER_TURN_MAX;

/// What an endpoint has left of its turn, in events.
#[derive(Debug, Default)]
pub struct Deficit(AtomicUsize);

/// A pool of slots.
#[derive(Clone, Debug)]
pub struct Turns(Arc<Mutex<Row>>);

#[derive(Debug)]
struct Row {
    free: usize,
    waiting: VecDeque<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    deficit: Arc<Deficit>,
    cost: usize,
    /// Its turn begins when it comes to the front; otherwise it goes on with the one it has.
    begins: bool,
    grant: oneshot::Sender<Turn>,
}

/// The right to use one slot; given back when dropped.
#[derive(Debug)]
pub struct Turn(Option<Turns>);

impl Turns {
    /// A pool of so many slots.
    #[must_use]
    pub fn new(slots: usize) -> Self {
        Self(Arc::new(Mutex::new(Row { free: slots, waiting: VecDeque::new() })))
    }

    /// Waits for a slot to make a call with `events` events. Dropping the future takes the wish back.
    pub async fn take(&self, deficit: &Arc<Deficit>, events: usize) -> Turn {
        let cost = events.clamp(COST_MIN, EVENTS_PER_CALL_MAX);
        loop {
            let granted = {
                let mut row = self.0.lock();
                if row.free > 0 {
                    row.free -= 1;
                    deficit.0.store(0, Relaxed);
                    return Turn(Some(self.clone()));
                }
                let (grant, granted) = oneshot::channel();
                let begins = deficit.0.load(Relaxed) < cost;
                let waiting = Waiting { deficit: Arc::clone(deficit), cost, begins, grant };
                if begins {
                    row.waiting.push_back(waiting)
                } else {
                    row.waiting.push_front(waiting)
                }
                granted
            };
            if let Ok(turn) = granted.await {
                return turn;
            }
        }
    }

    /// Hands a slot that became free to whoever is at the front.
    fn give(&self) {
        loop {
            let next = {
                let mut row = self.0.lock();
                let Some(next) = row.waiting.pop_front() else {
                    row.free += 1;
                    return;
                };
                next
            };
            let quantum = if next.begins { EVENTS_PER_CALL_MAX } else { 0 };
            let left = next.deficit.0.load(Relaxed).min(EVENTS_PER_CALL_MAX) + quantum;
            next.deficit.0.store(left.saturating_sub(next.cost), Relaxed);
            match next.grant.send(Turn(Some(self.clone()))) {
                Ok(()) => return,
                // Whoever waited is gone: the slot goes to the next one.
                Err(mut turn) => drop(turn.0.take()),
            }
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(turns) = self.0.take() {
            turns.give();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Endpoints that always want the next call, with so many events each; counts events told in so many slots.
    async fn told(calls: &[usize], slots: usize) -> Vec<usize> {
        let turns = Turns::new(1);
        let held = turns.take(&Arc::default(), 1).await;
        let (told, mut slots) = (Arc::new(Mutex::new(vec![0; calls.len()])), slots);
        for (endpoint, events) in calls.iter().copied().enumerate() {
            let (turns, told, deficit) = (turns.clone(), Arc::clone(&told), Arc::<Deficit>::default());
            tokio::spawn(async move {
                loop {
                    let turn = turns.take(&deficit, events).await;
                    told.lock()[endpoint] += events;
                    // As a pump does: the next wish comes while the call is being made.
                    tokio::spawn(async move {
                        tokio::task::yield_now().await;
                        drop(turn);
                    });
                }
            });
        }
        tokio::task::yield_now().await;
        drop(held);
        while slots > 0 {
            tokio::task::yield_now().await;
            slots -= 1;
        }
        told.lock().clone()
    }

    #[tokio::test]
    async fn full_and_small_calls_get_on_alike() {
        let told = told(&[100, 20, 50], 6_000).await;
        let most = told.iter().max().unwrap();
        assert!(told.iter().all(|events| events * 10 >= most * 9), "{told:?}");
        assert!(*most > 1_000, "{told:?}");
    }

    #[tokio::test]
    async fn a_wish_that_is_taken_back_costs_no_slot() {
        let turns = Turns::new(1);
        let held = turns.take(&Arc::default(), 1).await;
        for _ in 0..10 {
            let deficit = Arc::default();
            let wish = turns.take(&deficit, 1);
            let waited = tokio::time::timeout(std::time::Duration::from_millis(1), wish).await;
            assert!(waited.is_err());
        }
        drop(held);
        drop(turns.take(&Arc::default(), 1).await);
        assert_eq!(turns.0.lock().free, 1);
    }
}
