//! What holds for every text, over more than a million of them.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod support;

use support::{CLUSTERS, Random};
use text::{
    Encoding, PARTS_LIMIT, Reference, ReferenceWidth, ascii, forcing_characters, gsm7, latin1, measure, measure_as,
    packed, segment, ucs2, udh,
};

/// Texts per test; four tests run them with different seeds.
const TEXTS: usize = 275_000;

fn alphabets(text: &str) {
    let forcing = forcing_characters(text).next();
    match gsm7::encode(text) {
        Ok(septets) => {
            assert_eq!(gsm7::decode(&septets).as_deref(), Ok(text));
            assert_eq!(forcing, None, "{text:?}");
            let fill_bits = (septets.len() % 7) as u8;
            assert_eq!(packed::unpack(&packed::pack(&septets, fill_bits), fill_bits, septets.len()), septets);
        }
        Err(unencodable) => {
            assert_eq!(forcing, Some(unencodable), "{text:?}");
            assert!(text[unencodable.byte_index..].starts_with(unencodable.character));
        }
    }
    assert_eq!(ucs2::decode(&ucs2::encode(text)).as_deref(), Ok(text));
    match latin1::encode(text) {
        Ok(octets) => assert_eq!(latin1::decode(&octets), text),
        Err(unencodable) => assert!(u32::from(unencodable.character) > 0xFF),
    }
    match ascii::encode(text) {
        Ok(octets) => assert_eq!(ascii::decode(&octets).as_deref(), Ok(text)),
        Err(unencodable) => assert!(!unencodable.character.is_ascii()),
    }
}

/// Parts counted another way: on the octets, giving back a unit where the cut would split a pair.
fn parts_by_octets(text: &str, reference: ReferenceWidth) -> usize {
    let (units, capacity, single): (Vec<u16>, _, _) = match gsm7::encode(text) {
        Ok(septets) => (septets.into_iter().map(u16::from).collect(), 153, 160),
        Err(_) => (text.encode_utf16().collect(), 67, 70),
    };
    if units.len() <= single {
        return 1;
    }
    let capacity = if reference == ReferenceWidth::Bits16 { capacity - 1 } else { capacity };
    let opens_pair = |unit: u16| if single == 160 { unit == 0x1B } else { (0xD800..0xDC00).contains(&unit) };
    let (mut at, mut parts) = (0, 0);
    while at < units.len() {
        let end = at + capacity;
        at = if end < units.len() && opens_pair(units[end - 1]) { end - 1 } else { end };
        parts += 1;
    }
    parts
}

fn segments(text: &str, reference: Reference) {
    let measure = measure(text, reference.width());
    assert_eq!(usize::from(measure.parts), parts_by_octets(text, reference.width()), "{text:?}");
    let segments = segment(text, reference, PARTS_LIMIT).unwrap();
    assert_eq!(segments.len(), usize::from(measure.parts), "{text:?}");
    let (mut joined, mut units) = (String::new(), 0);
    for (index, segment) in segments.iter().enumerate() {
        let (piece, length) = match measure.encoding {
            Encoding::Gsm7 => (gsm7::decode(&segment.payload).unwrap(), segment.payload.len() as u32),
            Encoding::Ucs2 => (ucs2::decode(&segment.payload).unwrap(), segment.payload.len() as u32 / 2),
            Encoding::National(_) => unreachable!("nobody asked for national tables"),
        };
        joined.push_str(&piece);
        units += length;
        if segments.len() == 1 {
            assert!(segment.udh.is_empty() && length <= measure.encoding.units_single());
            continue;
        }
        assert!(length > 0 && length <= measure.encoding.units_per_part(reference.width()), "{text:?}");
        let short_message = segment.short_message();
        let (header, payload) = udh::split(&short_message).unwrap();
        assert_eq!(payload, segment.payload);
        let concat = header.concat().unwrap();
        assert_eq!((concat.reference, concat.flaw()), (reference, None));
        assert_eq!((usize::from(concat.total), usize::from(concat.number)), (segments.len(), index + 1));
    }
    assert_eq!((joined.as_str(), units), (text, measure.units));
    let wide = measure_as(text, Encoding::Ucs2, reference.width()).unwrap();
    assert!(wide.parts >= measure.parts, "the other encoding would be cheaper: {text:?}");
}

fn run(seed: u64) {
    let mut random = Random::new(seed);
    for _ in 0..TEXTS {
        let text = support::text(&mut random);
        alphabets(&text);
        let number = random.next() as u16;
        segments(
            &text,
            if number.is_multiple_of(2) { Reference::Bits8(number as u8) } else { Reference::Bits16(number) },
        );
    }
}

#[test]
fn e1_encode_roundtrip_seed_1() {
    run(1);
}

#[test]
fn e1_encode_roundtrip_seed_2() {
    run(2);
}

#[test]
fn e1_encode_roundtrip_seed_3() {
    run(3);
}

#[test]
fn e1_encode_roundtrip_seed_4() {
    run(4);
}

/// Parts when cuts are allowed between visible characters alone.
fn parts_by_clusters(clusters: &[&str], capacity: usize) -> usize {
    let (mut parts, mut filled) = (1, 0);
    for cluster in clusters {
        let units = cluster.encode_utf16().count();
        filled += units;
        if filled > capacity {
            parts += 1;
            filled = units;
        }
    }
    parts
}

#[test]
fn nothing_visible_is_torn_where_that_is_free() {
    let mut random = Random::new(5);
    let (mut free, mut torn) = (0, 0);
    for _ in 0..20_000 {
        let clusters: Vec<&str> = (0..40 + random.below(60)).map(|_| random.pick(CLUSTERS)).collect();
        let text = clusters.concat();
        let segments = segment(&text, Reference::Bits8(0), PARTS_LIMIT).unwrap();
        if segments.len() == 1 || parts_by_clusters(&clusters, 67) > segments.len() {
            torn += usize::from(segments.len() > 1);
            continue;
        }
        free += 1;
        let mut borders = vec![0];
        borders.extend(clusters.iter().scan(0, |at, cluster| {
            *at += cluster.encode_utf16().count();
            Some(*at)
        }));
        let mut at = 0;
        for segment in &segments {
            at += segment.payload.len() / 2;
            assert!(borders.binary_search(&at).is_ok(), "torn at {at}: {text:?}");
        }
    }
    assert!(free > 10_000 && torn > 100, "the generator must reach both cases: {free} free, {torn} torn");
}
