//! Counting and cutting around the borders of one and of several parts.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use text::{
    Encoding, Measure, PARTS_LIMIT, Reference, ReferenceWidth, TextError, Unencodable, forcing_characters, gsm7,
    measure, measure_as, packed, segment, segment_as, ucs2, udh,
};

const WIDTHS: [(ReferenceWidth, Reference); 2] =
    [(ReferenceWidth::Bits8, Reference::Bits8(0xA7)), (ReferenceWidth::Bits16, Reference::Bits16(0xA7B8))];

/// Cuts the text and checks everything that holds for any cut; gives the units of each part.
fn cut(text: &str, reference: Reference) -> Vec<usize> {
    let measure = measure(text, reference.width());
    let segments = segment(text, reference, PARTS_LIMIT).unwrap();
    assert_eq!(segments.len(), usize::from(measure.parts));
    let mut joined = String::new();
    let mut lengths = Vec::new();
    for segment in &segments {
        let (piece, units) = match measure.encoding {
            Encoding::Gsm7 => (gsm7::decode(&segment.payload).unwrap(), segment.payload.len()),
            Encoding::Ucs2 => (ucs2::decode(&segment.payload).unwrap(), segment.payload.len() / 2),
            Encoding::National(_) => unreachable!("nobody asked for national tables"),
        };
        joined.push_str(&piece);
        lengths.push(units);
        assert_eq!(segment.payload.capacity(), segment.payload.len(), "one allocation of the right size");
    }
    assert_eq!(joined, text);
    assert_eq!(lengths.iter().sum::<usize>(), measure.units as usize);
    lengths
}

#[test]
fn the_contract_table() {
    for (text, encoding, units, parts) in [
        ("", Encoding::Gsm7, 0, 1),
        ("Hello", Encoding::Gsm7, 5, 1),
        ("^{}\\[]~|€\u{0C}", Encoding::Gsm7, 20, 1),
        ("ż", Encoding::Ucs2, 1, 1),
        ("👍", Encoding::Ucs2, 2, 1),
        ("Zażółć gęślą jaźń", Encoding::Ucs2, 17, 1),
    ] {
        assert_eq!(measure(text, ReferenceWidth::Bits8), Measure { encoding, units, parts }, "{text:?}");
    }
    for (letter, encoding, single, per_part) in [("a", Encoding::Gsm7, 160, 153), ("ł", Encoding::Ucs2, 70, 67)] {
        for parts in 1..=9_u16 {
            let full = if parts == 1 { single } else { per_part * u32::from(parts) };
            for (units, expected) in [(full, parts), (full + 1, parts + 1)] {
                let measured = measure(&letter.repeat(units as usize), ReferenceWidth::Bits8);
                assert_eq!(measured, Measure { encoding, units, parts: expected });
            }
        }
    }
}

#[test]
fn nine_parts_and_not_a_unit_more() {
    let reference = Reference::Bits8(1);
    let refused = Err(TextError::TooManyParts { parts: 10, parts_max: 9 });
    for (letter, pair, full) in [("a", "€", 1377), ("ł", "👍", 603)] {
        assert_eq!(segment(&letter.repeat(full), reference, 9).unwrap().len(), 9);
        assert_eq!(segment(&letter.repeat(full + 1), reference, 9), refused);
        // As many units, but one is lost where the pair would sit astride the first cut.
        let per_part = full / 9;
        let astride = letter.repeat(per_part - 1) + pair + &letter.repeat(full - per_part - 1);
        assert_eq!(measure(&astride, ReferenceWidth::Bits8).units as usize, full);
        assert_eq!(segment(&astride, reference, 9), refused);
        let beside = letter.repeat(per_part) + pair + &letter.repeat(full - per_part - 2);
        assert_eq!(segment(&beside, reference, 9).unwrap().len(), 9);
    }
}

#[test]
fn e2_split_borders() {
    for (width, reference) in WIDTHS {
        for (letter, pair, encoding) in [("a", "€", Encoding::Gsm7), ("ł", "👍", Encoding::Ucs2)] {
            let per_part = encoding.units_per_part(width) as usize;
            for at in [per_part, per_part * 2, encoding.units_single() as usize] {
                for offset in 0..=4 {
                    let head = letter.repeat(at + offset - 2);
                    for tail in 0..=4 {
                        let text = format!("{head}{pair}{}", letter.repeat(per_part + tail));
                        let lengths = cut(&text, reference);
                        assert!(lengths.iter().all(|units| *units <= per_part), "{lengths:?}");
                    }
                    // Just the pair behind the head: the end of the single part.
                    let units = at + offset;
                    let expected =
                        if units <= encoding.units_single() as usize { 1 } else { 2 + units / (per_part * 2 + 1) };
                    let lengths = cut(&format!("{head}{pair}"), reference);
                    assert_eq!(lengths.len(), expected, "{units} units, {lengths:?}");
                }
            }
        }
    }
}

#[test]
fn a_lost_unit_is_counted() {
    for (width, reference) in WIDTHS {
        for (pair, letter, encoding) in [("€", "a", Encoding::Gsm7), ("👍", "ł", Encoding::Ucs2)] {
            let per_part = encoding.units_per_part(width) as usize;
            let odd = per_part % 2 == 1;
            let text = pair.repeat(per_part + 1);
            // 2 * (n + 1) units: two full parts and two units; where n is odd, every part loses one more.
            let expected = if odd { vec![per_part - 1, per_part - 1, 4] } else { vec![per_part, per_part, 2] };
            assert_eq!(cut(&text, reference), expected);
            let text = letter.repeat(per_part - 1) + pair + &letter.repeat(per_part - 1);
            assert_eq!(cut(&text, reference), [per_part - 1, per_part, 1]);
        }
    }
}

#[test]
fn visible_characters_stay_whole_where_that_is_free() {
    let reference = Reference::Bits8(9);
    let family = "👩‍👩‍👧‍👦";
    assert_eq!(family.encode_utf16().count(), 11);
    for (cluster, units) in [(family, 11), ("e\u{301}", 2), ("🇵🇱", 4), ("👍🏽", 4)] {
        // The cluster sits astride the cut after 67 units.
        for inside in 1..units {
            let text = "ł".repeat(67 - inside) + cluster + &"ł".repeat(40);
            assert_eq!(cut(&text, reference), [67 - inside, 40 + units], "{cluster} {inside}");
            // The second part has no room for it: torn, but not in the middle of a pair, and no third part.
            let text = "ł".repeat(67 - inside) + cluster + &"ł".repeat(67 + inside - units);
            assert_eq!(text.encode_utf16().count(), 134);
            let in_pair = cluster.encode_utf16().nth(inside).is_some_and(|unit| (0xDC00..0xE000).contains(&unit));
            let lengths = cut(&text, reference);
            if in_pair {
                assert_eq!(lengths.len(), 3, "{cluster} {inside}");
            } else {
                assert_eq!(lengths, [67, 67], "{cluster} {inside}");
            }
        }
    }
    // Longer than a part: cut where it must be.
    let endless = format!("e{}", "\u{301}".repeat(149));
    assert_eq!(cut(&endless, reference), [67, 67, 16]);
    // A line break of two characters is one.
    let lines = "a".repeat(152) + "\r\n" + &"a".repeat(20);
    assert_eq!(cut(&lines, reference), [152, 22]);
}

#[test]
fn headers_number_the_parts() {
    let text = "a".repeat(400);
    let narrow = segment(&text, Reference::Bits8(0xFE), 9).unwrap();
    assert_eq!(
        narrow.iter().map(|part| part.udh.clone()).collect::<Vec<_>>(),
        [[5, 0, 3, 0xFE, 3, 1], [5, 0, 3, 0xFE, 3, 2], [5, 0, 3, 0xFE, 3, 3],]
    );
    let wide = segment(&text, Reference::Bits16(0x1234), 9).unwrap();
    assert_eq!(wide[2].udh, [6, 8, 4, 0x12, 0x34, 3, 3]);
    assert_eq!(wide[0].short_message().len(), 7 + 152);
    assert_eq!(wide[0].short_message_packed().len(), 140);
    assert_eq!(narrow[0].short_message_packed().len(), 140);
    assert!(segment("short", Reference::Bits8(1), 9).unwrap()[0].udh.is_empty());
}

#[test]
fn packed_parts_start_on_a_septet_border() {
    let text = "Ω€ ".repeat(100);
    for (_, reference) in WIDTHS {
        for part in segment(&text, reference, 9).unwrap() {
            let short_message = part.short_message_packed();
            let (header, packed) = udh::split(&short_message).unwrap();
            let fill_bits = packed::fill_bits(header.octets());
            assert_eq!(packed::unpack(packed, fill_bits, part.payload.len()), part.payload);
            if fill_bits == 1 {
                assert_eq!(packed[0] & 1, 0, "the fill bit is empty");
            }
        }
    }
}

#[test]
fn codes_of_the_encodings() {
    assert_eq!((Encoding::Gsm7.contract_code(), Encoding::Gsm7.data_coding()), (0, 0x00));
    assert_eq!((Encoding::Ucs2.contract_code(), Encoding::Ucs2.data_coding()), (8, 0x08));
}

#[test]
fn the_wider_reference_costs_room() {
    // Nine full parts with the narrow reference are ten with the wide one: whoever counts must know which is sent.
    for text in ["a".repeat(1377), "ł".repeat(603)] {
        let parts = WIDTHS.map(|(width, _)| measure(&text, width).parts);
        assert_eq!(parts, [9, 10]);
    }
}

#[test]
fn the_protocol_ends_at_255_parts() {
    let reference = Reference::Bits8(0);
    let full = "a".repeat(153 * 255);
    let segments = segment(&full, reference, u16::MAX).unwrap();
    assert_eq!(segments.len(), 255);
    assert_eq!(segments[254].udh, [5, 0, 3, 0, 255, 255]);
    let more = full + "a";
    assert_eq!(segment(&more, reference, u16::MAX), Err(TextError::TooManyParts { parts: 256, parts_max: 255 }));
    assert_eq!(segment("", reference, 0), Err(TextError::TooManyParts { parts: 1, parts_max: 0 }));
    assert_eq!(measure(&"ł".repeat(5_000_000), ReferenceWidth::Bits8).parts, u16::MAX);
    // Torn clusters at every cut, as many cuts as there can be.
    let family = "👩‍👩‍👧‍👦".repeat(66 * 254 / 11);
    assert!(cut(&family, reference).len() <= 255);
}

#[test]
fn the_encoding_can_be_prescribed() {
    let reference = Reference::Bits8(0);
    let wide = segment_as("Hi", Encoding::Ucs2, reference, 9).unwrap();
    assert_eq!(wide[0].payload, [0, b'H', 0, b'i']);
    assert_eq!(measure_as(&"a".repeat(71), Encoding::Ucs2, ReferenceWidth::Bits8).unwrap().parts, 2);
    let unencodable = Unencodable { character: 'ż', byte_index: 1 };
    assert_eq!(segment_as("aż", Encoding::Gsm7, reference, 9), Err(TextError::Unencodable(unencodable)));
}

#[test]
fn what_forces_ucs2_is_named() {
    assert_eq!(forcing_characters("Hello, § €").count(), 0);
    let found: Vec<_> = forcing_characters("aż`👍").map(|forcing| (forcing.character, forcing.byte_index)).collect();
    assert_eq!(found, [('ż', 1), ('`', 3), ('👍', 4)]);
}
