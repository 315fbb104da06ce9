//! Short links: the codes that name them, and the texts they stand in.
//!
//! There is no table of codes. A code **is** the id of a message and the number of a link in it, encrypted
//! so that it has the same form again (FF1, NIST SP 800-38G): who reads a code learns nothing, who makes
//! one up hits nothing, and a code can only lead to a URL that stands in an accepted message.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use aes::Aes256;
use fpe::ff1::{FF1, FlexibleNumeralString};
use smallvec::SmallVec;

use crate::id::MessageId;
use crate::limits::LINKS_PER_MESSAGE_MAX;

/// Characters of every code: 62^12 codes are 71 bits, 67 of which are needed.
pub const LINK_CODE_LENGTH: usize = 12;
/// The characters of codes; all of them are in every alphabet that messages travel in.
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const RADIX: u32 = DIGITS.len() as u32;
/// Bits of a link's number beside the 63 of a message id.
const LINK_BITS: u32 = 4;

const _: () = assert!(LINKS_PER_MESSAGE_MAX <= 1 << LINK_BITS);

/// One link of one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LinkId {
    /// The message.
    pub message: MessageId,
    /// Which of its links, from 0 in the order of the text.
    pub link: u8,
}

/// A code as it stands at the end of a short link.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct LinkCode([u8; LINK_CODE_LENGTH]);

impl LinkCode {
    /// Takes the place of a code where only its length matters.
    pub const SAMPLE: Self = Self([b'0'; LINK_CODE_LENGTH]);

    /// The characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Debug for LinkCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Writes and reads codes under one key. Cheap to clone.
#[derive(Clone)]
pub struct LinkCodes(Arc<Keyed>);

struct Keyed {
    key: [u8; 32],
    /// `None` never happens: the radix is one that FF1 allows.
    cipher: Option<FF1<Aes256>>,
}

impl LinkCodes {
    /// Codes under `key`; what was written under another one does not read back.
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        Self(Arc::new(Keyed { key, cipher: FF1::new(&key, RADIX).ok() }))
    }

    /// The code of a link.
    #[must_use]
    pub fn code(&self, id: LinkId) -> LinkCode {
        let link = u128::from(id.link) & ((1 << LINK_BITS) - 1);
        let plain = u128::from(id.message.0.unsigned_abs()) << LINK_BITS | link;
        let encrypted = self.0.cipher.as_ref().and_then(|cipher| cipher.encrypt(&[], &numerals(plain)).ok());
        let numerals: Vec<u16> = encrypted.map(Vec::from).unwrap_or_default();
        let mut code = LinkCode::SAMPLE;
        for (place, numeral) in code.0.iter_mut().zip(numerals) {
            *place = DIGITS.get(usize::from(numeral)).copied().unwrap_or(b'0');
        }
        code
    }

    /// The link that `code` names, if it can name one at all. Whether there is such a message, and whether
    /// it has that many links, is for the store to say.
    #[must_use]
    pub fn link(&self, code: &str) -> Option<LinkId> {
        if code.len() != LINK_CODE_LENGTH {
            return None;
        }
        let numerals: Option<Vec<u16>> = code.bytes().map(numeral).collect();
        let encrypted = FlexibleNumeralString::from(numerals?);
        let plain: Vec<u16> = self.0.cipher.as_ref()?.decrypt(&[], &encrypted).ok()?.into();
        let plain = plain.into_iter().fold(0_u128, |sum, digit| sum * u128::from(RADIX) + u128::from(digit));
        let message = i64::try_from(plain >> LINK_BITS).ok().map(MessageId)?;
        let link = u8::try_from(plain & ((1 << LINK_BITS) - 1)).ok()?;
        (usize::from(link) < LINKS_PER_MESSAGE_MAX).then_some(LinkId { message, link })
    }
}

fn numerals(mut value: u128) -> FlexibleNumeralString {
    let mut numerals = vec![0; LINK_CODE_LENGTH];
    for place in numerals.iter_mut().rev() {
        *place = u16::try_from(value % u128::from(RADIX)).unwrap_or(0);
        value /= u128::from(RADIX);
    }
    numerals.into()
}

fn numeral(character: u8) -> Option<u16> {
    Some(u16::from(match character {
        b'0'..=b'9' => character - b'0',
        b'A'..=b'Z' => character - b'A' + 10,
        b'a'..=b'z' => character - b'a' + 36,
        _ => return None,
    }))
}

impl PartialEq for LinkCodes {
    fn eq(&self, other: &Self) -> bool {
        self.0.key == other.0.key
    }
}

impl Eq for LinkCodes {}

impl fmt::Debug for LinkCodes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("LinkCodes(***)")
    }
}

/// What makes of a request's text the text of each recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShortLinks {
    /// What stands before every code: scheme, domain and a slash. Kept with the request, so that a text
    /// reads as it was sent after the domain has changed.
    pub base: Box<str>,
    /// Where the URLs stand in the text, in octets; in order, not overlapping.
    pub places: SmallVec<[Range<u32>; 2]>,
    /// Writes the codes.
    pub codes: LinkCodes,
}

impl ShortLinks {
    /// `text` as the recipient of `message` gets it.
    #[must_use]
    pub fn text_for(&self, text: &str, message: MessageId) -> String {
        self.replaced(text, |link| self.codes.code(LinkId { message, link }))
    }

    /// A text that needs as many units and parts as each recipient's.
    #[must_use]
    pub fn sample(&self, text: &str) -> String {
        self.replaced(text, |_| LinkCode::SAMPLE)
    }

    /// Puts the URLs of `text` back into a text that was made of its [`ShortLinks::sample`], and says where they
    /// stand there. `None` when the short links are not all in it.
    #[must_use]
    pub fn with_urls(&self, text: &str, made_of_sample: &str) -> Option<(String, Self)> {
        let sample = format!("{}{}", self.base, LinkCode::SAMPLE.as_str());
        let mut pieces = made_of_sample.split(&sample);
        let mut whole = pieces.next()?.to_owned();
        let mut places = SmallVec::new();
        for (link, piece) in (0..).zip(pieces) {
            let start = u32::try_from(whole.len()).ok()?;
            whole.push_str(self.url(text, link)?);
            places.push(start..u32::try_from(whole.len()).ok()?);
            whole.push_str(piece);
        }
        (places.len() == self.places.len()).then(|| (whole, Self { places, ..self.clone() }))
    }

    /// The URL of a link, as it was written.
    #[must_use]
    pub fn url<'a>(&self, text: &'a str, link: u8) -> Option<&'a str> {
        let place = self.places.get(usize::from(link))?;
        text.get(place.start as usize..place.end as usize)
    }

    fn replaced(&self, text: &str, code: impl Fn(u8) -> LinkCode) -> String {
        let longer = self.places.len() * (self.base.len() + LINK_CODE_LENGTH);
        let mut replaced = String::with_capacity(text.len() + longer);
        let mut rest = 0;
        for (link, place) in (0..).zip(&self.places) {
            replaced.push_str(text.get(rest..place.start as usize).unwrap_or_default());
            replaced.push_str(&self.base);
            replaced.push_str(code(link).as_str());
            rest = place.end as usize;
        }
        replaced.push_str(text.get(rest..).unwrap_or_default());
        replaced
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::random::Random;

    fn codes() -> LinkCodes {
        LinkCodes::new([7; 32])
    }

    proptest! {
        #[test]
        fn every_code_reads_back_as_its_link(id in 0..=i64::MAX, link in 0..u8::try_from(LINKS_PER_MESSAGE_MAX).unwrap(), key: [u8; 32]) {
            let (codes, id) = (LinkCodes::new(key), LinkId { message: MessageId(id), link });
            let code = codes.code(id);
            prop_assert!(code.as_str().len() == LINK_CODE_LENGTH && code.as_str().bytes().all(|byte| byte.is_ascii_alphanumeric()));
            prop_assert_eq!(codes.link(code.as_str()), Some(id));
        }

        #[test]
        fn whatever_is_asked_for_is_answered(code in "\\PC{0,40}") {
            let _ = codes().link(&code);
        }
    }

    /// Ids that a server makes lie close together; a code next to a real one must not hit another of them.
    #[test]
    fn a_flipped_character_leads_to_no_neighbour() {
        let codes = codes();
        let first = MessageId::first_at(crate::clock::UnixMillis(1_800_000_000_000));
        let last = first.offset(10_000_000);
        for position in 0..200 {
            let id = LinkId { message: first.offset(position), link: 0 };
            let code = codes.code(id);
            for place in 0..LINK_CODE_LENGTH {
                for other in DIGITS.iter().filter(|digit| **digit != code.0[place]) {
                    let mut flipped = code;
                    flipped.0[place] = *other;
                    let hit = codes.link(flipped.as_str()).filter(|hit| (first..=last).contains(&hit.message));
                    assert_eq!(hit, None, "{code:?} and {flipped:?}");
                }
            }
        }
    }

    #[test]
    fn made_up_codes_hit_no_message_of_a_large_server() {
        let (codes, random) = (codes(), Random::seeded(11));
        let first = MessageId::first_at(crate::clock::UnixMillis(1_800_000_000_000));
        let last = first.offset(1_000_000_000);
        for _ in 0..100_000 {
            let code = random.alphanumeric(LINK_CODE_LENGTH);
            assert_eq!(codes.link(&code).filter(|hit| (first..=last).contains(&hit.message)), None, "{code}");
        }
    }

    #[test]
    fn codes_of_another_key_do_not_read_back() {
        let id = LinkId { message: MessageId::first_at(crate::clock::UnixMillis(1_800_000_000_000)), link: 1 };
        let code = codes().code(id);
        assert_ne!(LinkCodes::new([8; 32]).link(code.as_str()), Some(id));
        assert_ne!(codes().code(LinkId { link: 0, ..id }), code);
    }

    #[test]
    fn each_recipient_gets_links_of_its_own_in_a_text_of_the_same_length() {
        let text = "Żółw: http://a.example/x?y=1, i https://b.example.";
        let places = ["http://a.example/x?y=1", "https://b.example"].map(|url| {
            let start = u32::try_from(text.find(url).unwrap()).unwrap();
            start..start + u32::try_from(url.len()).unwrap()
        });
        let links =
            ShortLinks { base: "https://s.example/".into(), places: places.into_iter().collect(), codes: codes() };
        let (one, two) = (links.text_for(text, MessageId(64)), links.text_for(text, MessageId(128)));
        let code = |message, link| codes().code(LinkId { message: MessageId(message), link });
        let expected = format!("Żółw: https://s.example/{:?}, i https://s.example/{:?}.", code(64, 0), code(64, 1));
        assert_eq!(one, expected);
        assert!(one != two && one.len() == two.len() && one.len() == links.sample(text).len());
        assert_eq!((links.url(text, 1), links.url(text, 2)), (Some("https://b.example"), None));

        let (written, moved) = links.with_urls(text, &links.sample(text).replace("Żółw", "Zolw: or")).unwrap();
        assert_eq!(written, text.replace("Żółw", "Zolw: or"));
        assert_eq!((moved.url(&written, 0), moved.url(&written, 1)), (links.url(text, 0), links.url(text, 1)));
        assert_eq!(links.with_urls(text, "no links any more"), None);
    }
}
