//! What must hold for any octets. The fuzz targets and a plain test on stable Rust call the same functions.

use text::{
    Encoding, Language, PARTS_LIMIT, Reference, Shift, TextError, ascii, coding, gsm7, latin1, measure, packed, ucs2,
    udh,
};

/// Reading octets in every alphabet: exact and lossy agree, and what was read exactly is written back the same.
pub fn decode(octets: &[u8]) {
    let lossy = gsm7::decode_lossy(octets);
    match gsm7::decode(octets) {
        Ok(text) => {
            assert_eq!(gsm7::encode(&text).as_deref(), Ok(octets));
            assert_eq!((lossy.text, lossy.replaced), (text, 0));
        }
        Err(_) => assert!(lossy.replaced > 0),
    }
    let shift =
        Language::from_code(octets.first().map_or(1, |first| first % 14)).map_or_else(Shift::default, |language| {
            let locking = Some(language).filter(|language| language.has_locking());
            Shift { locking, single: Some(language) }
        });
    let lossy = shift.decode_lossy(octets);
    match shift.decode(octets) {
        Ok(text) => {
            // Some characters stand twice in a table.
            assert_eq!(shift.encode(&text).map(|again| shift.decode(&again)), Ok(Ok(text.clone())));
            assert_eq!((lossy.text, lossy.replaced), (text, 0));
        }
        Err(_) => assert!(lossy.replaced > 0),
    }
    let lossy = ucs2::decode_lossy(octets);
    match ucs2::decode(octets) {
        Ok(text) => {
            assert_eq!(ucs2::encode(&text), octets);
            assert_eq!((lossy.text, lossy.replaced), (text, 0));
        }
        Err(_) => assert!(lossy.replaced > 0),
    }
    let lossy = ascii::decode_lossy(octets);
    match ascii::decode(octets) {
        Ok(text) => assert_eq!((lossy.text, lossy.replaced, text.as_bytes()), (text.clone(), 0, octets)),
        Err(_) => assert!(lossy.replaced > 0),
    }
    assert_eq!(latin1::encode(&latin1::decode(octets)).as_deref(), Ok(octets));
    let Some(&first) = octets.first() else { return };
    let _ = (coding::alphabet(first), coding::is_flash(first));
    let fill_bits = first % 7;
    let septets = packed::unpack(octets, fill_bits, usize::MAX);
    assert_eq!(septets.len(), packed::septets_max(octets.len(), fill_bits));
    assert!(septets.iter().all(u8::is_ascii));
    assert!(septets.starts_with(&packed::unpack_all(octets, fill_bits)));
    let repacked = packed::pack(&septets, fill_bits);
    assert_eq!(packed::unpack(&repacked, fill_bits, septets.len()), septets);
}

/// Reading a user data header: nothing is read beyond it, and what is read whole is written back the same.
pub fn udh(octets: &[u8]) {
    let Some((header, payload)) = udh::split(octets) else {
        assert!(octets.first().is_none_or(|length| usize::from(*length) >= octets.len()));
        return;
    };
    assert_eq!(header.octets() + payload.len(), octets.len());
    let elements: Vec<_> = header.elements().collect();
    let read: usize = elements.iter().map(|element| 2 + element.data.len()).sum();
    assert_eq!(header.is_damaged(), read + 1 < header.octets());
    if read <= udh::ELEMENTS_OCTETS_MAX && read > 0 {
        let built = udh::build(&elements).expect("elements that were read fit");
        assert_eq!(built[1..], octets[1..=read]);
    }
    if let Some(concat) = header.concat() {
        let again = concat.to_header();
        assert_eq!(udh::split(&again).and_then(|(header, _)| header.concat()), Some(concat));
        if concat.flaw().is_none() {
            assert!(concat.number >= 1 && concat.number <= concat.total);
        }
    }
}

/// Cutting a text: the announced number of parts, none too long, and together the text.
///
/// The first octet chooses the reference and how often the rest, read as UTF-8, is repeated.
pub fn segment(octets: &[u8]) {
    let Some((&choice, octets)) = octets.split_first() else { return };
    let text = String::from_utf8_lossy(octets).repeat(1 + usize::from(choice >> 6));
    let reference = if choice & 1 == 0 { Reference::Bits8(choice) } else { Reference::Bits16(u16::from(choice) << 8) };
    let measure = measure(&text, reference.width());
    let segments = match text::segment(&text, reference, PARTS_LIMIT) {
        Ok(segments) => segments,
        Err(error) => {
            assert_eq!(error, TextError::TooManyParts { parts: measure.parts, parts_max: PARTS_LIMIT });
            assert!(measure.parts > PARTS_LIMIT);
            return;
        }
    };
    assert_eq!(segments.len(), usize::from(measure.parts));
    let mut joined = String::new();
    for part in &segments {
        let (piece, units) = match measure.encoding {
            Encoding::Gsm7 => (gsm7::decode(&part.payload), part.payload.len()),
            Encoding::Ucs2 => (ucs2::decode(&part.payload), part.payload.len() / 2),
            Encoding::National(shift) => (shift.decode(&part.payload), part.payload.len()),
        };
        joined.push_str(&piece.expect("no pair is split"));
        let capacity = match segments.len() {
            1 => measure.encoding.units_single(),
            _ => measure.encoding.units_per_part(reference.width()),
        };
        assert!(units <= capacity as usize);
        assert!(part.short_message().len() <= 160);
        if measure.encoding == Encoding::Gsm7 {
            assert!(part.short_message_packed().len() <= 140);
        }
    }
    assert_eq!(joined, text);
}
