//! The alphabet against the table as printed, against an independent implementation, and over the whole BMP.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use text::{DecodeError, Encoding, ReferenceWidth, Unencodable, gsm7, latin1, measure, packed, ucs2};

/// 3GPP TS 23.038 §6.2.1 as printed: rows are the low four bits, columns the high three; `⎋` is the escape.
const PRINTED: [&str; 16] = [
    "@Δ 0¡P¿p",
    "£_!1AQaq",
    "$Φ\"2BRbr",
    "¥Γ#3CScs",
    "èΛ¤4DTdt",
    "éΩ%5EUeu",
    "ùΠ&6FVfv",
    "ìΨ'7GWgw",
    "òΣ(8HXhx",
    "ÇΘ)9IYiy",
    "\nΞ*:JZjz",
    "Ø⎋+;KÄkä",
    "øÆ,<LÖlö",
    "\ræ-=MÑmñ",
    "Åß.>NÜnü",
    "åÉ/?O§oà",
];

/// 3GPP TS 23.038 §6.2.1.1 as printed.
const PRINTED_EXTENSION: [(u8, char); 10] = [
    (0x0A, '\u{0C}'),
    (0x14, '^'),
    (0x28, '{'),
    (0x29, '}'),
    (0x2F, '\\'),
    (0x3C, '['),
    (0x3D, '~'),
    (0x3E, ']'),
    (0x40, '|'),
    (0x65, '€'),
];

fn printed() -> Vec<(u8, char)> {
    let mut codes = Vec::new();
    for (row, line) in PRINTED.iter().enumerate() {
        assert_eq!(line.chars().count(), 8, "row {row}");
        for (column, character) in line.chars().enumerate() {
            codes.push(((column * 16 + row) as u8, character));
        }
    }
    codes.retain(|(_, character)| *character != '⎋');
    codes
}

#[test]
fn default_table_both_ways() {
    let codes = printed();
    assert_eq!(codes.len(), 127);
    for (code, character) in codes {
        assert_eq!(gsm7::encode(&character.to_string()), Ok(vec![code]), "{character:?}");
        assert_eq!(gsm7::decode(&[code]), Ok(character.to_string()), "{code:#04x}");
        assert_eq!(gsm7::units(character), Some(1));
    }
    assert_eq!(gsm7::decode(&[0x5F]).as_deref(), Ok("§"));
    assert_eq!(gsm7::decode(&[0x09]).as_deref(), Ok("Ç"));
}

#[test]
fn extension_table_both_ways() {
    for (code, character) in PRINTED_EXTENSION {
        assert_eq!(gsm7::encode(&character.to_string()), Ok(vec![0x1B, code]), "{character:?}");
        assert_eq!(gsm7::decode(&[0x1B, code]), Ok(character.to_string()), "{code:#04x}");
        assert_eq!(gsm7::units(character), Some(2));
    }
}

#[test]
fn what_the_tables_lack_is_declared() {
    for octet in 0..=255_u8 {
        let known = PRINTED_EXTENSION.iter().any(|(code, _)| *code == octet);
        let read = gsm7::decode(&[0x41, 0x1B, octet]);
        if known {
            assert!(read.is_ok());
        } else {
            assert_eq!(read, Err(DecodeError::UnknownEscape { octet, octet_index: 1 }));
        }
        if octet > 0x7F {
            assert_eq!(gsm7::decode(&[0x41, octet]), Err(DecodeError::OutOfRange { octet, octet_index: 1 }));
        }
    }
    assert_eq!(gsm7::decode(&[0x41, 0x1B]), Err(DecodeError::CutEscape { octet_index: 1 }));
    assert_eq!(gsm7::encode("aż"), Err(Unencodable { character: 'ż', byte_index: 1 }));
    assert_eq!(gsm7::encode("§`"), Err(Unencodable { character: '`', byte_index: 2 }));
    assert_eq!(gsm7::encode("\u{1B}"), Err(Unencodable { character: '\u{1B}', byte_index: 0 }));
    // The small c with cedilla is not in the table, the capital one is.
    assert_eq!(gsm7::units('ç'), None);
}

#[test]
fn the_lossy_reader_shows_what_it_can_and_counts() {
    for (octets, text, replaced) in [
        (&[0x41, 0x1B, 0x42, 0x43][..], "ABC", 1),
        (&[0x41, 0x1B, 0x1B, 0x43], "A C", 1),
        (&[0x41, 0x1B], "A ", 1),
        (&[0x41, 0x80, 0x42], "A\u{FFFD}B", 1),
        (&[0x1B, 0xFF], "\u{FFFD}", 1),
        (&[0x1B, 0x65, 0x00], "€@", 0),
        (&[], "", 0),
    ] {
        let decoded = gsm7::decode_lossy(octets);
        assert_eq!((decoded.text.as_str(), decoded.replaced), (text, replaced), "{octets:02x?}");
        assert_eq!(decoded.is_exact(), gsm7::decode(octets).is_ok(), "{octets:02x?}");
    }
}

/// What the other implementation packs, taken apart again: it fills the last octet its own way.
fn oracle_septets(text: &str, septets: usize) -> Option<Vec<u8>> {
    let mut writer = ::gsm7::Gsm7Writer::new(Vec::new());
    writer.write_str(text).ok()?;
    Some(packed::unpack(&writer.into_writer().ok()?, 0, septets))
}

#[test]
fn agrees_with_another_implementation() {
    let mut agreed = 0;
    for point in 0..=0x10_FFFF_u32 {
        let Some(character) = char::from_u32(point) else { continue };
        // U+001B would be written as a bare escape there: no character, and no text of ours.
        if character == '\u{1B}' {
            continue;
        }
        let text = character.to_string();
        let ours = gsm7::encode(&text).ok();
        let septets = ours.as_ref().map_or(1, Vec::len);
        assert_eq!(ours, oracle_septets(&text, septets), "U+{point:04X}");
        agreed += usize::from(ours.is_some());
    }
    assert_eq!(agreed, 137);
}

#[test]
fn another_implementation_reads_what_we_pack() {
    let alphabet: String = printed().into_iter().chain(PRINTED_EXTENSION).map(|(_, character)| character).collect();
    let septets = gsm7::encode(&alphabet).unwrap();
    let octets = packed::pack(&septets, 0);
    let read: String =
        ::gsm7::Gsm7Reader::new(&octets[..]).take(alphabet.chars().count()).map(Result::unwrap).collect();
    assert_eq!(read, alphabet);
    assert_eq!(oracle_septets(&alphabet, septets.len()), Some(septets));
}

/// FNV-1a, so that the snapshot needs no file of a megabyte.
struct Digest(u64);

impl Digest {
    fn add(&mut self, octets: &[u8]) {
        for octet in octets.iter().chain(&[octets.len() as u8]) {
            self.0 = (self.0 ^ u64::from(*octet)).wrapping_mul(0x0000_0100_0000_01B3);
        }
    }
}

#[test]
fn every_bmp_character_keeps_its_octets() {
    let mut digest = Digest(0xCBF2_9CE4_8422_2325);
    let mut by_encoding = [0, 0];
    let mut in_latin1 = 0;
    for character in (0..=0xFFFF_u32).filter_map(char::from_u32) {
        let text = character.to_string();
        let measure = measure(&text, ReferenceWidth::Bits8);
        by_encoding[usize::from(measure.encoding == Encoding::Ucs2)] += 1;
        digest.add(&[measure.encoding.contract_code(), measure.units as u8, measure.parts as u8]);
        digest.add(&gsm7::encode(&text).unwrap_or_default());
        let wide = ucs2::encode(&text);
        assert_eq!(wide, (u32::from(character) as u16).to_be_bytes());
        digest.add(&wide);
        let narrow = latin1::encode(&text);
        in_latin1 += usize::from(narrow.is_ok());
        digest.add(&narrow.unwrap_or_default());
    }
    assert_eq!(by_encoding, [137, 63_488 - 137]);
    assert_eq!(in_latin1, 256);
    assert_eq!(digest.0, 0xC142_EE6B_0557_5949, "is now {:#018X}", digest.0);
}
