//! Time-ordered ids, made without coordination.
//!
//! A [`MessageId`] is a positive 63-bit number, so that it can be a row id:
//! 41 bits milliseconds since 2025-01-01, 16 bits sequence, 5 bits node, 1 bit lane.
//! Row ids that grow with time keep every insert at the end of its table.

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};

use crate::clock::{Clock, UnixMillis};
use crate::lane::Lane;

/// 2025-01-01T00:00:00Z in Unix milliseconds: the zero of every id.
const EPOCH_MS: i64 = 1_735_689_600_000;
const LANE_BITS: u32 = 1;
const NODE_BITS: u32 = 5;
const SEQUENCE_BITS: u32 = 16;
/// Distance between two neighbouring ids of one block.
pub const ID_STRIDE: i64 = 1 << (LANE_BITS + NODE_BITS);
const MILLISECOND: i64 = 1 << (LANE_BITS + NODE_BITS + SEQUENCE_BITS);

/// Names one message (one recipient of a request), or one request by its first message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct MessageId(pub i64);

impl MessageId {
    /// The lane the message travels on.
    #[must_use]
    pub fn lane(self) -> Lane {
        if self.0 & 1 == 0 { Lane::Standard } else { Lane::Priority }
    }

    /// When the id was made, to the millisecond (may run ahead of the clock under bursts).
    #[must_use]
    pub fn created(self) -> UnixMillis {
        UnixMillis(EPOCH_MS + self.0 / MILLISECOND)
    }

    /// The smallest id that can have been made at or after `moment`.
    #[must_use]
    pub fn first_at(moment: UnixMillis) -> Self {
        Self((moment.0 - EPOCH_MS).max(0).saturating_mul(MILLISECOND))
    }

    /// The id `position` places after this one in the same block.
    #[must_use]
    pub fn offset(self, position: u32) -> Self {
        Self(self.0 + i64::from(position) * ID_STRIDE)
    }

    /// How many places after `first` this id stands in its block, if it can.
    #[must_use]
    pub fn position_after(self, first: Self) -> Option<u32> {
        let distance = self.0.checked_sub(first.0)?;
        (distance % ID_STRIDE == 0).then(|| u32::try_from(distance / ID_STRIDE).ok())?
    }

    /// The reference given to a message whose client chose none: 16 lowercase hexadecimal digits.
    #[must_use]
    pub fn to_reference(self) -> String {
        format!("{:016x}", self.0)
    }

    /// Reads what [`MessageId::to_reference`] wrote.
    #[must_use]
    pub fn from_reference(reference: &str) -> Option<Self> {
        let lowercase_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if reference.len() != 16 || !reference.bytes().all(lowercase_hex) {
            return None;
        }
        i64::from_str_radix(reference, 16).ok().map(Self)
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:016x}", self.0)
    }
}

/// Makes ids that never repeat and never go backwards, whatever the wall clock does.
#[derive(Debug)]
pub struct IdGenerator {
    clock: Clock,
    node: i64,
    /// Last id given out, without node and lane.
    last: AtomicI64,
}

impl IdGenerator {
    /// A generator for `node` (0 to 31) that continues after `last_seen`, the largest stored id.
    #[must_use]
    pub fn new(clock: Clock, node: u8, last_seen: MessageId) -> Self {
        Self { clock, node: i64::from(node & 31) << LANE_BITS, last: AtomicI64::new(last_seen.0 / ID_STRIDE) }
    }

    /// The clock the ids are made by.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The next free id.
    pub fn next(&self, lane: Lane) -> MessageId {
        self.next_block(lane, 1)
    }

    /// The first of `count` neighbouring free ids; the others follow by [`MessageId::offset`].
    pub fn next_block(&self, lane: Lane, count: u32) -> MessageId {
        let now = MessageId::first_at(self.clock.now()).0 / ID_STRIDE;
        let count = i64::from(count.max(1));
        let advance = |last: i64| Some((last + 1).max(now) + count - 1);
        let last = self.last.fetch_update(Ordering::Relaxed, Ordering::Relaxed, advance).unwrap_or_default();
        let first = (last + 1).max(now);
        let lane_bit = i64::from(lane == Lane::Priority);
        MessageId((first * ID_STRIDE) | self.node | lane_bit)
    }

    /// Makes sure that no id up to `seen` is given out again.
    pub fn advance_past(&self, seen: MessageId) {
        self.last.fetch_max(seen.0 / ID_STRIDE, Ordering::Relaxed);
    }
}

macro_rules! row_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
        pub struct $name(pub u32);
    };
}
row_id!(/// Row of an account in the control data.
    AccountId);
row_id!(/// Row of an application key in the control data.
    KeyId);
row_id!(/// Row of a carrier (an operator connection) in the control data.
    CarrierId);
row_id!(/// Row of a route in the control data.
    RouteId);
row_id!(/// Row of a sender in the control data.
    SenderId);
row_id!(/// Row of a webhook endpoint in the control data.
    EndpointId);

impl KeyId {
    /// Stands in requests for a bot, or the customer's own code that answers an incoming message.
    pub const BOT: Self = Self(u32::MAX);
    /// Stands in requests for answers to STOP, HELP and START: those go also to people who want no messages.
    pub const CONFIRMATION: Self = Self(u32::MAX - 1);

    /// Whether no application key is meant but the platform itself.
    #[must_use]
    pub fn is_internal(self) -> bool {
        self == Self::BOT || self == Self::CONFIRMATION
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_grow_even_when_the_clock_goes_back() {
        let clock = Clock::manual(UnixMillis(EPOCH_MS + 1_000_000));
        let generator = IdGenerator::new(clock.clone(), 3, MessageId(0));
        let first = generator.next(Lane::Standard);
        clock.set(UnixMillis(EPOCH_MS));
        let second = generator.next(Lane::Priority);
        assert!(second > first);
        assert_eq!((first.lane(), second.lane()), (Lane::Standard, Lane::Priority));
        assert_eq!(first.created(), UnixMillis(EPOCH_MS + 1_000_000));
    }

    #[test]
    fn a_block_is_contiguous_and_not_given_twice() {
        let generator = IdGenerator::new(Clock::manual(UnixMillis(EPOCH_MS + 5)), 0, MessageId(0));
        let first = generator.next_block(Lane::Standard, 100_000);
        let after = generator.next(Lane::Standard);
        assert_eq!(first.offset(99_999).position_after(first), Some(99_999));
        assert_eq!(after, first.offset(100_000));
    }

    #[test]
    fn a_restart_continues_after_the_largest_stored_id() {
        let seen = MessageId::first_at(UnixMillis(EPOCH_MS + 9_000_000));
        let generator = IdGenerator::new(Clock::manual(UnixMillis(EPOCH_MS + 5)), 0, seen);
        assert!(generator.next(Lane::Standard) > seen);
    }

    #[test]
    fn a_reference_reads_back() {
        let id = MessageId(0x0123_4567_89ab_cdef);
        assert_eq!(MessageId::from_reference(&id.to_reference()), Some(id));
        assert_eq!(MessageId::from_reference("0123456789ABCDEF"), None);
        assert_eq!(MessageId::from_reference("order-1"), None);
    }
}
