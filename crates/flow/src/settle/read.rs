//! From a PDU to what it says: a receipt, an incoming message, or nothing we keep.

use domain::clock::UnixMillis;
use domain::control::{Carrier, DefaultAlphabet};
use domain::receipt::ReceiptState;
use smallvec::SmallVec;
use smpp::pdu::{Decoded, Pdu, Sm};
use smpp::receipt;

/// Longest error code kept, in characters.
const ERROR_LENGTH_MAX: usize = 16;

/// A receipt as far as it concerns us.
#[derive(Debug)]
pub(super) struct ReadReceipt {
    /// The forms to match by, likeliest first.
    pub forms: SmallVec<[Box<str>; 2]>,
    pub state: ReceiptState,
    pub error: Box<str>,
    pub done_at: Option<UnixMillis>,
    pub raw: Box<[u8]>,
}

/// An incoming message or part.
#[derive(Debug)]
pub(super) struct ReadIncoming {
    pub source: Box<str>,
    pub destination: Box<str>,
    pub text: Box<str>,
    pub raw: Box<[u8]>,
}

#[derive(Debug)]
pub(super) enum Read {
    Receipt(ReadReceipt),
    Incoming(ReadIncoming),
    /// Not a message: `alert_notification` and the like.
    Other,
}

/// Reads one request of an operator. Damaged bodies are searched for a receipt and else kept as they are.
pub(super) fn read(carrier: &Carrier, decoded: &Decoded<'_>, frame: &[u8]) -> Read {
    match decoded {
        Decoded::Parsed { pdu: Pdu::DeliverSm(sm), .. } => read_sm(carrier, sm, frame),
        Decoded::Parsed { pdu: Pdu::DataSm(data), .. } => read_sm(carrier, &data.as_sm(), frame),
        Decoded::Parsed { .. } => Read::Other,
        Decoded::Damaged { raw, .. } => match receipt::salvage(raw) {
            Some(found) => read_receipt(carrier, &found, frame),
            None => Read::Incoming(ReadIncoming {
                source: Box::default(),
                destination: Box::default(),
                text: Box::default(),
                raw: body(frame),
            }),
        },
    }
}

fn read_sm(carrier: &Carrier, sm: &Sm<'_>, frame: &[u8]) -> Read {
    if receipt::is_receipt(sm.esm_class)
        && let Some(found) = receipt::parse(&receipt::text_of(sm), sm.tlvs)
        && found.id().is_some()
    {
        return read_receipt(carrier, &found, frame);
    }
    Read::Incoming(ReadIncoming {
        source: lossy(sm.source.digits),
        destination: lossy(sm.destination.digits),
        text: incoming_text(carrier.default_alphabet, sm).into(),
        raw: body(frame),
    })
}

fn read_receipt(carrier: &Carrier, found: &receipt::Receipt<'_>, frame: &[u8]) -> Read {
    let mut forms = SmallVec::new();
    for id in [found.id(), found.other_id()].into_iter().flatten() {
        for form in carrier.message_id_format.from_receipt(&String::from_utf8_lossy(id)) {
            if !forms.contains(&form) {
                forms.push(form);
            }
        }
    }
    let by_word = found.stat.map(|word| ReceiptState::from_word(&String::from_utf8_lossy(word)));
    let by_number = found.message_state.map(ReceiptState::from_message_state);
    let state = match (by_word, by_number) {
        (Some(word), Some(number)) => word.more_final(number),
        (Some(state), None) | (None, Some(state)) => state,
        (None, None) => ReceiptState::Unknown,
    };
    let error: String =
        found.err.map(String::from_utf8_lossy).unwrap_or_default().chars().take(ERROR_LENGTH_MAX).collect();
    let done_at = found.done_date.and_then(done_at);
    Read::Receipt(ReadReceipt { forms, state, error: error.into(), done_at, raw: body(frame) })
}

/// `YYMMDDhhmm`, with seconds or with the full year; read as UTC. `None` when it is anything else.
fn done_at(digits: &[u8]) -> Option<UnixMillis> {
    let digits = std::str::from_utf8(digits).ok()?;
    let full = match digits.len() {
        10 => format!("20{digits}00"),
        12 => format!("20{digits}"),
        14 => digits.to_owned(),
        _ => return None,
    };
    let field = |range: std::ops::Range<usize>| full.get(range);
    let (year, month, day) = (field(0..4)?, field(4..6)?, field(6..8)?);
    let (hour, minute, second) = (field(8..10)?, field(10..12)?, field(12..14)?);
    domain::timestamp::parse(&format!("{year}-{month}-{day} {hour}:{minute}:{second}"))
}

/// The text of a message or part, as far as it can be read.
pub(crate) fn incoming_text(default_alphabet: DefaultAlphabet, sm: &Sm<'_>) -> String {
    let message = sm.message();
    let octets = match (sm.esm_class & 0x40 != 0).then(|| text::udh::split(message)).flatten() {
        Some((_, rest)) => rest,
        None => message,
    };
    match text::coding::alphabet(sm.data_coding) {
        text::coding::Alphabet::Ucs2 => text::ucs2::decode_lossy(octets).text,
        text::coding::Alphabet::OperatorDefault => match default_alphabet {
            DefaultAlphabet::Gsm7 => text::gsm7::decode_lossy(octets).text,
            DefaultAlphabet::Gsm7Packed => text::gsm7::decode_lossy(&text::packed::unpack_all(octets, 0)).text,
            DefaultAlphabet::Latin1 => text::latin1::decode(octets),
            DefaultAlphabet::Ascii => text::ascii::decode_lossy(octets).text,
        },
        _ => text::latin1::decode(octets),
    }
}

fn body(frame: &[u8]) -> Box<[u8]> {
    frame.get(smpp::frame::HEADER_OCTETS..).unwrap_or_default().into()
}

fn lossy(octets: &[u8]) -> Box<str> {
    String::from_utf8_lossy(octets).into()
}
