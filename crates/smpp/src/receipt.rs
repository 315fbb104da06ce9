//! Delivery reports: the optional parameters and the text of SMPP 3.4 appendix B, which is not normative and is varied
//! by everyone who sends it.
//!
//! The text is read by key, in any order and any case; `text:` ends the reading because what follows is the message
//! itself. Everything is kept as it stood: which word means what differs by operator and is decided elsewhere.

use std::borrow::Cow;

use crate::pdu::Sm;
use crate::tlv::{NetworkErrorCode, Tlvs};

/// The bits of `esm_class` that hold the message type (§5.2.12).
const TYPE_MASK: u8 = 0x3C;

/// The bit of `esm_class` that says a user data header starts the message.
const UDHI: u8 = 0x40;

/// What a delivery report says, field by field, borrowed from the PDU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Receipt<'a> {
    /// The id in `receipted_message_id`.
    pub id_tlv: Option<&'a [u8]>,
    /// The id in the text.
    pub id_text: Option<&'a [u8]>,
    /// The state word in the text, such as `DELIVRD`.
    pub stat: Option<&'a [u8]>,
    /// The state in `message_state`.
    pub message_state: Option<u8>,
    /// The error in the text: digits, letters or both.
    pub err: Option<&'a [u8]>,
    /// The error in `network_error_code`.
    pub network_error_code: Option<NetworkErrorCode>,
    /// How many were submitted, as text.
    pub sub: Option<&'a [u8]>,
    /// How many were delivered, as text.
    pub dlvrd: Option<&'a [u8]>,
    /// When it was submitted: digits as sent, in a zone only the operator knows.
    pub submit_date: Option<&'a [u8]>,
    /// When it became final: digits as sent, in a zone only the operator knows.
    pub done_date: Option<&'a [u8]>,
    /// The first characters of the message, whatever they are.
    pub text: Option<&'a [u8]>,
}

impl<'a> Receipt<'a> {
    /// The id to match first: the parameter, else the text.
    #[must_use]
    pub fn id(&self) -> Option<&'a [u8]> {
        self.id_tlv.or(self.id_text)
    }

    /// Whether it is one beyond doubt, though the message was not marked so: it names a message and says what became
    /// of it.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.id().is_some() && (self.stat.is_some() || self.message_state.is_some())
    }

    /// The id to try when [`Self::id`] matches nothing, if there is another one.
    #[must_use]
    pub fn other_id(&self) -> Option<&'a [u8]> {
        self.id_tlv.and(self.id_text).filter(|&text| Some(text) != self.id_tlv)
    }
}

/// Whether `esm_class` says receipt: SMSC receipt (0x04), SME acknowledgement (0x08) or intermediate (0x20).
#[must_use]
pub const fn is_receipt(esm_class: u8) -> bool {
    matches!(esm_class & TYPE_MASK, 0x04 | 0x08 | 0x20)
}

/// Whether `esm_class` says nothing of the kind of message: small SMSCs send receipts so.
#[must_use]
pub const fn has_no_type(esm_class: u8) -> bool {
    esm_class & TYPE_MASK == 0
}

/// Reads a receipt from the message and the optional parameters; `None` if neither an id nor a state is found.
///
/// Whether a message that is not marked as a receipt may be read as one is the caller's choice, see [`is_receipt`].
#[must_use]
pub fn parse<'a>(short_message: &'a [u8], tlvs: Tlvs<'a>) -> Option<Receipt<'a>> {
    let mut receipt = Receipt {
        id_tlv: tlvs.receipted_message_id(),
        message_state: tlvs.message_state(),
        network_error_code: tlvs.network_error_code(),
        ..Receipt::default()
    };
    read_text(short_message, &mut receipt);
    let says_something = receipt.id().is_some() || receipt.stat.is_some() || receipt.message_state.is_some();
    says_something.then_some(receipt)
}

/// Reads what can be found of a receipt in a frame whose body is damaged: the text is looked for anywhere in it.
#[must_use]
pub fn salvage(raw: &[u8]) -> Option<Receipt<'_>> {
    // The octet before the text is its length, which may look like a letter: the start is not asked to be a word's.
    let start = raw.windows(3).position(|window| window.eq_ignore_ascii_case(b"id:"))?;
    parse(&raw[start..], Tlvs::EMPTY).filter(|receipt| receipt.stat.is_some())
}

/// The text of a receipt as single octets: from `short_message` or `message_payload`, without its user data header, and
/// turned from UCS-2 into UTF-8 when `data_coding` says so.
#[must_use]
pub fn text_of<'a>(message: &Sm<'a>) -> Cow<'a, [u8]> {
    let mut octets = message.message();
    if message.esm_class & UDHI != 0
        && let Some((&header_octets, rest)) = octets.split_first()
    {
        octets = rest.get(usize::from(header_octets)..).unwrap_or(octets);
    }
    if message.data_coding & 0x0C != 0x08 || message.data_coding >= 0xF0 {
        return Cow::Borrowed(octets);
    }
    let units = octets.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
    let text: String = char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
    Cow::Owned(text.into_bytes())
}

#[derive(Clone, Copy)]
enum Key {
    Id,
    Sub,
    Dlvrd,
    SubmitDate,
    DoneDate,
    Stat,
    Err,
    Text,
}

const KEYS: [(&[u8], Key); 14] = [
    (b"id", Key::Id),
    (b"sub", Key::Sub),
    (b"dlvrd", Key::Dlvrd),
    (b"submit date", Key::SubmitDate),
    (b"submit_date", Key::SubmitDate),
    (b"submitdate", Key::SubmitDate),
    (b"done date", Key::DoneDate),
    (b"done_date", Key::DoneDate),
    (b"donedate", Key::DoneDate),
    (b"stat", Key::Stat),
    (b"status", Key::Stat),
    (b"err", Key::Err),
    (b"error", Key::Err),
    (b"text", Key::Text),
];

/// Whether `octet` ends a value.
const fn separates(octet: u8) -> bool {
    octet <= b' ' || matches!(octet, b',' | b';' | b'|')
}

/// A value without the quotation marks around it.
fn unquoted(value: &[u8]) -> &[u8] {
    let inner = |mark: u8| value.strip_prefix(&[mark])?.strip_suffix(&[mark]);
    inner(b'"').or_else(|| inner(b'\'')).unwrap_or(value)
}

/// The key that starts at `text`, and where its value begins.
fn key_at(text: &[u8]) -> Option<(Key, usize)> {
    // Every key starts with one of these; most positions are dismissed by their first octet.
    if !matches!(text.first()?.to_ascii_lowercase(), b'i' | b's' | b'd' | b'e' | b't') {
        return None;
    }
    KEYS.iter().find_map(|&(name, key)| {
        let rest = text.get(name.len()..).filter(|_| text[..name.len()].eq_ignore_ascii_case(name))?;
        let blanks = rest.iter().take_while(|&&octet| octet == b' ').count();
        matches!(rest.get(blanks), Some(b':' | b'=')).then_some((key, name.len() + blanks + 1))
    })
}

fn read_text<'a>(text: &'a [u8], receipt: &mut Receipt<'a>) {
    let mut at = 0;
    while at < text.len() {
        let starts_a_word = at == 0 || !text[at - 1].is_ascii_alphanumeric();
        let Some((key, value_from)) = starts_a_word.then(|| key_at(&text[at..])).flatten() else {
            at += 1;
            continue;
        };
        at += value_from;
        if matches!(key, Key::Text) {
            receipt.text = text.get(at..);
            return;
        }
        // "id: 7 stat: X" is as common as "err: text:": a space before the value is skipped unless a key follows it.
        let blanks = text[at..].iter().take_while(|&&octet| octet == b' ').count();
        if blanks > 0 && key_at(&text[at + blanks..]).is_none() {
            at += blanks;
        }
        let octets = text[at..].iter().take_while(|&&octet| !separates(octet)).count();
        let value = Some(unquoted(&text[at..at + octets])).filter(|value| !value.is_empty());
        at += octets;
        let field = match key {
            Key::Id => &mut receipt.id_text,
            Key::Sub => &mut receipt.sub,
            Key::Dlvrd => &mut receipt.dlvrd,
            Key::SubmitDate => &mut receipt.submit_date,
            Key::DoneDate => &mut receipt.done_date,
            Key::Stat => &mut receipt.stat,
            Key::Err => &mut receipt.err,
            Key::Text => &mut receipt.text,
        };
        if field.is_none() {
            *field = value;
        }
    }
}
