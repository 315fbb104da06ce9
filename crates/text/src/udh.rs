//! User data headers (3GPP TS 23.040 §9.2.3.24): read forgivingly, written exactly.
//!
//! A header that cannot be one is not an error: the caller shows the octets as text. A header that is partly wrong
//! gives what can be read, and says so.

use crate::encoding::Reference;

/// Concatenated short messages, 8-bit reference.
pub const CONCAT_8: u8 = 0x00;
/// Concatenated short messages, 16-bit reference.
pub const CONCAT_16: u8 = 0x08;

/// Most octets of elements in one header, for a part must still fit 140 octets beside the length octet.
pub const ELEMENTS_OCTETS_MAX: usize = 139;

/// Separates the header at the front of `short_message` from what follows.
///
/// `None` if the octets are empty or the length octet points beyond them: then there is no header, and all of it is
/// text. The octets after the header of a packed text still start with [`crate::packed::fill_bits`].
pub fn split(short_message: &[u8]) -> Option<(Header<'_>, &[u8])> {
    let (&length, rest) = short_message.split_first()?;
    let (elements, payload) = rest.split_at_checked(usize::from(length))?;
    Some((Header { elements }, payload))
}

/// A header as it came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header<'a> {
    elements: &'a [u8],
}

impl<'a> Header<'a> {
    /// Its information elements in the order they came, unknown ones included; ends at the first that is cut off.
    pub fn elements(&self) -> Elements<'a> {
        Elements { rest: self.elements }
    }

    /// Octets of the header, its length octet included.
    pub fn octets(&self) -> usize {
        1 + self.elements.len()
    }

    /// Whether the last element claims more octets than the header has, so that something was not read.
    pub fn is_damaged(&self) -> bool {
        let mut elements = self.elements();
        elements.by_ref().for_each(drop);
        !elements.rest.is_empty()
    }

    /// Which part of which message this is.
    ///
    /// Of several concatenation elements the last one counts (3GPP TS 23.040 §9.2.3.24), unless only an earlier one
    /// makes sense. Look at [`Concat::flaw`] before joining. An element of the wrong length is not one.
    pub fn concat(&self) -> Option<Concat> {
        let mut chosen: Option<Concat> = None;
        for concat in self.elements().filter_map(Concat::from_element) {
            let keep = concat.flaw().is_some() && chosen.is_some_and(|earlier| earlier.flaw().is_none());
            if !keep {
                chosen = Some(concat);
            }
        }
        chosen
    }
}

/// One information element.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Element<'a> {
    /// What it means (3GPP TS 23.040 §9.2.3.24).
    pub identifier: u8,
    /// Its data, length octet not included.
    pub data: &'a [u8],
}

/// The information elements of a header.
#[derive(Clone, Debug)]
pub struct Elements<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Elements<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Element<'a>> {
        let [identifier, length, rest @ ..] = self.rest else {
            return None;
        };
        let (data, rest) = rest.split_at_checked(usize::from(*length))?;
        self.rest = rest;
        Some(Element { identifier: *identifier, data })
    }
}

/// Which part of which message.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct Concat {
    /// The number that the parts share; references of different width never belong together.
    pub reference: Reference,
    /// Parts of the message.
    pub total: u8,
    /// This part, from 1.
    pub number: u8,
}

/// Why a concatenation element must be ignored (3GPP TS 23.040 §9.2.3.24.1) and the part be taken as a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum ConcatFlaw {
    /// The total is 0.
    TotalZero,
    /// The number is 0.
    NumberZero,
    /// The number is above the total.
    NumberBeyondTotal,
}

impl Concat {
    /// Reads a concatenation element; `None` for any other, and for one of the wrong length.
    pub fn from_element(element: Element<'_>) -> Option<Self> {
        match (element.identifier, element.data) {
            (CONCAT_8, &[reference, total, number]) => {
                Some(Self { reference: Reference::Bits8(reference), total, number })
            }
            (CONCAT_16, &[high, low, total, number]) => {
                Some(Self { reference: Reference::Bits16(u16::from_be_bytes([high, low])), total, number })
            }
            _ => None,
        }
    }

    /// What is wrong with it, if anything.
    pub fn flaw(&self) -> Option<ConcatFlaw> {
        match (self.total, self.number) {
            (0, _) => Some(ConcatFlaw::TotalZero),
            (_, 0) => Some(ConcatFlaw::NumberZero),
            (total, number) if number > total => Some(ConcatFlaw::NumberBeyondTotal),
            _ => None,
        }
    }

    /// The header with this element alone: 6 octets, or 7 with a 16-bit reference.
    pub fn to_header(&self) -> Vec<u8> {
        match self.reference {
            Reference::Bits8(reference) => vec![5, CONCAT_8, 3, reference, self.total, self.number],
            Reference::Bits16(reference) => {
                let [high, low] = reference.to_be_bytes();
                vec![6, CONCAT_16, 4, high, low, self.total, self.number]
            }
        }
    }
}

/// Writes a header of several elements, its length octet first; empty for no elements. `None` if they take more
/// than [`ELEMENTS_OCTETS_MAX`] octets.
pub fn build(elements: &[Element<'_>]) -> Option<Vec<u8>> {
    let octets: usize = elements.iter().map(|element| 2 + element.data.len()).sum();
    if octets > ELEMENTS_OCTETS_MAX {
        return None;
    }
    if elements.is_empty() {
        return Some(Vec::new());
    }
    let mut header = Vec::with_capacity(1 + octets);
    header.push(u8::try_from(octets).ok()?);
    for element in elements {
        header.extend_from_slice(&[element.identifier, u8::try_from(element.data.len()).ok()?]);
        header.extend_from_slice(element.data);
    }
    Some(header)
}
