//! Septets packed into octets, eight in seven (3GPP TS 23.038 §6.1.2.1), for operators whose default alphabet is
//! packed.
//!
//! SMPP states the length in octets, so seven septets and eight of which the last is `@` (0x00) look alike, both
//! being seven octets: see [`unpack_all`].

/// Bits in a septet.
const SEPTET_BITS: usize = 7;
const SEPTET_MASK: u32 = 0x7F;
const CARRIAGE_RETURN: u8 = 0x0D;

/// Bits left empty after a user data header of this many octets (its length octet included), so that the text
/// starts on a septet border (3GPP TS 23.040 §9.2.3.24): 1 after 6 octets, 0 after 7 or none.
pub const fn fill_bits(header_octets: usize) -> u8 {
    ((SEPTET_BITS - (header_octets * 8) % SEPTET_BITS) % SEPTET_BITS) as u8
}

/// Most septets that this many octets can hold behind the fill bits.
pub const fn septets_max(octets: usize, fill_bits: u8) -> usize {
    (octets * 8).saturating_sub(fill_bits as usize) / SEPTET_BITS
}

/// Packs septets behind `fill_bits` (0 to 6) zero bits; what is left of the last octet is zero. The top bit of each
/// input octet is not part of a septet and is dropped.
pub fn pack(septets: &[u8], fill_bits: u8) -> Vec<u8> {
    let mut held_bits = usize::from(fill_bits) % SEPTET_BITS;
    let mut octets = Vec::with_capacity((held_bits + septets.len() * SEPTET_BITS).div_ceil(8));
    let mut held: u32 = 0;
    for &septet in septets {
        held |= (u32::from(septet) & SEPTET_MASK) << held_bits;
        held_bits += SEPTET_BITS;
        while held_bits >= 8 {
            octets.push(held as u8);
            held >>= 8;
            held_bits -= 8;
        }
    }
    // Fill bits alone carry nothing: without septets there is nothing to pad.
    if held_bits > 0 && !septets.is_empty() {
        octets.push(held as u8);
    }
    octets
}

/// Unpacks `septets` septets from behind the fill bits, or as many as there are.
pub fn unpack(octets: &[u8], fill_bits: u8, septets: usize) -> Vec<u8> {
    let fill_bits = fill_bits % SEPTET_BITS as u8;
    let septets = septets.min(septets_max(octets.len(), fill_bits));
    let mut unpacked = Vec::with_capacity(septets);
    let mut skip_bits = usize::from(fill_bits);
    let mut held: u32 = 0;
    let mut held_bits = 0;
    for &octet in octets {
        held |= u32::from(octet) << held_bits;
        held_bits += 8;
        let skipped = skip_bits.min(held_bits);
        held >>= skipped;
        held_bits -= skipped;
        skip_bits -= skipped;
        while held_bits >= SEPTET_BITS && unpacked.len() < septets {
            unpacked.push((held & SEPTET_MASK) as u8);
            held >>= SEPTET_BITS;
            held_bits -= SEPTET_BITS;
        }
    }
    unpacked
}

/// Unpacks everything when only the number of octets is known.
///
/// A last septet that ends exactly on the octet border and is zero or a carriage return is taken for padding and
/// dropped: 3GPP TS 23.038 §6.1.2.3.1 pads with a carriage return, most senders with zeros. A phantom `@` behind
/// every text of seven septets (15, 23 …) is worse than losing a true one there.
pub fn unpack_all(octets: &[u8], fill_bits: u8) -> Vec<u8> {
    let fill_bits = fill_bits % SEPTET_BITS as u8;
    let mut septets = unpack(octets, fill_bits, usize::MAX);
    let ends_on_border = (usize::from(fill_bits) + septets.len() * SEPTET_BITS).is_multiple_of(8);
    if ends_on_border && matches!(septets.last(), Some(0 | &CARRIAGE_RETURN)) {
        septets.pop();
    }
    septets
}
