//! Frames and the few PDUs an operator meets (SMPP 3.4 §3.2, §4).

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};

/// bind_receiver (§4.1.3).
pub const BIND_RECEIVER: u32 = 0x0000_0001;
/// bind_transmitter (§4.1.1).
pub const BIND_TRANSMITTER: u32 = 0x0000_0002;
/// submit_sm (§4.4.1).
pub const SUBMIT_SM: u32 = 0x0000_0004;
/// deliver_sm (§4.6.1).
pub const DELIVER_SM: u32 = 0x0000_0005;
/// unbind (§4.2).
pub const UNBIND: u32 = 0x0000_0006;
/// bind_transceiver (§4.1.5).
pub const BIND_TRANSCEIVER: u32 = 0x0000_0009;
/// enquire_link (§4.11).
pub const ENQUIRE_LINK: u32 = 0x0000_0015;
/// Set in the command_id of every response.
pub const RESPONSE: u32 = 0x8000_0000;

/// One PDU as it lay on the wire.
#[derive(Clone, Debug)]
pub struct Frame {
    /// command_id.
    pub command: u32,
    /// command_status.
    pub status: u32,
    /// sequence_number.
    pub sequence: u32,
    /// Everything after the header.
    pub body: Vec<u8>,
}

impl Frame {
    /// A PDU with this body.
    #[must_use]
    pub fn new(command: u32, status: u32, sequence: u32, body: &[u8]) -> Self {
        Self { command, status, sequence, body: body.to_vec() }
    }

    /// Reads the next one.
    ///
    /// # Errors
    /// The connection is gone, or the length can't be one (§3.2: at least the 16 octets of the header).
    pub async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Self> {
        let mut header = [0; 16];
        stream.read_exact(&mut header).await?;
        let word = |at: usize| u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
        let length = word(0) as usize;
        if !(16..=70_000).contains(&length) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, format!("command_length {length}")));
        }
        let mut body = vec![0; length - 16];
        stream.read_exact(&mut body).await?;
        Ok(Self { command: word(4), status: word(8), sequence: word(12), body })
    }

    /// As it goes on the wire.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let length = 16 + u32::try_from(self.body.len()).unwrap_or(u32::MAX - 16);
        let mut bytes = Vec::with_capacity(length as usize);
        for word in [length, self.command, self.status, self.sequence] {
            bytes.extend_from_slice(&word.to_be_bytes());
        }
        bytes.extend_from_slice(&self.body);
        bytes
    }
}

/// What matters of a submit_sm.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Submit {
    /// source_addr.
    pub source: String,
    /// destination_addr.
    pub destination: String,
    /// data_coding.
    pub data_coding: u8,
    /// Whether a receipt is wanted (§5.2.17).
    pub receipt_wanted: bool,
    /// Number and count of parts from the user data header (3GPP TS 23.040 §9.2.3.24.1), 1 of 1 without.
    pub part: (u8, u8),
    /// The octets of the text, without the header.
    pub octets: Vec<u8>,
}

/// Reads the body of a submit_sm.
#[must_use]
pub fn read_submit(body: &[u8]) -> Option<Submit> {
    let mut rest = body;
    let _service_type = text(&mut rest)?;
    take(&mut rest, 2)?;
    let source = text(&mut rest)?;
    take(&mut rest, 2)?;
    let destination = text(&mut rest)?;
    let esm_class = take(&mut rest, 3)?[0];
    let _schedule = text(&mut rest)?;
    let _validity = text(&mut rest)?;
    let fixed = take(&mut rest, 4)?;
    let length = usize::from(take(&mut rest, 1)?[0]);
    let mut octets = take(&mut rest, length)?.to_vec();
    // §5.3.2.32: message_payload stands for short_message where that is empty.
    while rest.len() >= 4 {
        let (tag, size) = (u16::from_be_bytes([rest[0], rest[1]]), usize::from(u16::from_be_bytes([rest[2], rest[3]])));
        take(&mut rest, 4)?;
        let value = take(&mut rest, size)?;
        if tag == 0x0424 {
            octets = value.to_vec();
        }
    }
    let mut part = (1, 1);
    if esm_class & 0x40 != 0 {
        let header_length = 1 + usize::from(*octets.first()?);
        if let [_, 0x00, 0x03, _reference, count, number, ..] = octets[..] {
            part = (number, count);
        } else if let [_, 0x08, 0x04, _, _, count, number, ..] = octets[..] {
            part = (number, count);
        }
        octets.drain(..header_length.min(octets.len()));
    }
    Some(Submit { source, destination, data_coding: fixed[2], receipt_wanted: fixed[0] & 0x03 != 0, part, octets })
}

fn take<'a>(rest: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(count)?;
    *rest = left;
    Some(taken)
}

/// A C-octet string.
fn text(rest: &mut &[u8]) -> Option<String> {
    let end = rest.iter().position(|octet| *octet == 0)?;
    let taken = String::from_utf8_lossy(&rest[..end]).into_owned();
    *rest = &rest[end + 1..];
    Some(taken)
}

/// The body of a deliver_sm with what a person wrote: ASCII in the default alphabet, anything else in UTF-16
/// (§4.6.1).
#[must_use]
pub fn written_body(source: &str, destination: &str, text: &str, header: &[u8]) -> Vec<u8> {
    let mut octets = header.to_vec();
    if text.is_ascii() {
        octets.extend(text.as_bytes());
    } else {
        octets.extend(text.encode_utf16().flat_map(u16::to_be_bytes));
    }
    let mut body = b"\0\x01\x01".to_vec();
    body.extend_from_slice(source.as_bytes());
    body.extend_from_slice(b"\0\x03\x00");
    body.extend_from_slice(destination.as_bytes());
    // esm_class 0x40: the text begins with a header (§5.2.12).
    body.extend_from_slice(&[0, if header.is_empty() { 0 } else { 0x40 }, 0, 0, 0, 0, 0, 0]);
    body.extend_from_slice(&[if text.is_ascii() { 0 } else { 8 }, 0]);
    body.push(u8::try_from(octets.len()).unwrap_or(u8::MAX));
    body.extend_from_slice(&octets);
    body
}

/// The body of a deliver_sm that carries a receipt in the form of SMPP 3.4 appendix B.
#[must_use]
pub fn receipt_body(source: &str, destination: &str, operator_id: &str, word: &str) -> Vec<u8> {
    let delivered = if word == "DELIVRD" { "001" } else { "000" };
    let text = format!(
        "id:{operator_id} sub:001 dlvrd:{delivered} submit date:2611220400 done date:2611220401 stat:{word} err:000 text:"
    );
    let mut body = b"\0\x01\x01".to_vec();
    body.extend_from_slice(source.as_bytes());
    body.extend_from_slice(b"\0\x05\x00");
    body.extend_from_slice(destination.as_bytes());
    // esm_class 0x04: this short message is a receipt (§5.2.12).
    body.extend_from_slice(b"\0\x04\0\0\0\0\0\0\0\0");
    body.push(u8::try_from(text.len()).unwrap_or(u8::MAX));
    body.extend_from_slice(text.as_bytes());
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_long_message_is_read() {
        let mut body = b"\0\x05\x00ACME\0\x01\x0148500\0\x40\0\0\0\0\x01\0\0\0\x09".to_vec();
        body.extend_from_slice(&[5, 0, 3, 7, 2, 1]);
        body.extend_from_slice(b"abc");
        let submit = read_submit(&body).unwrap();
        assert_eq!((submit.source.as_str(), submit.destination.as_str(), submit.part), ("ACME", "48500", (1, 2)));
        assert_eq!((submit.octets.as_slice(), submit.receipt_wanted), (b"abc".as_slice(), true));
        assert_eq!(read_submit(&body[..body.len() - 1]), None);
    }
}
