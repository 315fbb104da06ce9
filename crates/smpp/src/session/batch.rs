//! Requests of the peer, many at a time.

use crate::Header;
use crate::pdu::{Decoded, decode};

/// The requests of one read, in the order of arrival, as copies of their frames.
#[derive(Debug, Clone, Default)]
pub struct RequestBatch {
    octets: Vec<u8>,
    ends: Vec<u32>,
}

impl RequestBatch {
    pub(crate) fn like(other: &Self) -> Self {
        Self { octets: Vec::with_capacity(other.octets.len()), ends: Vec::with_capacity(other.ends.len()) }
    }

    pub(crate) fn push(&mut self, frame: &[u8]) {
        self.octets.extend_from_slice(frame);
        self.ends.push(self.octets.len() as u32);
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The frames as they came, headers included: what a log or a raw store keeps.
    pub fn frames(&self) -> impl Iterator<Item = &[u8]> {
        let mut from = 0;
        self.ends.iter().map(move |&end| {
            let frame = &self.octets[from..end as usize];
            from = end as usize;
            frame
        })
    }

    /// The requests, decoded one by one as the iterator goes.
    pub fn iter(&self) -> impl Iterator<Item = Decoded<'_>> {
        self.frames().map(decode)
    }

    /// The headers, for answering all alike without reading the bodies.
    pub fn headers(&self) -> impl Iterator<Item = Header> {
        self.frames().filter_map(Header::read)
    }
}
