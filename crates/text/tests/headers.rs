//! User data headers as they come, packing, UTF-16 with flaws, and `data_coding`.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod support;

use support::Random;
use text::coding::{self, Alphabet};
use text::udh::{self, Concat, ConcatFlaw, Element};
use text::{DecodeError, Reference, ascii, gsm7, latin1, packed, ucs2};

#[test]
fn both_reference_widths() {
    for (octets, reference) in [
        (&[5, 0, 3, 0xAB, 3, 2, b'x'][..], Reference::Bits8(0xAB)),
        (&[6, 8, 4, 0x12, 0x34, 3, 2, b'x'], Reference::Bits16(0x1234)),
    ] {
        let (header, payload) = udh::split(octets).unwrap();
        let concat = Concat { reference, total: 3, number: 2 };
        assert_eq!(header.concat(), Some(concat));
        assert_eq!(concat.to_header(), octets[..octets.len() - 1]);
        assert_eq!((payload, header.is_damaged(), header.octets()), (&b"x"[..], false, octets.len() - 1));
        assert_eq!(reference.value() & 0xFF, if octets[1] == 0 { 0xAB } else { 0x34 });
    }
}

#[test]
fn a_length_beyond_the_payload_is_no_header() {
    assert_eq!(udh::split(&[]), None);
    assert_eq!(udh::split(&[5, 0, 3, 1, 2]), None);
    assert_eq!(udh::split(b"Hello"), None);
    let (header, payload) = udh::split(&[0, b'x']).unwrap();
    assert_eq!((header.elements().count(), header.concat(), payload), (0, None, &b"x"[..]));
}

#[test]
fn unknown_elements_are_kept() {
    let octets = [13, 0x05, 4, 0x0B, 0x84, 0x23, 0xF0, 0xC1, 0, 0x00, 3, 9, 2];
    assert_eq!(udh::split(&octets), None, "one octet short");
    let octets = [13, 0x05, 4, 0x0B, 0x84, 0x23, 0xF0, 0xC1, 0, 0x00, 3, 9, 2, 1];
    let (header, payload) = udh::split(&octets).unwrap();
    let elements: Vec<_> = header.elements().collect();
    assert_eq!(
        elements,
        [
            Element { identifier: 0x05, data: &[0x0B, 0x84, 0x23, 0xF0] },
            Element { identifier: 0xC1, data: &[] },
            Element { identifier: 0x00, data: &[9, 2, 1] },
        ]
    );
    assert_eq!(header.concat().map(|concat| concat.number), Some(1));
    assert!(payload.is_empty());
    assert_eq!(udh::build(&elements).as_deref(), Some(&octets[..]));
}

#[test]
fn damage_is_told_and_what_came_before_is_read() {
    for octets in [&[7, 0, 3, 9, 2, 1, 0x24, 1][..], &[6, 0, 3, 9, 2, 1, 0x24], &[8, 0, 3, 9, 2, 1, 0x24, 200, 1]] {
        let (header, _) = udh::split(octets).unwrap();
        assert!(header.is_damaged(), "{octets:?}");
        assert_eq!(header.concat().map(|concat| concat.total), Some(2), "{octets:?}");
    }
    for wrong_length in [&[4, 0, 2, 9, 2][..], &[6, 0, 4, 9, 2, 1, 1], &[5, 8, 3, 9, 2, 1]] {
        assert_eq!(udh::split(wrong_length).unwrap().0.concat(), None, "{wrong_length:?}");
    }
}

#[test]
fn impossible_numbers_are_flagged() {
    for (total, number, flaw) in [
        (0, 1, Some(ConcatFlaw::TotalZero)),
        (0, 0, Some(ConcatFlaw::TotalZero)),
        (2, 0, Some(ConcatFlaw::NumberZero)),
        (2, 3, Some(ConcatFlaw::NumberBeyondTotal)),
        (2, 2, None),
        (255, 255, None),
        (1, 1, None),
    ] {
        let octets = [5, 0, 3, 7, total, number];
        let concat = udh::split(&octets).unwrap().0.concat().unwrap();
        assert_eq!(concat.flaw(), flaw, "{number} of {total}");
    }
}

#[test]
fn the_last_element_that_makes_sense_counts() {
    for (octets, reference) in [
        (&[12, 0, 3, 1, 2, 1, 8, 4, 0, 2, 2, 1, 0xFF][..], None),
        (&[11, 0, 3, 1, 2, 1, 8, 4, 0, 2, 2, 1], Some(Reference::Bits16(2))),
        (&[11, 0, 3, 1, 2, 1, 8, 4, 0, 2, 2, 0], Some(Reference::Bits8(1))),
        (&[11, 0, 3, 1, 0, 1, 8, 4, 0, 2, 2, 0], Some(Reference::Bits16(2))),
    ] {
        let concat = udh::split(octets).and_then(|(header, _)| header.concat());
        match reference {
            Some(reference) => assert_eq!(concat.map(|concat| concat.reference), Some(reference), "{octets:?}"),
            None => assert!(udh::split(octets).unwrap().0.is_damaged()),
        }
    }
}

#[test]
fn a_header_that_does_not_fit_is_not_built() {
    let data = [0; 137];
    assert_eq!(udh::build(&[Element { identifier: 0x70, data: &data }]).map(|header| header.len()), Some(140));
    assert_eq!(udh::build(&[Element { identifier: 0x70, data: &data }, Element { identifier: 1, data: &[] }]), None);
    assert_eq!(udh::build(&[]), Some(Vec::new()));
}

#[test]
fn packing_as_in_the_specification() {
    // "hellohello", the example every handset manual prints.
    let septets = gsm7::encode("hellohello").unwrap();
    assert_eq!(packed::pack(&septets, 0), [0xE8, 0x32, 0x9B, 0xFD, 0x46, 0x97, 0xD9, 0xEC, 0x37]);
    // 3GPP TS 23.038 §6.1.2.1.1: one character, and eight in seven octets.
    assert_eq!(packed::pack(&[0x7F], 0), [0x7F]);
    assert_eq!(packed::pack(&[0x7F; 8], 0), [0xFF; 7]);
    assert_eq!(packed::pack(&[0x01], 1), [0x02]);
    assert_eq!(packed::pack(&[], 1), [0; 0]);
    assert_eq!(packed::fill_bits(0), 0);
    assert_eq!(packed::fill_bits(6), 1);
    assert_eq!(packed::fill_bits(7), 0);
    assert_eq!(packed::fill_bits(8), 6);
    assert_eq!((packed::septets_max(134, 1), packed::septets_max(133, 0), packed::septets_max(0, 3)), (153, 152, 0));
}

#[test]
fn unpacking_is_the_way_back() {
    let mut random = Random::new(11);
    for length in 0..200 {
        for fill_bits in 0..7 {
            let septets: Vec<u8> = (0..length).map(|_| random.below(128) as u8).collect();
            let octets = packed::pack(&septets, fill_bits);
            assert_eq!(packed::unpack(&octets, fill_bits, length), septets);
            assert!(octets.len() <= 1 || packed::septets_max(octets.len() - 1, fill_bits) < length);
            let all = packed::unpack_all(&octets, fill_bits);
            let ambiguous = (usize::from(fill_bits) + length * 7) % 8 == 0 && matches!(septets.last(), Some(0 | 0x0D));
            assert_eq!(all, septets[..length - usize::from(ambiguous)], "{length} {fill_bits}");
        }
    }
    assert_eq!(packed::unpack_all(&packed::pack(b"1234567", 0), 0), b"1234567");
}

#[test]
fn utf16_with_flaws() {
    assert_eq!(ucs2::decode(&[0, b'a', 0]), Err(DecodeError::OddLength { octets: 3 }));
    let lone = |unit, octet_index| Err(DecodeError::LoneSurrogate { unit, octet_index });
    assert_eq!(ucs2::decode(&[0, b'a', 0xD8, 0x3D]), lone(0xD83D, 2));
    assert_eq!(ucs2::decode(&[0xD8, 0x3D, 0xDC, 0x4D, 0xDC, 0x4D, 0, b'a']), lone(0xDC4D, 4));
    assert_eq!(ucs2::decode(&[0xD8, 0x3D, 0, b'a']), lone(0xD83D, 0));
    for (octets, text, replaced) in [
        (&[0, b'a', 0][..], "a\u{FFFD}", 1),
        (&[0xD8, 0x3D, 0, b'a', 0xDC, 0x4D], "\u{FFFD}a\u{FFFD}", 2),
        (&[0xD8, 0x3D, 0xDC, 0x4D], "👍", 0),
        (&[0xFF, 0xFD], "\u{FFFD}", 0),
        (&[0xFE, 0xFF, 0, b'a'], "\u{FEFF}a", 0),
    ] {
        let decoded = ucs2::decode_lossy(octets);
        assert_eq!((decoded.text.as_str(), decoded.replaced), (text, replaced), "{octets:02x?}");
        assert_eq!(decoded.is_exact(), ucs2::decode(octets).is_ok());
    }
}

#[test]
fn narrow_alphabets() {
    assert_eq!(latin1::decode(&[0x80, 0xE9]), "\u{80}é");
    assert_eq!(
        latin1::encode("é€").map_err(|unencodable| (unencodable.character, unencodable.byte_index)),
        Err(('€', 2))
    );
    assert_eq!(
        ascii::encode("aé").map_err(|unencodable| (unencodable.character, unencodable.byte_index)),
        Err(('é', 1))
    );
    assert_eq!(ascii::decode(b"a\x80"), Err(DecodeError::OutOfRange { octet: 0x80, octet_index: 1 }));
    let decoded = ascii::decode_lossy(b"a\x80b");
    assert_eq!((decoded.text.as_str(), decoded.replaced), ("a\u{FFFD}b", 1));
}

#[test]
fn data_coding_names_the_alphabet() {
    for (data_coding, alphabet, flash) in [
        (0x00, Alphabet::OperatorDefault, false),
        (0x01, Alphabet::Ascii, false),
        (0x02, Alphabet::Binary, false),
        (0x03, Alphabet::Latin1, false),
        (0x04, Alphabet::Binary, false),
        (0x06, Alphabet::Other, false),
        (0x08, Alphabet::Ucs2, false),
        (0x0E, Alphabet::Other, false),
        (0x10, Alphabet::OperatorDefault, true),
        (0x11, Alphabet::OperatorDefault, false),
        (0x14, Alphabet::Binary, true),
        (0x18, Alphabet::Ucs2, true),
        (0x30, Alphabet::Other, true),
        (0x58, Alphabet::Ucs2, true),
        (0x90, Alphabet::Other, false),
        (0xC8, Alphabet::OperatorDefault, false),
        (0xE0, Alphabet::Ucs2, false),
        (0xF0, Alphabet::OperatorDefault, true),
        (0xF1, Alphabet::OperatorDefault, false),
        (0xF5, Alphabet::Binary, false),
    ] {
        assert_eq!(
            (coding::alphabet(data_coding), coding::is_flash(data_coding)),
            (alphabet, flash),
            "{data_coding:#04x}"
        );
    }
}
