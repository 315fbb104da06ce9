//! Cutting frames out of a byte stream (SMPP 3.4 §3.2).
//!
//! `command_length` is checked before anything is allocated for it, and a length that cannot be is the only error that
//! ends a session: once the stream is out of step there is no way to find the next frame.

use crate::{CommandId, CommandStatus};

/// Octets of the header that starts every frame.
pub const HEADER_OCTETS: usize = 16;

/// Largest frame accepted by default: 64 KiB of `message_payload`, and room for the header and mandatory fields.
pub const FRAME_OCTETS_MAX: usize = 64 * 1024 + 1024;

/// Octets offered to the socket for one read.
pub const READ_OCTETS: usize = 64 * 1024;

/// Why a stream can no longer be cut into frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// `command_length` is smaller than the header it stands in.
    #[error("command_length {declared} is below the {HEADER_OCTETS} octets of a header; the stream is out of step")]
    TooShort {
        /// The length read.
        declared: u32,
    },
    /// `command_length` is above the limit.
    #[error("command_length {declared} is above the limit of {limit} octets")]
    TooLong {
        /// The length read.
        declared: u32,
        /// The limit in force, in octets.
        limit: usize,
    },
}

/// The last three fields of a header; the length is the frame's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Which PDU this is.
    pub command_id: CommandId,
    /// What became of the request; zero in requests.
    pub command_status: CommandStatus,
    /// Joins a response to its request.
    pub sequence_number: u32,
}

impl Header {
    /// Reads the header of a whole frame, `None` if there are fewer than [`HEADER_OCTETS`].
    #[must_use]
    pub fn read(frame: &[u8]) -> Option<Self> {
        let header: &[u8; HEADER_OCTETS] = frame.first_chunk()?;
        let word = |at: usize| u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
        Some(Self { command_id: CommandId(word(4)), command_status: CommandStatus(word(8)), sequence_number: word(12) })
    }

    /// The sixteen octets of this header for a frame of `frame_octets`.
    #[must_use]
    pub fn to_octets(self, frame_octets: u32) -> [u8; HEADER_OCTETS] {
        let mut octets = [0; HEADER_OCTETS];
        octets[0..4].copy_from_slice(&frame_octets.to_be_bytes());
        octets[4..8].copy_from_slice(&self.command_id.0.to_be_bytes());
        octets[8..12].copy_from_slice(&self.command_status.0.to_be_bytes());
        octets[12..16].copy_from_slice(&self.sequence_number.to_be_bytes());
        octets
    }
}

/// The length of the frame at the start of `buffer` once its first four octets are there.
///
/// # Errors
/// [`FrameError`] if the length is below the header or above `limit`.
pub fn declared_length(buffer: &[u8], limit: usize) -> Result<Option<usize>, FrameError> {
    let Some(first) = buffer.first_chunk::<4>() else {
        return Ok(None);
    };
    let declared = u32::from_be_bytes(*first);
    let length = declared as usize;
    if length < HEADER_OCTETS {
        return Err(FrameError::TooShort { declared });
    }
    if length > limit {
        return Err(FrameError::TooLong { declared, limit });
    }
    Ok(Some(length))
}

/// A read buffer that gives out exactly one frame at a time.
///
/// It holds at most one unfinished frame plus [`READ_OCTETS`], so its memory is bounded by the frame limit.
#[derive(Debug)]
pub struct FrameCutter {
    data: Vec<u8>,
    start: usize,
    end: usize,
    frame_octets_max: usize,
}

impl FrameCutter {
    /// An empty buffer that accepts frames of up to `frame_octets_max`.
    #[must_use]
    pub fn new(frame_octets_max: usize) -> Self {
        Self { data: Vec::new(), start: 0, end: 0, frame_octets_max }
    }

    /// Free space for the next read: enough for the rest of an unfinished frame, never empty.
    pub fn spare(&mut self) -> &mut [u8] {
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
        }
        let waiting = self.end - self.start;
        // A quiet bind keeps the small buffer; one that fills it moves to full reads.
        let wanted = if self.data.is_empty() { READ_OCTETS / 16 } else { READ_OCTETS };
        if self.data.len() - self.end < wanted / 4 || self.data.is_empty() {
            self.data.copy_within(self.start..self.end, 0);
            self.start = 0;
            self.end = waiting;
            let needed = match declared_length(&self.data[..waiting], self.frame_octets_max) {
                Ok(Some(length)) => length.max(waiting + wanted),
                _ => waiting + wanted,
            };
            if self.data.len() < needed {
                self.data.resize(needed, 0);
            }
        }
        &mut self.data[self.end..]
    }

    /// Counts `octets` written into [`Self::spare`] as received; more than the spare space holds is cut off.
    pub fn received(&mut self, octets: usize) {
        self.end = (self.end + octets).min(self.data.len());
    }

    /// Copies `octets` in, for callers that do not read from a socket.
    pub fn push(&mut self, mut octets: &[u8]) {
        while !octets.is_empty() {
            let spare = self.spare();
            let fits = spare.len().min(octets.len());
            spare[..fits].copy_from_slice(&octets[..fits]);
            self.received(fits);
            octets = &octets[fits..];
        }
    }

    /// The next whole frame, header included; `Ok(None)` means that more octets are needed.
    ///
    /// # Errors
    /// [`FrameError`]: answer `generic_nack` with `RINVCMDLEN` and close.
    pub fn next_frame(&mut self) -> Result<Option<&[u8]>, FrameError> {
        let waiting = &self.data[self.start..self.end];
        let Some(length) = declared_length(waiting, self.frame_octets_max)? else {
            return Ok(None);
        };
        if waiting.len() < length {
            return Ok(None);
        }
        let from = self.start;
        self.start += length;
        Ok(Some(&self.data[from..from + length]))
    }

    /// Octets received and not yet given out: the beginning of an unfinished frame.
    #[must_use]
    pub fn unfinished(&self) -> usize {
        self.end - self.start
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(body: &[u8]) -> Vec<u8> {
        let header =
            Header { command_id: CommandId::SUBMIT_SM, command_status: CommandStatus::ROK, sequence_number: 7 };
        let mut octets = header.to_octets((HEADER_OCTETS + body.len()) as u32).to_vec();
        octets.extend_from_slice(body);
        octets
    }

    #[test]
    fn one_octet_at_a_time_gives_the_same_frames() {
        let mut stream = frame(b"first");
        stream.extend(frame(b""));
        stream.extend(frame(&[9; 3000]));
        let mut cutter = FrameCutter::new(FRAME_OCTETS_MAX);
        let mut seen = Vec::new();
        for octet in stream {
            cutter.push(&[octet]);
            if let Some(found) = cutter.next_frame().unwrap() {
                seen.push(found[HEADER_OCTETS..].to_vec());
            }
        }
        assert_eq!(seen, [b"first".to_vec(), Vec::new(), vec![9; 3000]]);
        assert_eq!(cutter.unfinished(), 0);
    }

    #[test]
    fn ten_frames_in_one_segment_come_out_one_by_one() {
        let mut cutter = FrameCutter::new(FRAME_OCTETS_MAX);
        let segment: Vec<u8> = (0..10u8).flat_map(|number| frame(&[number; 3])).collect();
        cutter.push(&segment);
        for number in 0..10u8 {
            assert_eq!(&cutter.next_frame().unwrap().unwrap()[HEADER_OCTETS..], [number; 3]);
        }
        assert_eq!(cutter.next_frame().unwrap(), None);
    }

    #[test]
    fn impossible_lengths_are_fatal_and_allocate_nothing() {
        for declared in [0, 1, 15, 1 << 31, u32::MAX, FRAME_OCTETS_MAX as u32 + 1] {
            let mut cutter = FrameCutter::new(FRAME_OCTETS_MAX);
            cutter.push(&declared.to_be_bytes());
            assert!(cutter.next_frame().is_err(), "{declared} was accepted");
            let _ = cutter.spare();
            assert!(cutter.data.len() <= READ_OCTETS * 2, "{declared} was allocated for");
        }
    }

    #[test]
    fn the_largest_frame_fits() {
        let body = vec![5; FRAME_OCTETS_MAX - HEADER_OCTETS];
        let mut cutter = FrameCutter::new(FRAME_OCTETS_MAX);
        cutter.push(&frame(&body));
        assert_eq!(cutter.next_frame().unwrap().unwrap().len(), FRAME_OCTETS_MAX);
    }

    #[test]
    fn a_truncated_frame_waits_for_more() {
        let whole = frame(b"body");
        let mut cutter = FrameCutter::new(FRAME_OCTETS_MAX);
        cutter.push(&whole[..whole.len() - 1]);
        assert_eq!(cutter.next_frame().unwrap(), None);
        assert_eq!(cutter.unfinished(), whole.len() - 1);
        cutter.push(&whole[whole.len() - 1..]);
        assert_eq!(cutter.next_frame().unwrap(), Some(whole.as_slice()));
    }
}
