//! Optional parameters (SMPP 3.4 §5.3): tag, length, value.
//!
//! [`Tlvs`] is a view of raw octets that is walked only when asked. Typed accessors return `Option`: a value of an odd
//! size is read as far as it makes sense, or is `None`, but never spoils the PDU that carries it.

use crate::pdu::Quirks;

/// Tags used by this platform. Others are walked over like any unknown tag.
pub mod tag {
    #![allow(missing_docs, reason = "the names are those of the specification")]
    pub const QOS_TIME_TO_LIVE: u16 = 0x0017;
    pub const SOURCE_PORT: u16 = 0x020A;
    pub const DESTINATION_PORT: u16 = 0x020B;
    pub const SAR_MSG_REF_NUM: u16 = 0x020C;
    pub const SAR_TOTAL_SEGMENTS: u16 = 0x020E;
    pub const SAR_SEGMENT_SEQNUM: u16 = 0x020F;
    pub const SC_INTERFACE_VERSION: u16 = 0x0210;
    pub const USER_MESSAGE_REFERENCE: u16 = 0x0204;
    pub const ADDITIONAL_STATUS_INFO_TEXT: u16 = 0x001D;
    pub const RECEIPTED_MESSAGE_ID: u16 = 0x001E;
    pub const MS_AVAILABILITY_STATUS: u16 = 0x0422;
    pub const NETWORK_ERROR_CODE: u16 = 0x0423;
    pub const MESSAGE_PAYLOAD: u16 = 0x0424;
    pub const DELIVERY_FAILURE_REASON: u16 = 0x0425;
    pub const MORE_MESSAGES_TO_SEND: u16 = 0x0426;
    pub const MESSAGE_STATE: u16 = 0x0427;
    pub const CONGESTION_STATE: u16 = 0x0428;
}

/// Octets of tag and length.
const TLV_HEAD_OCTETS: usize = 4;

/// One optional parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tlv<'a> {
    /// What it is.
    pub tag: u16,
    /// Its octets, exactly as sent.
    pub value: &'a [u8],
}

/// The optional parameters at the end of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tlvs<'a> {
    raw: &'a [u8],
}

/// `network_error_code` (SMPP 3.4 §5.3.2.31): three octets by the book, two or four in the wild.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NetworkErrorCode {
    /// 1 ANSI-136, 2 IS-95, 3 GSM; `None` if the value was too short to hold it.
    pub network_type: Option<u8>,
    /// The network's own error code.
    pub code: u16,
}

impl<'a> Tlvs<'a> {
    /// No optional parameters.
    pub const EMPTY: Self = Self { raw: &[] };

    /// Takes `raw` as a row of TLVs without looking at it.
    #[must_use]
    pub const fn new(raw: &'a [u8]) -> Self {
        Self { raw }
    }

    /// Takes `raw` as a row of TLVs, stepping over one stray NUL when only that makes the row come out even.
    pub(crate) fn forgiving(raw: &'a [u8]) -> (Self, Quirks) {
        if walks_out_even(raw) {
            return (Self { raw }, Quirks::NONE);
        }
        match raw.split_first() {
            Some((0, rest)) if walks_out_even(rest) => (Self { raw: rest }, Quirks::STRAY_NUL),
            _ => (Self { raw }, Quirks::TLV_CUT),
        }
    }

    /// The octets as they stood on the wire, for the log and for sending on.
    #[must_use]
    pub const fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.raw.is_empty()
    }

    /// Walks the parameters in order; stops quietly where the octets stop making sense.
    #[must_use]
    pub const fn iter(&self) -> TlvIter<'a> {
        TlvIter { rest: self.raw }
    }

    /// The value of the first parameter with `tag`.
    #[must_use]
    pub fn get(&self, tag: u16) -> Option<&'a [u8]> {
        self.iter().find(|found| found.tag == tag).map(|found| found.value)
    }

    /// An unsigned number of one to eight octets, whatever size the specification gives it.
    #[must_use]
    pub fn number(&self, tag: u16) -> Option<u64> {
        let value = self.get(tag)?;
        if value.is_empty() || value.len() > 8 {
            return None;
        }
        Some(value.iter().fold(0, |sum, &octet| (sum << 8) | u64::from(octet)))
    }

    /// A C-octet string without its NUL, present or forgotten; `None` if nothing is left.
    #[must_use]
    pub fn text(&self, tag: u16) -> Option<&'a [u8]> {
        let value = self.get(tag)?;
        let end = value.iter().position(|&octet| octet == 0).unwrap_or(value.len());
        (end > 0).then(|| &value[..end])
    }

    fn narrow<T: TryFrom<u64>>(&self, tag: u16) -> Option<T> {
        self.number(tag).and_then(|number| T::try_from(number).ok())
    }

    /// The operator's id of the message a receipt is about (§5.3.2.12).
    #[must_use]
    pub fn receipted_message_id(&self) -> Option<&'a [u8]> {
        self.text(tag::RECEIPTED_MESSAGE_ID)
    }

    /// The state a receipt reports (§5.3.2.35): 1 enroute … 2 delivered … 8 rejected; unknown values are kept.
    #[must_use]
    pub fn message_state(&self) -> Option<u8> {
        self.narrow(tag::MESSAGE_STATE)
    }

    /// The network's error code (§5.3.2.31).
    #[must_use]
    pub fn network_error_code(&self) -> Option<NetworkErrorCode> {
        match *self.get(tag::NETWORK_ERROR_CODE)? {
            [code] => Some(NetworkErrorCode { network_type: None, code: code.into() }),
            [high, low] => Some(NetworkErrorCode { network_type: None, code: u16::from_be_bytes([high, low]) }),
            [kind, high, low] | [kind, high, low, 0] | [0, kind, high, low] => {
                Some(NetworkErrorCode { network_type: Some(kind), code: u16::from_be_bytes([high, low]) })
            }
            [kind, .., high, low] => {
                Some(NetworkErrorCode { network_type: Some(kind), code: u16::from_be_bytes([high, low]) })
            }
            [] => None,
        }
    }

    /// The whole message, when it is not in `short_message` (§5.3.2.32).
    #[must_use]
    pub fn message_payload(&self) -> Option<&'a [u8]> {
        self.get(tag::MESSAGE_PAYLOAD)
    }

    /// The reference the sender gave the message (§5.3.2.17).
    #[must_use]
    pub fn user_message_reference(&self) -> Option<u16> {
        self.narrow(tag::USER_MESSAGE_REFERENCE)
    }

    /// The application port of the sender (§5.3.2.20).
    #[must_use]
    pub fn source_port(&self) -> Option<u16> {
        self.narrow(tag::SOURCE_PORT)
    }

    /// The application port of the recipient (§5.3.2.21).
    #[must_use]
    pub fn destination_port(&self) -> Option<u16> {
        self.narrow(tag::DESTINATION_PORT)
    }

    /// Reference, total and number (from 1) of a part of a long message (§5.3.2.22 – §5.3.2.24), if all three are there.
    #[must_use]
    pub fn sar(&self) -> Option<(u16, u8, u8)> {
        Some((
            self.narrow(tag::SAR_MSG_REF_NUM)?,
            self.narrow(tag::SAR_TOTAL_SEGMENTS)?,
            self.narrow(tag::SAR_SEGMENT_SEQNUM)?,
        ))
    }

    /// The version the SMSC speaks (§5.3.2.25): 0x33, 0x34, 0x50.
    #[must_use]
    pub fn sc_interface_version(&self) -> Option<u8> {
        self.narrow(tag::SC_INTERFACE_VERSION)
    }

    /// How busy the peer is, 0 to 100 (SMPP 5.0 §4.8.4.18).
    #[must_use]
    pub fn congestion_state(&self) -> Option<u8> {
        self.narrow(tag::CONGESTION_STATE)
    }
}

/// Walks optional parameters, see [`Tlvs::iter`].
#[derive(Debug, Clone)]
pub struct TlvIter<'a> {
    rest: &'a [u8],
}

impl<'a> TlvIter<'a> {
    /// What could not be read as a parameter; empty when all of it could.
    #[must_use]
    pub const fn unread(&self) -> &'a [u8] {
        self.rest
    }
}

impl<'a> Iterator for TlvIter<'a> {
    type Item = Tlv<'a>;

    fn next(&mut self) -> Option<Tlv<'a>> {
        let (&[tag_high, tag_low, length_high, length_low], rest) = self.rest.split_first_chunk::<TLV_HEAD_OCTETS>()?;
        let length = usize::from(u16::from_be_bytes([length_high, length_low]));
        let value = rest.get(..length)?;
        self.rest = &rest[length..];
        Some(Tlv { tag: u16::from_be_bytes([tag_high, tag_low]), value })
    }
}

impl<'a> IntoIterator for Tlvs<'a> {
    type Item = Tlv<'a>;
    type IntoIter = TlvIter<'a>;

    fn into_iter(self) -> TlvIter<'a> {
        self.iter()
    }
}

fn walks_out_even(raw: &[u8]) -> bool {
    let mut walk = TlvIter { rest: raw };
    walk.by_ref().for_each(drop);
    walk.rest.is_empty()
}

/// Optional parameters under construction.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TlvBuffer {
    raw: Vec<u8>,
}

impl TlvBuffer {
    /// An empty row.
    #[must_use]
    pub const fn new() -> Self {
        Self { raw: Vec::new() }
    }

    /// Appends a parameter; a value above 65 535 octets, which no length field can express, is cut there.
    pub fn push(&mut self, tag: u16, value: &[u8]) -> &mut Self {
        let length = u16::try_from(value.len()).unwrap_or(u16::MAX);
        self.raw.extend_from_slice(&tag.to_be_bytes());
        self.raw.extend_from_slice(&length.to_be_bytes());
        self.raw.extend_from_slice(&value[..usize::from(length)]);
        self
    }

    /// Appends a C-octet string.
    pub fn push_text(&mut self, tag: u16, text: &[u8]) -> &mut Self {
        let mut value = Vec::with_capacity(text.len() + 1);
        value.extend_from_slice(text);
        value.push(0);
        self.push(tag, &value)
    }

    /// Forgets everything, keeping the memory.
    pub fn clear(&mut self) {
        self.raw.clear();
    }

    /// The row as encoders and accessors take it.
    #[must_use]
    pub fn as_tlvs(&self) -> Tlvs<'_> {
        Tlvs { raw: &self.raw }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(tag: u16, value: &[u8]) -> TlvBuffer {
        let mut buffer = TlvBuffer::new();
        buffer.push(tag, value);
        buffer
    }

    #[test]
    fn odd_sizes_are_read_as_far_as_they_make_sense() {
        assert_eq!(one(tag::RECEIPTED_MESSAGE_ID, b"abc").as_tlvs().receipted_message_id(), Some(&b"abc"[..]));
        assert_eq!(one(tag::RECEIPTED_MESSAGE_ID, b"abc\0").as_tlvs().receipted_message_id(), Some(&b"abc"[..]));
        assert_eq!(one(tag::RECEIPTED_MESSAGE_ID, b"\0").as_tlvs().receipted_message_id(), None);
        assert_eq!(one(tag::USER_MESSAGE_REFERENCE, &[7]).as_tlvs().user_message_reference(), Some(7));
        assert_eq!(one(tag::SOURCE_PORT, &[0, 0, 0x23, 0xF0]).as_tlvs().source_port(), Some(0x23F0));
        assert_eq!(one(tag::SOURCE_PORT, &[1, 0, 0, 0]).as_tlvs().source_port(), None);
        assert_eq!(one(tag::MESSAGE_STATE, &[99]).as_tlvs().message_state(), Some(99));
        let code = |value: &[u8]| one(tag::NETWORK_ERROR_CODE, value).as_tlvs().network_error_code();
        assert_eq!(code(&[3, 0, 11]), Some(NetworkErrorCode { network_type: Some(3), code: 11 }));
        assert_eq!(code(&[0, 11]), Some(NetworkErrorCode { network_type: None, code: 11 }));
        assert_eq!(code(&[3, 0, 11, 0]), Some(NetworkErrorCode { network_type: Some(3), code: 11 }));
        assert_eq!(code(&[]), None);
    }

    #[test]
    fn the_walk_stops_where_the_octets_stop_making_sense() {
        let mut raw = one(0x1401, b"vendor").raw;
        raw.extend_from_slice(&[0x02, 0x04, 0xFF, 0xFF, 1]);
        let mut walk = Tlvs::new(&raw).iter();
        assert_eq!(walk.next(), Some(Tlv { tag: 0x1401, value: b"vendor" }));
        assert_eq!(walk.next(), None);
        assert_eq!(walk.unread().len(), 5);
        assert_eq!(Tlvs::forgiving(&raw).1, Quirks::TLV_CUT);
    }

    #[test]
    fn one_stray_nul_before_the_row_is_stepped_over() {
        let mut raw = vec![0];
        raw.extend(one(tag::MESSAGE_STATE, &[2]).raw);
        let (tlvs, quirks) = Tlvs::forgiving(&raw);
        assert_eq!((tlvs.message_state(), quirks), (Some(2), Quirks::STRAY_NUL));
        assert_eq!(Tlvs::forgiving(&[0]).1, Quirks::STRAY_NUL);
    }
}
