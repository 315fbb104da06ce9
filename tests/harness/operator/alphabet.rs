//! Text of a short message: GSM 7-bit default alphabet one character an octet, or UCS-2 (3GPP TS 23.038 §6.2.1).

/// The basic table in the order of its codes; the escape is an unused place here.
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\u{1b}ÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?\
                     ¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";

const EXTENSION: &[(u8, char)] = &[
    (0x0a, '\u{c}'),
    (0x14, '^'),
    (0x28, '{'),
    (0x29, '}'),
    (0x2f, '\\'),
    (0x3c, '['),
    (0x3d, '~'),
    (0x3e, ']'),
    (0x40, '|'),
    (0x65, '€'),
];

/// Reads the text of one part. What can't be read comes out as U+FFFD, which no story sends.
#[must_use]
pub fn decode(data_coding: u8, octets: &[u8]) -> String {
    match data_coding & 0x0c {
        0x08 => {
            let units: Vec<u16> =
                octets.chunks(2).map(|pair| u16::from_be_bytes([pair[0], *pair.get(1).unwrap_or(&0)])).collect();
            String::from_utf16_lossy(&units)
        }
        _ => gsm(octets),
    }
}

fn gsm(octets: &[u8]) -> String {
    let mut text = String::new();
    let mut octets = octets.iter();
    while let Some(&octet) = octets.next() {
        let character = if octet == 0x1b {
            let next = octets.next().copied().unwrap_or_default();
            EXTENSION.iter().find(|(code, _)| *code == next).map(|(_, character)| *character)
        } else {
            BASIC.chars().nth(usize::from(octet))
        };
        text.push(character.unwrap_or('\u{fffd}'));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_of_both_alphabets() {
        assert_eq!(BASIC.chars().count(), 128);
        assert_eq!(decode(0, b"Hello \x00 \x1b\x65 \x7f"), "Hello @ € à");
        assert_eq!(decode(8, &[0x01, 0x7c, 0x00, 0x41]), "żA");
    }
}
