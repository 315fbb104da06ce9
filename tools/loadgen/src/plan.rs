//! Which request comes next and when it was planned.

use std::cell::{Cell, RefCell};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// A request that is to be sent now.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Planned {
    pub(crate) number: u64,
    pub(crate) at: Instant,
}

/// The arrivals of a run. Lives on one thread.
#[derive(Debug)]
pub(crate) struct Plan {
    start: Instant,
    /// Between two arrivals; `None` in the closed loop, where a request is planned when a connection is free.
    interval_ns: Option<f64>,
    total: u64,
    due: Cell<u64>,
    taken: Cell<u64>,
    /// Nothing more falls due.
    closed: Cell<bool>,
    /// What is due and not yet taken stays unsent.
    abandoned: Cell<bool>,
    backlog_max: Cell<u64>,
    /// Connections without work, the most recently used on top. Never more than there are connections.
    idle: RefCell<Vec<Waker>>,
}

impl Plan {
    pub(crate) fn open(start: Instant, rate: f64, total: u64) -> Self {
        Self::new(start, Some(1e9 / rate), total)
    }

    pub(crate) fn closed(start: Instant, total: u64) -> Self {
        let plan = Self::new(start, None, total);
        plan.due.set(total);
        plan
    }

    fn new(start: Instant, interval_ns: Option<f64>, total: u64) -> Self {
        Self {
            start,
            interval_ns,
            total,
            due: Cell::new(0),
            taken: Cell::new(0),
            closed: Cell::new(false),
            abandoned: Cell::new(false),
            backlog_max: Cell::new(0),
            idle: RefCell::default(),
        }
    }

    fn planned_at(&self, number: u64) -> Option<Instant> {
        let interval_ns = self.interval_ns?;
        Some(self.start + Duration::from_nanos((number as f64 * interval_ns) as u64))
    }

    /// Takes the next request that is due, or waits for one; ready with `None` when there will be none.
    pub(crate) fn poll_next(&self, context: &Context<'_>) -> Poll<Option<Planned>> {
        let number = self.taken.get();
        if number < self.due.get() && !self.abandoned.get() {
            self.taken.set(number + 1);
            let at = self.planned_at(number).unwrap_or_else(Instant::now);
            return Poll::Ready(Some(Planned { number, at }));
        }
        if self.is_over() {
            return Poll::Ready(None);
        }
        self.idle.borrow_mut().push(context.waker().clone());
        Poll::Pending
    }

    /// Whether no request will come any more.
    pub(crate) fn is_over(&self) -> bool {
        self.abandoned.get() || (self.closed.get() && self.taken.get() >= self.due.get())
    }

    /// Lets everything planned until `now` fall due and wakes connections for it. Returns when the next request is
    /// planned, `None` after the last.
    pub(crate) fn advance(&self, now: Instant) -> Option<Instant> {
        let interval_ns = self.interval_ns?;
        let since_start_ns = now.saturating_duration_since(self.start).as_nanos() as f64;
        let mut due = ((since_start_ns / interval_ns) as u64).saturating_add(1).min(self.total);
        // Rounding must not let a request out before its time.
        while due > 0 && self.planned_at(due - 1).is_some_and(|at| at > now) {
            due -= 1;
        }
        self.due.set(due.max(self.due.get()));
        let waiting = self.due.get() - self.taken.get();
        self.backlog_max.set(self.backlog_max.get().max(waiting));
        let mut idle = self.idle.borrow_mut();
        for _ in 0..waiting {
            let Some(waker) = idle.pop() else { break };
            waker.wake();
        }
        (self.due.get() < self.total).then(|| self.planned_at(self.due.get())).flatten()
    }

    /// Nothing more falls due; what is due is still sent.
    pub(crate) fn close(&self) {
        self.closed.set(true);
        if self.interval_ns.is_none() {
            self.due.set(self.taken.get());
        }
        self.wake_all();
    }

    /// What is not yet sent stays so.
    pub(crate) fn abandon(&self) {
        self.abandoned.set(true);
        self.wake_all();
    }

    fn wake_all(&self) {
        self.idle.borrow_mut().drain(..).for_each(Waker::wake);
    }

    /// Requests that fell due and were never sent.
    pub(crate) fn unsent(&self) -> u64 {
        self.due.get() - self.taken.get()
    }

    /// Most requests that were due at a time and had no connection yet.
    pub(crate) fn backlog_max(&self) -> u64 {
        self.backlog_max.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(plan: &Plan) -> Poll<Option<Planned>> {
        plan.poll_next(&Context::from_waker(Waker::noop()))
    }

    #[test]
    fn a_request_keeps_its_planned_time_however_late_it_is_taken() {
        let start = Instant::now();
        let plan = Plan::open(start, 1000.0, 5);
        assert_eq!(plan.advance(start), Some(start + Duration::from_millis(1)));
        assert_eq!(plan.advance(start + Duration::from_millis(3)), Some(start + Duration::from_millis(4)));
        for number in 0..4 {
            let Poll::Ready(Some(planned)) = take(&plan) else { panic!("{number} is due") };
            assert_eq!((planned.number, planned.at), (number, start + Duration::from_millis(number)));
        }
        assert!(take(&plan).is_pending());
        assert_eq!(plan.backlog_max(), 4);
        assert_eq!(plan.advance(start + Duration::from_secs(1)), None, "the last one is due");
        plan.close();
        assert!(matches!(take(&plan), Poll::Ready(Some(Planned { number: 4, .. }))));
        assert!(matches!(take(&plan), Poll::Ready(None)));
    }

    #[test]
    fn what_is_abandoned_is_counted_as_unsent() {
        let start = Instant::now();
        let plan = Plan::open(start, 1000.0, 100);
        plan.advance(start + Duration::from_millis(9));
        assert!(matches!(take(&plan), Poll::Ready(Some(_))));
        plan.close();
        plan.abandon();
        assert!(matches!(take(&plan), Poll::Ready(None)));
        assert_eq!(plan.unsent(), 9);
    }

    #[test]
    fn a_closed_loop_ends_with_nothing_unsent() {
        let plan = Plan::closed(Instant::now(), u64::MAX);
        assert!(matches!(take(&plan), Poll::Ready(Some(Planned { number: 0, .. }))));
        plan.close();
        assert!(matches!(take(&plan), Poll::Ready(None)));
        assert_eq!(plan.unsent(), 0);
    }
}
