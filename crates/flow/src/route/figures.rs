//! What routes were taken and what moved, counted for the metrics.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::id::{CarrierId, RouteId};
use domain::lane::Lane;
use domain::limits::{MOVES_COUNTED_MAX, WAYS_COUNTED_MAX};
use foldhash::fast::RandomState;
use hashbrown::HashMap;
use parking_lot::{Mutex, RwLock};

use super::router::NoWay;

/// Counts of ways that were planned and moves that were made. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Figures(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    ways: RwLock<HashMap<(RouteId, CarrierId), AtomicU64, RandomState>>,
    none: [AtomicU64; NoWay::ALL.len()],
    moves: Mutex<HashMap<Move, u64, RandomState>>,
}

/// From where to where messages were moved, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Move {
    /// Their lane.
    pub lane: Lane,
    /// The carrier they waited for.
    pub from: CarrierId,
    /// The carrier they wait for since.
    pub to: CarrierId,
    /// A stable word: how the first carrier was doing, `removed`, `refused` or `order`.
    pub reason: &'static str,
}

impl Figures {
    /// A message that is being accepted takes this way.
    pub(super) fn planned(&self, route: RouteId, carrier: CarrierId) {
        if let Some(count) = self.0.ways.read().get(&(route, carrier)) {
            count.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let mut ways = self.0.ways.write();
        if ways.len() < WAYS_COUNTED_MAX {
            ways.entry((route, carrier)).or_default().fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A message that was offered has no way.
    pub(super) fn no_way(&self, why: NoWay) {
        self.0.none[why as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Messages were moved.
    pub(super) fn moved(&self, made: Move, count: u64) {
        let mut moves = self.0.moves.lock();
        if count > 0 && (moves.contains_key(&made) || moves.len() < MOVES_COUNTED_MAX) {
            *moves.entry(made).or_default() += count;
        }
    }

    /// How many messages that were offered took which route to which carrier.
    #[must_use]
    pub fn ways(&self) -> Vec<(RouteId, CarrierId, u64)> {
        let ways = self.0.ways.read();
        ways.iter().map(|((route, carrier), count)| (*route, *carrier, count.load(Ordering::Relaxed))).collect()
    }

    /// How many messages that were offered had no way, and why.
    #[must_use]
    pub fn none(&self) -> [(NoWay, u64); NoWay::ALL.len()] {
        NoWay::ALL.map(|why| (why, self.0.none[why as usize].load(Ordering::Relaxed)))
    }

    /// How many messages were moved.
    #[must_use]
    pub fn moves(&self) -> Vec<(Move, u64)> {
        self.0.moves.lock().iter().map(|(made, count)| (*made, *count)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_apart_is_bounded() {
        let figures = Figures::default();
        for number in 0..=u32::try_from(WAYS_COUNTED_MAX).expect("small") {
            figures.planned(RouteId(number), CarrierId(1));
            let (lane, from, to) = (Lane::Standard, CarrierId(number), CarrierId(1));
            figures.moved(Move { lane, from, to, reason: "down" }, 3);
        }
        figures.planned(RouteId(0), CarrierId(1));
        assert_eq!(figures.ways().len(), WAYS_COUNTED_MAX);
        assert!(figures.ways().contains(&(RouteId(0), CarrierId(1), 2)), "what is known goes on being counted");
        assert_eq!(figures.moves().len(), MOVES_COUNTED_MAX.min(WAYS_COUNTED_MAX + 1));
    }
}
