//! Deadlines: what is due, and when to look again.

use std::time::Duration;

use tokio::time::Instant;

use super::frames::State;
use super::options::SessionEnd;
use super::outcome::Outcome;

/// How long the last octets of a session may take to be written.
pub(crate) const LAST_WRITE: Duration = Duration::from_secs(1);

/// Where the session is in its life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Bound, and taking work.
    Running,
    /// Bound, finishing what is in the window.
    Draining,
    /// The peer wants to unbind and still owes answers: nothing new is sent, and its `unbind` is answered when the
    /// window is empty, for whoever has its answer closes the connection.
    PeerUnbinding { sequence_number: u32, deadline: Option<Instant> },
    /// `unbind` is sent.
    Unbinding { deadline: Option<Instant> },
    /// Nothing is read any more; the last octets are written, then it is over.
    Ending { end: SessionEnd, deadline: Instant },
}

/// `since` plus a timer, unless the timer is off.
fn after(since: Instant, timer: Duration) -> Option<Instant> {
    (!timer.is_zero()).then(|| since + timer)
}

impl State {
    /// Does what is due; an error is the end of the session.
    pub(crate) fn run_timers(&mut self) -> Result<(), SessionEnd> {
        let now = self.now;
        let due = |deadline: Option<Instant>| deadline.is_some_and(|deadline| deadline <= now);
        match &self.phase {
            Phase::Ending { end, deadline } if *deadline <= now => return Err(end.clone()),
            Phase::Ending { .. } => return Ok(()),
            Phase::Unbinding { deadline } if due(*deadline) => return Err(SessionEnd::UnboundUnanswered),
            Phase::PeerUnbinding { sequence_number, deadline } if due(*deadline) => {
                self.answer_unbind(*sequence_number);
                return Ok(());
            }
            _ => {}
        }
        if due(self.half_frame_deadline()) {
            return Err(SessionEnd::HalfFrame);
        }
        if due(after(self.heard_at, self.options.inactivity_timeout)) {
            return Err(SessionEnd::Inactive);
        }
        if due(self.enquire_deadline()) {
            if self.enquired.is_some() {
                return Err(SessionEnd::EnquireLinkTimeout);
            }
            self.enquire();
        }
        self.expire_requests();
        Ok(())
    }

    fn expire_requests(&mut self) {
        let (outcomes, timed_out) = (&mut self.outcomes, &mut self.timed_out);
        let before = outcomes.len();
        let timed_out_max = self.options.window_max;
        self.window.expire(self.now, |sequence_number, slot| {
            outcomes.push(slot.token, Outcome::TimedOut);
            if timed_out.len() >= timed_out_max {
                timed_out.pop_front();
            }
            timed_out.push_back((sequence_number, slot.token));
        });
        let expired = self.outcomes.len() - before;
        self.tally.timed_out += expired as u64;
        // A peer that owes answers is asked whether it lives: its kernel may be all that is left of it.
        if expired > 0 && self.enquired.is_none() && !self.options.enquire_link_timeout.is_zero() {
            self.enquire();
        }
    }

    fn half_frame_deadline(&self) -> Option<Instant> {
        self.half_frame_since.and_then(|since| after(since, self.options.half_frame_timeout))
    }

    /// When the peer must have answered `enquire_link`, or when it is next asked.
    fn enquire_deadline(&self) -> Option<Instant> {
        match self.enquired {
            Some((_, asked_at)) => after(asked_at, self.options.enquire_link_timeout),
            None => after(self.heard_at, self.options.enquire_link_idle),
        }
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        let phase = match self.phase {
            Phase::Ending { deadline, .. } => return Some(deadline),
            Phase::Unbinding { deadline } | Phase::PeerUnbinding { deadline, .. } => deadline,
            _ => None,
        };
        let inactivity = after(self.heard_at, self.options.inactivity_timeout);
        [phase, self.half_frame_deadline(), self.enquire_deadline(), inactivity, self.window.earliest_deadline()]
            .into_iter()
            .flatten()
            .min()
    }

    pub(crate) fn begin_ending(&mut self, end: SessionEnd) {
        self.phase = Phase::Ending { end, deadline: self.now + LAST_WRITE };
    }

    /// How long the peer that unbinds may take to answer what it owes.
    pub(crate) fn peer_unbinding(&self, sequence_number: u32) -> Phase {
        Phase::PeerUnbinding { sequence_number, deadline: after(self.now, self.options.unbind_timeout) }
    }

    pub(crate) fn unbinding(&self) -> Phase {
        Phase::Unbinding { deadline: after(self.now, self.options.unbind_timeout) }
    }
}
