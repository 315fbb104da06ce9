//! From a PDU to what somebody wrote.

use domain::control::{Carrier, DefaultAlphabet};
use domain::incoming::{IncomingFlaw, Letters, PartPlace, ReferenceKind};
use smpp::pdu::Sm;
use text::coding::Alphabet;
use text::udh::{Concat, ConcatFlaw, Header};
use text::{Reference, Shift};

/// User data header indicator in `esm_class` (SMPP 3.4 §5.2.12).
const HEADER_INDICATOR: u8 = 0x40;

/// An incoming message or part as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// Who wrote, as the operator gave it.
    pub source: Box<str>,
    /// The number that was written to, as the operator gave it.
    pub destination: Box<str>,
    /// How the octets are read.
    pub letters: Letters,
    /// The text's octets, without headers.
    pub payload: Box<[u8]>,
    /// Which part of which long message it is.
    pub place: Option<PartPlace>,
    /// What is wrong with it.
    pub flaw: Option<IncomingFlaw>,
    /// The body of the PDU as received.
    pub raw: Box<[u8]>,
}

impl Received {
    /// Reads a message. Whatever is wrong with its headers, its text is kept.
    #[must_use]
    pub fn of(carrier: &Carrier, sm: &Sm<'_>, raw: &[u8]) -> Self {
        let octets = sm.message();
        let has_header = sm.esm_class & HEADER_INDICATOR != 0;
        let header = has_header.then(|| text::udh::split(octets)).flatten();
        let concat = header.and_then(|(header, _)| header.concat()).map(place_of_header);
        let (place, flaw) = match concat.or_else(|| sm.tlvs.sar().map(place_of_sar)) {
            // A message of one part is whole whatever its reference says.
            Some(Ok(place)) if place.total == 1 => (None, None),
            Some(Ok(place)) => (Some(place), None),
            Some(Err(flaw)) => (None, Some(flaw)),
            None if has_header && header.is_none() => (None, Some(IncomingFlaw::HeaderTooLong)),
            None => (None, None),
        };
        let (letters, payload) = letters(carrier.default_alphabet, sm.data_coding, header, octets);
        Self {
            source: lossy(sm.source.digits),
            destination: lossy(sm.destination.digits),
            letters,
            payload,
            place,
            flaw,
            raw: raw.into(),
        }
    }

    /// A request that could not be read to its end: kept as it is.
    #[must_use]
    pub fn damaged(raw: &[u8]) -> Self {
        Self {
            source: Box::default(),
            destination: Box::default(),
            letters: Letters::Latin1,
            payload: Box::default(),
            place: None,
            flaw: Some(IncomingFlaw::Damaged),
            raw: raw.into(),
        }
    }
}

fn place_of_header(concat: Concat) -> Result<PartPlace, IncomingFlaw> {
    match concat.flaw() {
        Some(ConcatFlaw::TotalZero) => Err(IncomingFlaw::TotalZero),
        Some(ConcatFlaw::NumberZero) => Err(IncomingFlaw::NumberZero),
        Some(ConcatFlaw::NumberBeyondTotal) => Err(IncomingFlaw::NumberBeyondTotal),
        None => {
            let (kind, reference) = match concat.reference {
                Reference::Bits8(reference) => (ReferenceKind::Header8, u16::from(reference)),
                Reference::Bits16(reference) => (ReferenceKind::Header16, reference),
            };
            Ok(PartPlace { kind, reference, total: concat.total, number: concat.number })
        }
    }
}

fn place_of_sar((reference, total, number): (u16, u8, u8)) -> Result<PartPlace, IncomingFlaw> {
    match (total, number) {
        (0, _) => Err(IncomingFlaw::TotalZero),
        (_, 0) => Err(IncomingFlaw::NumberZero),
        (total, number) if number > total => Err(IncomingFlaw::NumberBeyondTotal),
        _ => Ok(PartPlace { kind: ReferenceKind::Sar, reference, total, number }),
    }
}

/// The text of a message or part alone, as far as it can be read.
pub(crate) fn text_of(default_alphabet: DefaultAlphabet, sm: &Sm<'_>) -> String {
    let octets = sm.message();
    let header = (sm.esm_class & HEADER_INDICATOR != 0).then(|| text::udh::split(octets)).flatten();
    let (letters, payload) = letters(default_alphabet, sm.data_coding, header, octets);
    letters.decode(&payload)
}

/// How the text behind the header is to be read, and its octets.
fn letters(
    default_alphabet: DefaultAlphabet,
    data_coding: u8,
    header: Option<(Header<'_>, &[u8])>,
    octets: &[u8],
) -> (Letters, Box<[u8]>) {
    let (shift, octets, header_octets) = match header {
        Some((header, rest)) => (Shift::of_header(&header), rest, header.octets()),
        None => (Shift::default(), octets, 0),
    };
    let letters = match text::coding::alphabet(data_coding) {
        Alphabet::Ucs2 => Letters::Ucs2,
        Alphabet::OperatorDefault => match default_alphabet {
            DefaultAlphabet::Gsm7 => Letters::Gsm7(shift),
            DefaultAlphabet::Gsm7Packed => {
                let fill_bits = text::packed::fill_bits(header_octets);
                return (Letters::Gsm7(shift), text::packed::unpack_all(octets, fill_bits).into());
            }
            DefaultAlphabet::Latin1 => Letters::Latin1,
            DefaultAlphabet::Ascii => Letters::Ascii,
        },
        Alphabet::Ascii | Alphabet::Latin1 | Alphabet::Binary | Alphabet::Other => Letters::Latin1,
    };
    (letters, octets.into())
}

fn lossy(octets: &[u8]) -> Box<str> {
    String::from_utf8_lossy(octets).into()
}
