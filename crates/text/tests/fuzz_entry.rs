//! The fuzz targets' functions on stable Rust, over seeded octets.

mod support;

#[path = "../fuzz/src/lib.rs"]
mod entry;

use support::Random;

const INPUTS: usize = 200_000;

/// Random octets, or a text's octets with a few of them changed.
fn octets(random: &mut Random) -> Vec<u8> {
    if random.below(2) == 0 {
        let length = random.below(64);
        // Small octets make headers, large ones make nonsense.
        let highest = [8, 0x20, 0x80, 0x100][random.below(4)];
        return (0..length).map(|_| random.below(highest) as u8).collect();
    }
    let text = support::text(random);
    let mut octets = match random.below(3) {
        0 => text.into_bytes(),
        1 => text::ucs2::encode(&text),
        _ => text::gsm7::encode(&text).unwrap_or_else(|_| text.into_bytes()),
    };
    octets.insert(0, random.next() as u8);
    for _ in 0..random.below(3) {
        let at = random.below(octets.len());
        octets[at] = random.next() as u8;
    }
    octets
}

#[test]
fn reading_octets() {
    let mut random = Random::new(21);
    for _ in 0..INPUTS {
        entry::decode(&octets(&mut random));
    }
}

#[test]
fn reading_headers() {
    let mut random = Random::new(22);
    for _ in 0..INPUTS {
        entry::udh(&octets(&mut random));
    }
}

#[test]
fn cutting_texts() {
    let mut random = Random::new(23);
    for _ in 0..INPUTS {
        entry::segment(&octets(&mut random));
    }
}
