//! The window: every request that was given a sequence number and has no end yet.
//!
//! A slot goes `reserved → answered | timed out | connection lost` and has exactly one end, because ending it is taking
//! it out of the table. Whether it was `written` in between follows from where its frame ends in the stream.

use std::time::Duration;

use tokio::time::Instant;

use super::options::ReleaseOn;
use crate::CommandId;

/// Largest sequence number (SMPP 3.4 §5.1.4); the next one is 1.
pub(crate) const SEQUENCE_MAX: u32 = 0x7FFF_FFFF;

/// Table entries for each slot, so that a few late answers rarely make a sequence number be skipped.
const ENTRIES_PER_SLOT: usize = 4;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Slot {
    sequence_number: u32,
    command_id: CommandId,
    pub(crate) token: u64,
    pub(crate) reserved_at: Instant,
    frame_ends_at: u64,
}

#[derive(Debug)]
pub(crate) struct Window {
    /// Indexed by the low bits of the sequence number.
    table: Vec<Option<Slot>>,
    next_sequence_number: u32,
    in_flight: usize,
    held: usize,
    window_max: usize,
    release_on: ReleaseOn,
    response_timeout: Duration,
    /// Not later than the earliest deadline in the table; exact after each [`Self::expire`].
    earliest_deadline: Option<Instant>,
}

impl Window {
    pub(crate) fn new(window_max: usize, release_on: ReleaseOn, response_timeout: Duration) -> Self {
        let window_max = window_max.max(1);
        let entries = (window_max * ENTRIES_PER_SLOT).next_power_of_two().max(16);
        Self {
            table: vec![None; entries],
            next_sequence_number: 1,
            in_flight: 0,
            held: 0,
            window_max,
            release_on,
            response_timeout,
            earliest_deadline: None,
        }
    }

    /// Makes `sequence_number` the next one to be given out.
    pub(crate) fn continue_from(&mut self, sequence_number: u32) {
        self.next_sequence_number = sequence_number.clamp(1, SEQUENCE_MAX);
    }

    /// Slots free for new work.
    pub(crate) fn room(&self) -> usize {
        self.window_max.saturating_sub(self.in_flight + self.held)
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight
    }

    pub(crate) fn held(&self) -> usize {
        self.held
    }

    fn index(&self, sequence_number: u32) -> usize {
        sequence_number as usize & (self.table.len() - 1)
    }

    /// A sequence number that is not in the window; it is not given out again before the numbers wrap.
    pub(crate) fn take_sequence_number(&mut self) -> u32 {
        // The table has more entries than slots, so a free one is found.
        loop {
            let candidate = self.next_sequence_number;
            self.next_sequence_number = if candidate >= SEQUENCE_MAX { 1 } else { candidate + 1 };
            if self.table[self.index(candidate)].is_none() {
                return candidate;
            }
        }
    }

    /// Puts a request into the window. `sequence_number` is from [`Self::take_sequence_number`]; `frame_ends_at` counts
    /// the octets of the stream since the session began.
    pub(crate) fn reserve(
        &mut self,
        sequence_number: u32,
        command_id: CommandId,
        token: u64,
        now: Instant,
        frame_ends_at: u64,
    ) {
        let index = self.index(sequence_number);
        debug_assert!(self.table[index].is_none());
        self.table[index] = Some(Slot { sequence_number, command_id, token, reserved_at: now, frame_ends_at });
        self.in_flight += 1;
        if !self.response_timeout.is_zero() {
            self.earliest_deadline.get_or_insert(now + self.response_timeout);
        }
    }

    /// Ends the slot that `response` with `sequence_number` answers; `generic_nack` answers anything.
    pub(crate) fn answer(&mut self, sequence_number: u32, response: CommandId) -> Option<Slot> {
        let index = self.index(sequence_number);
        let slot = self.table[index]?;
        let answers = response == CommandId::GENERIC_NACK || slot.command_id.response() == Some(response);
        if slot.sequence_number != sequence_number || !answers {
            return None;
        }
        self.table[index] = None;
        self.ended();
        Some(slot)
    }

    fn ended(&mut self) {
        self.in_flight -= 1;
        if self.release_on == ReleaseOn::Handler {
            self.held += 1;
        }
    }

    /// Gives back `slots` that the handler held.
    pub(crate) fn release(&mut self, slots: usize) {
        self.held = self.held.saturating_sub(slots);
    }

    pub(crate) fn earliest_deadline(&self) -> Option<Instant> {
        self.earliest_deadline
    }

    /// Ends every slot whose time is over, oldest first.
    pub(crate) fn expire(&mut self, now: Instant, mut ended: impl FnMut(u32, Slot)) {
        if self.earliest_deadline.is_none_or(|deadline| deadline > now) {
            return;
        }
        let mut over = Vec::new();
        let mut next = None::<Instant>;
        for entry in &mut self.table {
            let Some(slot) = *entry else { continue };
            let deadline = slot.reserved_at + self.response_timeout;
            if deadline <= now {
                over.push(slot);
                *entry = None;
            } else {
                next = Some(next.map_or(deadline, |earliest| earliest.min(deadline)));
            }
        }
        self.earliest_deadline = next;
        over.sort_by_key(|slot| (slot.reserved_at, slot.frame_ends_at));
        for slot in over {
            self.ended();
            ended(slot.sequence_number, slot);
        }
    }

    /// Ends every slot because the connection is gone, oldest first; tells of each whether all of it was among the
    /// `octets_written`.
    pub(crate) fn lose_all(&mut self, octets_written: u64, mut ended: impl FnMut(Slot, bool)) {
        let mut lost: Vec<Slot> = self.table.iter_mut().filter_map(Option::take).collect();
        lost.sort_by_key(|slot| slot.frame_ends_at);
        self.earliest_deadline = None;
        for slot in lost {
            self.ended();
            ended(slot, slot.frame_ends_at <= octets_written);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(window_max: usize) -> Window {
        Window::new(window_max, ReleaseOn::Answer, Duration::from_secs(30))
    }

    fn reserve(window: &mut Window, token: u64) -> u32 {
        let sequence_number = window.take_sequence_number();
        window.reserve(sequence_number, CommandId::SUBMIT_SM, token, Instant::now(), token);
        sequence_number
    }

    #[test]
    fn numbers_wrap_and_skip_those_still_in_the_window() {
        let mut window = window(2);
        let held = reserve(&mut window, 7);
        assert_eq!(held, 1);
        window.continue_from(SEQUENCE_MAX);
        assert_eq!(window.take_sequence_number(), SEQUENCE_MAX);
        assert_eq!(window.take_sequence_number(), 2, "1 is still in the window");
        assert_eq!(window.answer(1, CommandId::SUBMIT_SM_RESP).map(|slot| slot.token), Some(7));
    }

    #[test]
    fn a_number_that_shares_an_entry_ends_nothing() {
        let mut window = window(2);
        let sequence_number = reserve(&mut window, 7);
        let neighbour = sequence_number + window.table.len() as u32;
        assert!(window.answer(neighbour, CommandId::SUBMIT_SM_RESP).is_none());
        assert!(window.answer(sequence_number, CommandId::DATA_SM_RESP).is_none(), "not the answer to submit_sm");
        assert!(window.answer(sequence_number, CommandId::GENERIC_NACK).is_some());
        assert!(window.answer(sequence_number, CommandId::SUBMIT_SM_RESP).is_none(), "ended already");
        assert_eq!((window.in_flight(), window.room()), (0, 2));
    }

    #[test]
    fn held_slots_are_not_room() {
        let mut window = Window::new(2, ReleaseOn::Handler, Duration::ZERO);
        let sequence_number = reserve(&mut window, 7);
        window.answer(sequence_number, CommandId::SUBMIT_SM_RESP);
        assert_eq!((window.room(), window.held()), (1, 1));
        window.release(5);
        assert_eq!(window.room(), 2);
    }

    #[test]
    fn what_was_never_written_is_told_apart() {
        let mut window = window(4);
        for token in [10, 20, 30] {
            reserve(&mut window, token);
        }
        let mut lost = Vec::new();
        window.lose_all(25, |slot, written| lost.push((slot.token, written)));
        assert_eq!(lost, [(10, true), (20, true), (30, false)]);
    }
}
