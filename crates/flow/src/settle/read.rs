//! From a PDU to what it says: a receipt, an incoming message, or nothing we keep.

use domain::clock::UnixMillis;
use domain::control::Carrier;
use domain::operator_id;
use domain::phone::Phone;
use domain::receipt::ReceiptState;
use smpp::pdu::{Decoded, Pdu, Sm};
use smpp::receipt;

use super::find::Forms;
use crate::two_way::Received;

/// Longest error code kept, in characters.
const ERROR_LENGTH_MAX: usize = 16;

/// A receipt as far as it concerns us.
#[derive(Debug)]
pub(super) struct ReadReceipt {
    /// The ids it names in the form to match by, likeliest first: the parameter's, then the text's where it differs.
    pub ids: Forms,
    /// The first of them as it stands there, if it was asked for.
    pub given: Option<Box<str>>,
    pub state: ReceiptState,
    pub error: Box<str>,
    pub done_at: Option<UnixMillis>,
    pub raw: Box<[u8]>,
    /// The recipient and the sender of the message, if they can be told.
    pub addresses: Option<(Phone, Box<str>)>,
}

#[derive(Debug)]
pub(super) enum Read {
    Receipt(ReadReceipt),
    /// Something that a person wrote.
    Incoming(Box<Received>),
    /// Not a message: `alert_notification` and the like.
    Other,
}

/// Reads one request of an operator. Damaged bodies are searched for a receipt and else kept as they are. `learns` has
/// ids kept as they stand in receipts.
pub(super) fn read(carrier: &Carrier, decoded: &Decoded<'_>, frame: &[u8], learns: bool) -> Read {
    match decoded {
        Decoded::Parsed { pdu: Pdu::DeliverSm(sm), .. } => read_sm(carrier, sm, frame, learns),
        Decoded::Parsed { pdu: Pdu::DataSm(data), .. } => read_sm(carrier, &data.as_sm(), frame, learns),
        Decoded::Parsed { .. } => Read::Other,
        Decoded::Damaged { raw, .. } => match receipt::salvage(raw) {
            Some(found) => read_receipt(carrier, &found, frame, learns, None),
            None => Read::Incoming(Box::new(Received::damaged(&body(frame)))),
        },
    }
}

fn read_sm(carrier: &Carrier, sm: &Sm<'_>, frame: &[u8], learns: bool) -> Read {
    let is_marked = receipt::is_receipt(sm.esm_class);
    if (is_marked || (carrier.sniff_receipts && receipt::has_no_type(sm.esm_class)))
        && let Some(found) = receipt::parse(&receipt::text_of(sm), sm.tlvs)
        && (if is_marked { found.id().is_some() } else { found.is_plain() })
    {
        // A receipt goes the other way: it comes from the recipient to the sender.
        let recipient = std::str::from_utf8(sm.source.digits).ok().and_then(|digits| Phone::parse(digits).ok());
        let addresses = recipient.map(|phone| (phone, String::from_utf8_lossy(sm.destination.digits).into()));
        return read_receipt(carrier, &found, frame, learns, addresses);
    }
    Read::Incoming(Box::new(Received::of(carrier, sm, &body(frame))))
}

fn read_receipt(
    carrier: &Carrier,
    found: &receipt::Receipt<'_>,
    frame: &[u8],
    learns: bool,
    addresses: Option<(Phone, Box<str>)>,
) -> Read {
    let ids = [found.id(), found.other_id()].into_iter().flatten();
    let mut forms = Forms::new();
    for id in ids {
        let form = operator_id::plain(&operator_id::text(id));
        if !form.is_empty() && !forms.contains(&form) {
            forms.push(form);
        }
    }
    let given = found.id().filter(|_| learns).map(operator_id::text);
    let by_word = found.stat.map(|word| carrier.receipt_words.state(&String::from_utf8_lossy(word)));
    let by_number = found.message_state.map(ReceiptState::from_message_state);
    let state = match (by_word, by_number) {
        (Some(word), Some(number)) => word.more_final(number),
        (Some(state), None) | (None, Some(state)) => state,
        (None, None) => ReceiptState::Unknown,
    };
    let error = found.err.map(String::from_utf8_lossy).unwrap_or_default();
    let error = match error.char_indices().nth(ERROR_LENGTH_MAX) {
        Some((end, _)) => error[..end].into(),
        None => (*error).into(),
    };
    let done_at = found.done_date.and_then(|digits| carrier.receipt_time_zone.moment(digits));
    Read::Receipt(ReadReceipt { ids: forms, given, state, error, done_at, raw: body(frame), addresses })
}

fn body(frame: &[u8]) -> Box<[u8]> {
    frame.get(smpp::frame::HEADER_OCTETS..).unwrap_or_default().into()
}
