//! National language tables: every text survives them, in the parts that were announced.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod support;

use support::Random;
use text::{
    DecodeError, Encoding, Language, PARTS_LIMIT, Reference, ReferenceWidth, Shift, TextError, measure, measure_as,
    measure_with, packed, segment_as, ucs2, udh,
};

const WIDTHS: [Reference; 2] = [Reference::Bits8(0xA7), Reference::Bits16(0xA7B8)];

/// Every way to use every table.
fn shifts() -> Vec<Shift> {
    Language::ALL.iter().flat_map(|(language, _)| Shift::of_language(*language)).collect()
}

/// All characters that the tables hold, those behind an escape last.
fn alphabet(shift: Shift) -> Vec<char> {
    let plain = (0..=0x7F_u8).filter(|code| *code != 0x1B).filter_map(|code| shift.decode(&[code]).ok());
    let escaped = (0..=0x7F_u8).filter_map(|code| shift.decode(&[0x1B, code]).ok());
    plain.chain(escaped).flat_map(|text| text.chars().collect::<Vec<_>>()).collect()
}

fn cut(text: &str, shift: Shift, reference: Reference) -> Vec<usize> {
    let encoding = Encoding::National(shift);
    let measure = measure_as(text, encoding, reference.width()).unwrap();
    let segments = segment_as(text, encoding, reference, PARTS_LIMIT).unwrap();
    assert_eq!(segments.len(), usize::from(measure.parts), "as many parts as announced");
    let mut joined = String::new();
    for segment in &segments {
        let short_message = segment.short_message();
        let (header, payload) = udh::split(&short_message).unwrap();
        assert_eq!((Shift::of_header(&header), header.is_damaged()), (shift, false), "every part names its tables");
        assert_eq!(header.concat().is_some(), segments.len() > 1);
        assert!(segment.short_message_packed().len() <= 140, "a part fits into one message");
        let fill_bits = packed::fill_bits(header.octets());
        let short_message = segment.short_message_packed();
        let (_, octets) = udh::split(&short_message).unwrap();
        assert_eq!(packed::unpack(octets, fill_bits, payload.len()), payload);
        joined.push_str(&shift.decode(payload).unwrap());
    }
    assert_eq!(joined, text);
    segments.iter().map(|segment| segment.payload.len()).collect()
}

#[test]
fn e1_encode_roundtrip_national() {
    let shifts: Vec<_> = shifts().into_iter().map(|shift| (shift, alphabet(shift))).collect();
    assert_eq!(shifts.len(), 13 + 12 * 2);
    let mut random = Random::new(7);
    for _ in 0..100_000 {
        let (shift, alphabet) = &shifts[random.below(shifts.len())];
        let length = if random.below(16) == 0 { 140 + random.below(40) } else { random.below(24) };
        let mut text: String = (0..length).map(|_| alphabet[random.below(alphabet.len())]).collect();
        cut(&text, *shift, WIDTHS[random.below(2)]);
        let place = text.len();
        text.push('👍');
        let error = shift.encode(&text).unwrap_err();
        assert_eq!((error.character, error.byte_index), ('👍', place), "nothing is replaced in silence");
    }
}

#[test]
fn e2_split_borders_national() {
    for (shift, single, narrow, wide) in [
        (Shift { locking: None, single: Some(Language::Turkish) }, 155, 149, 148),
        (Shift { locking: Some(Language::Turkish), single: None }, 155, 149, 148),
        (Shift { locking: Some(Language::Urdu), single: Some(Language::Urdu) }, 152, 146, 145),
    ] {
        for (reference, per_part) in WIDTHS.into_iter().zip([narrow, wide]) {
            let encoding = Encoding::National(shift);
            assert_eq!((encoding.units_single(), encoding.units_per_part(reference.width())), (single, per_part));
            let (single, per_part) = (single as usize, per_part as usize);
            let plain = shift.decode(&[0x61]).unwrap();
            for units in single - 2..=single + 2 {
                let lengths = cut(&plain.repeat(units), shift, reference);
                assert_eq!(lengths.len(), 1 + usize::from(units > single), "{units}");
            }
            for at in [per_part, 2 * per_part] {
                for offset in 0..=4 {
                    let text = plain.repeat(at + offset - 2) + "[" + &plain.repeat(per_part);
                    assert!(cut(&text, shift, reference).iter().all(|length| *length <= per_part));
                }
            }
            let astride = plain.repeat(per_part - 1) + "[" + &plain.repeat(per_part - 1);
            assert_eq!(cut(&astride, shift, reference), [per_part - 1, per_part, 1], "a pair is not cut");
            let nine = plain.repeat(9 * per_part);
            assert_eq!(cut(&nine, shift, reference).len(), 9);
            let refused = segment_as(&(nine + &plain), encoding, reference, 9);
            assert_eq!(refused, Err(TextError::TooManyParts { parts: 10, parts_max: 9 }));
        }
    }
}

#[test]
fn tables_are_taken_where_they_spare_parts() {
    let narrow = ReferenceWidth::Bits8;
    let turkish = &[Language::Turkish][..];
    let all: Vec<Language> = Language::ALL.iter().map(|(language, _)| *language).collect();
    // One Turkish letter makes 100 characters two parts of UCS-2; the single shift table costs four octets.
    let text = "a".repeat(99) + "ş";
    assert_eq!((measure(&text, narrow).parts, measure_with(&text, turkish, narrow).parts), (2, 1));
    let single = Shift { locking: None, single: Some(Language::Turkish) };
    assert_eq!(measure_with(&text, &all, narrow).encoding, Encoding::National(single));
    // Many of them are cheaper with the whole alphabet exchanged.
    let many = measure_with(&"ş".repeat(150), turkish, narrow);
    let locking = Shift { locking: Some(Language::Turkish), single: None };
    assert_eq!((many.encoding, many.units, many.parts), (Encoding::National(locking), 150, 1));
    let hindi = measure_with(&"नमस्ते दुनिया ".repeat(10), &all, narrow);
    assert!(matches!(hindi.encoding, Encoding::National(shift) if shift.locking == Some(Language::Hindi)));
    // No gain, no tables; and without leave none either.
    assert_eq!(measure_with("ş", turkish, narrow).encoding, Encoding::Ucs2);
    assert_eq!(measure_with(&text, &[Language::Portuguese], narrow).encoding, Encoding::Ucs2);
    assert_eq!(measure_with(&text, &[], narrow).encoding, Encoding::Ucs2);
    assert_eq!(measure_with("plain", turkish, narrow).encoding, Encoding::Gsm7);
}

#[test]
fn the_tables_hold_what_the_specification_prints() {
    let locking = |language| Shift { locking: Some(language), single: None };
    let single = |language| Shift { locking: None, single: Some(language) };
    // 3GPP TS 23.038 A.3.1 and A.2.1: Turkish.
    assert_eq!(
        locking(Language::Turkish).decode(&[0x04, 0x07, 0x0B, 0x0C, 0x1C, 0x1D, 0x40, 0x60]).unwrap(),
        "€ıĞğŞşİç"
    );
    assert_eq!(single(Language::Turkish).decode(b"\x1bG\x1bI\x1bS\x1bc\x1bg\x1bi\x1bs\x1be").unwrap(), "ĞİŞçğış€");
    // A.2.2: Spanish has no alphabet of its own.
    assert_eq!(single(Language::Spanish).decode(b"\x1bA\x1bI\x1bO\x1bU\x1b\x09").unwrap(), "ÁÍÓÚç");
    assert!(!Language::Spanish.has_locking());
    // A.3.3 and A.2.3: Portuguese.
    let portuguese = locking(Language::Portuguese);
    assert_eq!(portuguese.decode(&[0x04, 0x06, 0x0B, 0x0C, 0x12, 0x15, 0x18, 0x5B, 0x7B]).unwrap(), "êúÔôª∞€Ãã");
    assert_eq!(single(Language::Portuguese).decode(b"\x1b\x05\x1b\x7b\x1b\x7c\x1b\x7f").unwrap(), "êãõâ");
    // The Indian alphabets keep digits and small Latin letters where they are, and mirror the brackets.
    for (language, first) in [
        (Language::Bengali, '\u{985}'),
        (Language::Gujarati, '\u{A85}'),
        (Language::Hindi, '\u{905}'),
        (Language::Kannada, '\u{C85}'),
        (Language::Malayalam, '\u{D05}'),
        (Language::Oriya, '\u{B05}'),
        (Language::Punjabi, '\u{A05}'),
        (Language::Tamil, '\u{B85}'),
        (Language::Telugu, '\u{C05}'),
    ] {
        let shift = locking(language);
        assert_eq!(shift.decode(b"\x03!(),.09az").unwrap(), format!("{first}!)(,.09az"), "{language:?}");
        let capitals: Vec<u8> = (b'A'..=b'Z').flat_map(|letter| [0x1B, letter]).collect();
        assert_eq!(single(language).decode(&capitals).unwrap(), "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
        assert_eq!(single(language).decode(b"\x1b\x00\x1b\x12\x1b\x14\x1b\x17").unwrap(), "@>^#", "{language:?}");
        assert_eq!(single(language).decode(b"\x1b<\x1b=\x1b>\x1b@\x1b/\x1be").unwrap(), "[~]|\\€", "{language:?}");
    }
    assert_eq!(locking(Language::Kannada).decode(&[0x23, 0x24, 0x25]).unwrap(), "\u{CA0}\u{CA1}\u{CA2}");
    assert_eq!(locking(Language::Urdu).decode(&[0x00, 0x01, 0x02]).unwrap(), "\u{627}\u{622}\u{628}");
    // A code that a table leaves empty is no character.
    let error = DecodeError::OutOfRange { octet: 0x0C, octet_index: 0 };
    assert_eq!(locking(Language::Bengali).decode(&[0x0C]), Err(error));
    let lossy = locking(Language::Bengali).decode_lossy(&[0x0C, 0x1B, 0x03]);
    assert_eq!((lossy.text.as_str(), lossy.replaced), ("\u{FFFD}\u{985}", 2));
}

#[test]
fn every_way_has_a_number_to_keep_it_under() {
    let mut encodings: Vec<Encoding> = shifts().into_iter().map(Encoding::National).collect();
    encodings.extend([Encoding::Gsm7, Encoding::Ucs2]);
    let mut seen = std::collections::HashSet::new();
    for encoding in encodings {
        let code = encoding.stored_code();
        assert!(seen.insert(code));
        assert_eq!(Encoding::from_stored_code(code), Some(encoding));
        assert_eq!(encoding.contract_code(), if encoding == Encoding::Ucs2 { 8 } else { 0 });
    }
    for wrong in [1, 0x10E, 0x1F0, 0x200, u16::MAX] {
        assert_eq!(Encoding::from_stored_code(wrong), None, "{wrong:#x}");
    }
    for (language, name) in Language::ALL {
        assert_eq!((Language::from_code(language.code()), Language::by_name(name)), (Some(language), Some(language)));
    }
    assert_eq!(ucs2::encode("a"), [0, b'a']);
}
