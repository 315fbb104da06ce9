//! A text in the octets that a carrier takes.

use domain::control::{Carrier, DefaultAlphabet, InterfaceVersion, LongMessages};
use domain::id::MessageId;
use domain::limits;
use domain::request::Content;
use text::{Encoding, Reference, Segment, TextError, packed};

/// The parts of a text, written for a carrier once and shared by all recipients of a request. It says all of itself, so
/// that settings of the carrier which change meanwhile change nothing about it.
#[derive(Debug)]
pub struct Encoded {
    /// `short_message` of each part, the reference octets of its user data header still zero.
    pub parts: Vec<Vec<u8>>,
    /// Where the reference stands in each part.
    pub reference: ReferenceOctets,
    /// Whether the header of each part names national tables.
    pub has_tables: bool,
    /// All of them in one piece, without header, for `message_payload`; only where a carrier wants it so.
    pub whole: Option<Vec<u8>>,
    /// How the parts travel.
    pub long_messages: LongMessages,
    /// `data_coding` without the message class.
    pub data_coding: u8,
}

/// Where the concatenation reference stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReferenceOctets {
    /// A single part has none.
    None,
    /// One octet at index 3.
    Bits8,
    /// Two octets from index 3 on.
    Bits16,
}

/// The alphabet in which the octets of a text go to a carrier.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Letters {
    /// As the text was measured.
    Own,
    /// GSM 7-bit, packed.
    Packed,
    /// What `data_coding` 0 means at the carrier.
    Latin1,
    Ascii,
}

/// Writes the text as the carrier wants it, in no more parts than were priced.
pub(super) fn encode(content: &Content, carrier: &Carrier) -> Result<Encoded, TextError> {
    encode_as(content, carrier, carrier.long_messages)
}

/// The same, long messages in another way than the carrier's settings say.
pub(super) fn encode_as(
    content: &Content,
    carrier: &Carrier,
    long_messages: LongMessages,
) -> Result<Encoded, TextError> {
    let is_septets = content.encoding != Encoding::Ucs2;
    let letters = match carrier.default_alphabet {
        DefaultAlphabet::Gsm7Packed if is_septets => Letters::Packed,
        DefaultAlphabet::Latin1 if is_septets => Letters::Latin1,
        DefaultAlphabet::Ascii if is_septets => Letters::Ascii,
        _ => Letters::Own,
    };
    let knows_tables = |shift: text::Shift| {
        let named = [shift.locking, shift.single].into_iter().flatten();
        matches!(letters, Letters::Own | Letters::Packed)
            && named.into_iter().all(|table| carrier.national_tables.has(table))
    };
    let encoding = match content.encoding {
        Encoding::National(shift) if !knows_tables(shift) => Encoding::Ucs2,
        encoding => encoding,
    };
    let parts_max = u16::from(if encoding == content.encoding { limits::PARTS_PER_MESSAGE_MAX } else { content.parts });
    let written =
        |encoding, letters, parts_max| written(content, (carrier, long_messages), encoding, letters, parts_max);
    match written(encoding, letters, parts_max) {
        // What the carrier's own alphabet lacks goes as UCS-2, if that takes no more parts than were priced.
        Err(TextError::Unencodable(_)) => written(Encoding::Ucs2, Letters::Own, u16::from(content.parts)),
        done => done,
    }
}

/// Whether a carrier can be given the text of a message in no more parts than were priced.
pub(crate) fn can_carry(carrier: &Carrier, content: &Content, id: MessageId) -> bool {
    let has_septets = matches!(carrier.default_alphabet, DefaultAlphabet::Gsm7 | DefaultAlphabet::Gsm7Packed);
    match content.encoding {
        // Every carrier takes these as they are.
        Encoding::Ucs2 => true,
        Encoding::Gsm7 if has_septets => true,
        _ if content.links.is_none() => encode(content, carrier).is_ok(),
        _ => encode(&own(content, id), carrier).is_ok(),
    }
}

/// The content with the text that one recipient gets.
pub(super) fn own(content: &Content, id: MessageId) -> Content {
    let text = domain::request::text_for(&content.text, content.links.as_deref(), id);
    Content { text: text.into(), links: None, ..content.clone() }
}

fn written(
    content: &Content,
    (carrier, long_messages): (&Carrier, LongMessages),
    encoding: Encoding,
    letters: Letters,
    parts_max: u16,
) -> Result<Encoded, TextError> {
    let letters = if encoding == Encoding::Ucs2 { Letters::Own } else { letters };
    let is_national = matches!(encoding, Encoding::National(_));
    let long_messages = match long_messages {
        // SMPP 3.3 has no parameters, and tables are named in the header only.
        LongMessages::Sar | LongMessages::Payload
            if is_national || carrier.interface_version == InterfaceVersion::V33 =>
        {
            LongMessages::Udh8
        }
        long_messages => long_messages,
    };
    let (segments, reference) = segments(&content.text, encoding, long_messages, parts_max)?;
    let parts = segments.iter().map(|segment| short_message(segment, letters)).collect::<Result<_, _>>()?;
    let whole = (long_messages == LongMessages::Payload && segments.len() > 1)
        .then(|| in_one_piece(&content.text, encoding, letters))
        .transpose()?;
    Ok(Encoded { parts, has_tables: is_national, reference, whole, long_messages, data_coding: encoding.data_coding() })
}

fn segments(
    text: &str,
    encoding: Encoding,
    long_messages: LongMessages,
    parts_max: u16,
) -> Result<(Vec<Segment>, ReferenceOctets), TextError> {
    let narrow = text::segment_as(text, encoding, Reference::Bits8(0), parts_max)?;
    if narrow.len() == 1 {
        return Ok((narrow, ReferenceOctets::None));
    }
    if long_messages == LongMessages::Udh16
        // A 16-bit reference costs each part a unit; where that would make a part more than was accepted and priced,
        // the 8-bit one stays.
        && let Ok(wide) = text::segment_as(text, encoding, Reference::Bits16(0), parts_max)
        && wide.len() == narrow.len()
    {
        return Ok((wide, ReferenceOctets::Bits16));
    }
    Ok((narrow, ReferenceOctets::Bits8))
}

fn short_message(segment: &Segment, letters: Letters) -> Result<Vec<u8>, TextError> {
    let payload = match letters {
        Letters::Own => return Ok(segment.short_message()),
        Letters::Packed => return Ok(segment.short_message_packed()),
        Letters::Latin1 | Letters::Ascii => {
            // The cuts are those of the septets that the operator will make of it.
            let text = text::gsm7::decode(&segment.payload).unwrap_or_default();
            foreign(&text, letters)?
        }
    };
    Ok([segment.udh.as_slice(), &payload].concat())
}

fn in_one_piece(text: &str, encoding: Encoding, letters: Letters) -> Result<Vec<u8>, TextError> {
    match (encoding, letters) {
        (Encoding::Ucs2, _) => Ok(text::ucs2::encode(text)),
        (_, Letters::Own) => Ok(text::gsm7::encode(text)?),
        (_, Letters::Packed) => Ok(packed::pack(&text::gsm7::encode(text)?, 0)),
        (_, Letters::Latin1 | Letters::Ascii) => foreign(text, letters),
    }
}

fn foreign(text: &str, letters: Letters) -> Result<Vec<u8>, TextError> {
    let octets = if letters == Letters::Ascii { text::ascii::encode(text) } else { text::latin1::encode(text) };
    Ok(octets?)
}

#[cfg(test)]
mod tests {
    use domain::clock::UnixMillis;

    use super::*;
    use crate::testing::carrier;

    fn content(text: &str) -> Content {
        let measure = text::measure(text, text::ReferenceWidth::Bits8);
        with(text, measure.encoding, measure.parts)
    }

    fn with(text: &str, encoding: Encoding, parts: u16) -> Content {
        Content {
            key: domain::id::KeyId(1),
            traffic: domain::lane::Traffic::Transactional,
            sender: domain::sender::Sender::parse("ACME").expect("a sender"),
            text: text.into(),
            links: None,
            encoding,
            parts: u8::try_from(parts).expect("few"),
            flash: false,
            accepted_at: UnixMillis(0),
            due_at: UnixMillis(0),
            expires_at: UnixMillis(0),
        }
    }

    fn encoded(text: &str, change: impl FnOnce(&mut Carrier)) -> Result<Encoded, TextError> {
        let mut carrier = carrier(1);
        change(&mut carrier);
        encode(&content(text), &carrier)
    }

    #[test]
    fn a_carrier_whose_default_is_latin1_gets_latin1() {
        let latin1 = |carrier: &mut Carrier| carrier.default_alphabet = DefaultAlphabet::Latin1;
        let at = encoded("mail@example.com $5", latin1).expect("fits");
        assert_eq!((at.parts.as_slice(), at.data_coding), ([b"mail@example.com $5".to_vec()].as_slice(), 0));
        let euro = encoded("5 €", latin1).expect("goes as UCS-2");
        assert_eq!((euro.parts.len(), euro.data_coding), (1, 8));
        let ascii = |carrier: &mut Carrier| carrier.default_alphabet = DefaultAlphabet::Ascii;
        assert!(encoded(&"€".repeat(80), ascii).is_err(), "UCS-2 would take more parts");
    }

    #[test]
    fn packed_septets_stand_behind_their_header() {
        let packed = encoded(&"a".repeat(161), |carrier| carrier.default_alphabet = DefaultAlphabet::Gsm7Packed);
        let packed = packed.expect("fits");
        assert_eq!(packed.parts.iter().map(Vec::len).collect::<Vec<_>>(), [140, 6 + 8]);
        assert_eq!((&packed.parts[0][..6], packed.reference), (&[5, 0, 3, 0, 2, 1][..], ReferenceOctets::Bits8));
    }

    #[test]
    fn a_wide_reference_never_costs_a_part_that_was_not_priced() {
        let udh16 = |carrier: &mut Carrier| carrier.long_messages = LongMessages::Udh16;
        let wide = encoded(&"a".repeat(200), udh16).expect("fits");
        assert_eq!((wide.parts.len(), wide.reference), (2, ReferenceOctets::Bits16));
        let full = encoded(&"a".repeat(306), udh16).expect("fits");
        assert_eq!((full.parts.len(), full.reference), (2, ReferenceOctets::Bits8));
    }

    #[test]
    fn a_payload_is_the_text_in_one_piece_and_only_where_there_are_parts() {
        let payload = |carrier: &mut Carrier| carrier.long_messages = LongMessages::Payload;
        let long = encoded(&"a".repeat(200), payload).expect("fits");
        assert_eq!((long.parts.len(), long.whole), (2, Some(b"a".repeat(200))));
        assert_eq!(encoded("short", payload).expect("fits").whole, None);
        let wide = encoded(&"ż".repeat(71), payload).expect("fits");
        assert_eq!((wide.whole.map(|whole| whole.len()), wide.data_coding), (Some(142), 8));
        let old = encoded(&"a".repeat(200), |carrier| {
            payload(carrier);
            carrier.interface_version = InterfaceVersion::V33;
        });
        assert_eq!(old.expect("fits").whole, None, "SMPP 3.3 has no parameters");
    }

    #[test]
    fn tables_go_only_to_carriers_that_know_them() {
        let turkish = text::Shift { locking: None, single: Some(text::Language::Turkish) };
        let text = "ğ".repeat(70);
        let measure = text::measure_as(&text, Encoding::National(turkish), text::ReferenceWidth::Bits8).expect("fits");
        assert_eq!(measure.parts, 1);
        let mut carrier = carrier(1);
        let content = with(&text, measure.encoding, measure.parts);
        let plain = encode(&content, &carrier).expect("one part of UCS-2 as well");
        assert_eq!((plain.data_coding, plain.has_tables), (8, false));
        carrier.national_tables = [text::Language::Turkish].into_iter().collect();
        let known = encode(&content, &carrier).expect("fits");
        assert_eq!((known.data_coding, known.has_tables, &known.parts[0][..4]), (0, true, &[3, 0x24, 1, 1][..]));
        let longer = with(&"ğ".repeat(71), measure.encoding, 1);
        carrier.national_tables = [].into_iter().collect();
        assert!(encode(&longer, &carrier).is_err(), "UCS-2 would take another part");
        let id = MessageId(2);
        assert!(can_carry(&carrier, &content, id) && !can_carry(&carrier, &longer, id));
    }
}
