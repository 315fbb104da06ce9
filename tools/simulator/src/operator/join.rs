//! Parts become messages again, as on a handset.

use std::collections::HashMap;

use smpp::pdu::SubmitSm;

/// A message as the recipient reads it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Message {
    /// Sender.
    pub source: String,
    /// Recipient.
    pub destination: String,
    /// The whole text.
    pub text: String,
    /// How many parts it came in.
    pub parts: u8,
}

/// Reference, total and number of a part.
pub(super) type Place = (u16, u8, u8);

/// Groups that wait for their other parts.
#[derive(Debug, Default)]
pub(super) struct Joiner {
    open: HashMap<(String, String, u16, u8), Vec<Option<String>>>,
}

/// Most messages that wait for parts; beyond it the parts come to nothing, as on a handset that is full.
const OPEN_MAX: usize = 100_000;

impl Joiner {
    /// Adds a part; gives the message when it is whole. A part that comes twice counts once.
    pub(super) fn add(&mut self, source: &str, destination: &str, text: &str, place: Option<Place>) -> Option<Message> {
        let whole = |text: String, parts| Message {
            source: source.to_owned(),
            destination: destination.to_owned(),
            text,
            parts,
        };
        let Some((reference, total, number)) = place.filter(|&(_, total, number)| (1..=total).contains(&number)) else {
            return Some(whole(text.to_owned(), 1));
        };
        let key = (source.to_owned(), destination.to_owned(), reference, total);
        if self.open.len() >= OPEN_MAX && !self.open.contains_key(&key) {
            return None;
        }
        let parts = self.open.entry(key.clone()).or_insert_with(|| vec![None; usize::from(total)]);
        parts[usize::from(number) - 1].get_or_insert_with(|| text.to_owned());
        if parts.iter().any(Option::is_none) {
            return None;
        }
        let text = self.open.remove(&key)?.into_iter().flatten().collect();
        Some(whole(text, total))
    }
}

/// The text of a part and its place among the others.
pub(super) fn decode(sm: &SubmitSm<'_>) -> (String, Option<Place>) {
    let octets = sm.message();
    let split = (sm.esm_class & 0x40 != 0).then(|| text::udh::split(octets)).flatten();
    let (place, payload) = match split {
        Some((header, rest)) => {
            let place = header.concat().map(|concat| (concat.reference.value(), concat.total, concat.number));
            (place, rest)
        }
        None => (sm.tlvs.sar(), octets),
    };
    let text = match text::coding::alphabet(sm.data_coding) {
        text::coding::Alphabet::Ucs2 => text::ucs2::decode_lossy(payload).text,
        text::coding::Alphabet::Latin1 => text::latin1::decode(payload),
        text::coding::Alphabet::Ascii => String::from_utf8_lossy(payload).into_owned(),
        _ => text::gsm7::decode_lossy(payload).text,
    };
    (text, place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_join_in_any_order_and_twice_is_once() {
        let mut joiner = Joiner::default();
        let mut add = |text: &str, place| joiner.add("ACME", "48500", text, place).map(|message| message.text);
        assert_eq!(add("alone", None), Some("alone".into()));
        assert_eq!(add("c", Some((7, 3, 3))), None);
        assert_eq!(add("a", Some((7, 3, 1))), None);
        assert_eq!(add("x", Some((7, 3, 1))), None);
        assert_eq!(add("other", Some((8, 2, 1))), None);
        assert_eq!(add("b", Some((7, 3, 2))), Some("abc".into()));
        assert_eq!(add("a", Some((7, 3, 1))), None, "the reference is used again");
        assert_eq!(add("odd", Some((9, 2, 3))), Some("odd".into()), "no place of a message");
    }
}
