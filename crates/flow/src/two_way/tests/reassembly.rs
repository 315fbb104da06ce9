//! E5: long incoming messages in every order and spelling.

use domain::clock::UnixMillis;
use domain::id::{CarrierId, MessageId};
use domain::incoming::{IncomingPart, Letters, PartPlace, ReferenceKind};
use domain::limits::{JOINED_LIFE_MS, LATE_PART_LIFE_MS, OPEN_GROUPS_MAX};
use proptest::prelude::*;

use super::super::join::{Joined, Joiner};

pub(super) const JOIN_MS: i64 = 600_000;
const SENDER: &str = "48600100200";

/// Makes parts with rising ids.
#[derive(Default)]
pub(super) struct Maker(i64);

impl Maker {
    pub fn part(&mut self, source: &str, place: (ReferenceKind, u16, u8, u8), text: &str) -> IncomingPart {
        self.0 += 64;
        let (kind, reference, total, number) = place;
        let id = MessageId(self.0);
        IncomingPart {
            id,
            group: id,
            carrier: CarrierId(1),
            at: UnixMillis(self.0),
            source: source.into(),
            destination: "2424".into(),
            place: PartPlace { kind, reference, total, number },
            letters: Letters::Latin1,
            payload: text.as_bytes().into(),
            raw: Box::default(),
        }
    }
}

/// All orders of the numbers from 1 to `total`.
fn orders(total: u8) -> Vec<Vec<u8>> {
    fn extend(prefix: &mut Vec<u8>, total: u8, all: &mut Vec<Vec<u8>>) {
        if prefix.len() == usize::from(total) {
            return all.push(prefix.clone());
        }
        for number in 1..=total {
            if !prefix.contains(&number) {
                prefix.push(number);
                extend(prefix, total, all);
                prefix.pop();
            }
        }
    }
    let mut all = Vec::new();
    extend(&mut Vec::new(), total, &mut all);
    all
}

fn texts(joined: &[Joined]) -> Vec<&str> {
    joined.iter().map(|joined| joined.text.as_str()).collect()
}

#[test]
fn e5_mo_reassembly_all_orders_with_duplicates_and_two_senders() {
    for total in 1..=5 {
        for order in orders(total) {
            let (mut joiner, mut maker, mut told) = (Joiner::new(JOIN_MS), Maker::default(), Vec::new());
            for number in order {
                for sender in [SENDER, "48600100201"] {
                    let place = (ReferenceKind::Header8, 7, total, number);
                    let text = format!("<{sender}:{number}>");
                    let first = joiner.take(maker.part(sender, place, &text), UnixMillis(0));
                    let again = joiner.take(maker.part(sender, place, &text), UnixMillis(1));
                    assert!(!first.is_repeat && again.is_repeat && again.joined.is_empty());
                    let (first_part, again_part) = (first.part.expect("kept"), again.part.expect("kept again"));
                    assert_eq!(first_part.id, again_part.id, "a repeat is kept under its first id");
                    told.extend(first.joined);
                }
            }
            let whole = |sender: &str| (1..=total).map(|number| format!("<{sender}:{number}>")).collect::<String>();
            let mut found = texts(&told);
            found.sort_unstable();
            assert_eq!(found, [whole(SENDER), whole("48600100201")]);
            assert!(told.iter().all(|joined| joined.missing.is_empty() && joined.part_ids.len() == usize::from(total)));
            assert_eq!((joiner.open(), joiner.octets()), (0, 0));
        }
    }
}

#[test]
fn e5_mo_reassembly_references_of_different_width_are_never_mixed() {
    let (mut joiner, mut maker) = (Joiner::new(JOIN_MS), Maker::default());
    for kind in ReferenceKind::ALL {
        assert!(joiner.take(maker.part(SENDER, (kind, 7, 2, 1), "a"), UnixMillis(0)).joined.is_empty());
    }
    assert_eq!(joiner.open(), 3);
    for (index, kind) in ReferenceKind::ALL.into_iter().enumerate() {
        let taken = joiner.take(maker.part(SENDER, (kind, 7, 2, 2), &index.to_string()), UnixMillis(1));
        assert_eq!(texts(&taken.joined), [format!("a{index}")]);
    }
    // Another total, destination or carrier is another message too.
    joiner.take(maker.part(SENDER, (ReferenceKind::Sar, 9, 2, 1), "x"), UnixMillis(2));
    joiner.take(maker.part(SENDER, (ReferenceKind::Sar, 9, 3, 2), "y"), UnixMillis(2));
    let mut elsewhere = maker.part(SENDER, (ReferenceKind::Sar, 9, 2, 2), "z");
    elsewhere.destination = "7070".into();
    let mut other_way = elsewhere.clone();
    (other_way.carrier, other_way.destination) = (CarrierId(2), "2424".into());
    assert!(joiner.take(elsewhere, UnixMillis(2)).joined.is_empty());
    assert!(joiner.take(other_way, UnixMillis(2)).joined.is_empty());
    assert_eq!(joiner.open(), 4);
}

#[test]
fn e5_mo_reassembly_what_is_missing_is_told_and_what_comes_late_too() {
    let (mut joiner, mut maker) = (Joiner::new(JOIN_MS), Maker::default());
    let place = |number| (ReferenceKind::Header16, 700, 4, number);
    joiner.take(maker.part(SENDER, place(4), "four"), UnixMillis(0));
    joiner.take(maker.part(SENDER, place(1), "one "), UnixMillis(JOIN_MS / 2));
    assert!(joiner.expire(UnixMillis(JOIN_MS - 1)).is_empty());
    let told = joiner.expire(UnixMillis(JOIN_MS));
    assert_eq!((texts(&told), &*told[0].missing), (vec!["one four"], &[2, 3][..]));
    assert!(joiner.expire(UnixMillis(JOIN_MS + 1)).is_empty(), "told once");

    let late = joiner.take(maker.part(SENDER, place(3), "three"), UnixMillis(JOIN_MS + 2)).joined;
    assert_eq!((late[0].text.as_str(), late[0].late_part, &*late[0].missing), ("three", Some(3), &[2][..]));
    assert_eq!(late[0].group, told[0].group);
    let again = joiner.take(maker.part(SENDER, place(3), "three"), UnixMillis(JOIN_MS + 3));
    assert!(again.is_repeat && again.joined.is_empty());
    let last = joiner.take(maker.part(SENDER, place(2), "two "), UnixMillis(JOIN_MS + 4)).joined;
    assert_eq!((last.len(), last[0].late_part, last[0].missing.len()), (1, Some(2), 0));

    // A day later the same reference is a new message.
    joiner.expire(UnixMillis(JOIN_MS + LATE_PART_LIFE_MS + JOINED_LIFE_MS + 10));
    let new = joiner.take(maker.part(SENDER, place(2), "two "), UnixMillis(2 * LATE_PART_LIFE_MS));
    assert!(!new.is_repeat && new.joined.is_empty());
    assert_eq!(joiner.open(), 1);
}

#[test]
fn e5_mo_reassembly_another_text_under_the_same_number_is_a_new_message() {
    let (mut joiner, mut maker) = (Joiner::new(JOIN_MS), Maker::default());
    let place = |number| (ReferenceKind::Header8, 1, 2, number);
    joiner.take(maker.part(SENDER, place(1), "old "), UnixMillis(0));
    let taken = joiner.take(maker.part(SENDER, place(1), "new "), UnixMillis(1));
    assert_eq!((texts(&taken.joined), &*taken.joined[0].missing), (vec!["old "], &[2][..]));
    let taken = joiner.take(maker.part(SENDER, place(2), "text"), UnixMillis(2));
    assert_eq!(texts(&taken.joined), ["new text"]);
    // The reference comes round again right after a whole message.
    let taken = joiner.take(maker.part(SENDER, place(2), "next"), UnixMillis(3));
    assert!(!taken.is_repeat && taken.joined.is_empty());
    assert_eq!(texts(&joiner.take(maker.part(SENDER, place(1), "the "), UnixMillis(4)).joined), ["the next"]);
}

#[test]
fn e5_mo_reassembly_goes_on_after_a_restart() {
    let mut maker = Maker::default();
    let mut before = Joiner::new(JOIN_MS);
    let place = |reference, number| (ReferenceKind::Header8, reference, 3, number);
    let mut kept = Vec::new();
    for (reference, number) in [(1, 2), (2, 3), (1, 3)] {
        let now = UnixMillis(i64::from(reference));
        kept.extend(before.take(maker.part(SENDER, place(reference, number), &format!("{number}")), now).part);
    }
    let told = before.expire(UnixMillis(JOIN_MS + 1));
    assert_eq!(told.len(), 1);

    let mut after = Joiner::new(JOIN_MS);
    for part in &kept {
        after.restore(part, told[0].part_ids.contains(&part.id));
    }
    let late = after.take(maker.part(SENDER, place(1, 1), "1"), UnixMillis(JOIN_MS + 3)).joined;
    assert_eq!((late[0].late_part, late[0].group), (Some(1), told[0].group));
    after.take(maker.part(SENDER, place(2, 1), "1"), UnixMillis(JOIN_MS + 4));
    let repeat = after.take(maker.part(SENDER, place(2, 3), "3"), UnixMillis(JOIN_MS + 5));
    assert!(repeat.is_repeat, "what was kept before the restart is known");
    let whole = after.take(maker.part(SENDER, place(2, 2), "2"), UnixMillis(JOIN_MS + 6)).joined;
    assert_eq!(texts(&whole), ["123"]);
}

#[test]
fn e5_mo_reassembly_a_character_cut_in_two_is_whole_again() {
    let (mut joiner, mut maker) = (Joiner::new(JOIN_MS), Maker::default());
    let octets = text::ucs2::encode("a😀b");
    for (number, piece) in [(2, &octets[4..]), (1, &octets[..4])] {
        let mut part = maker.part(SENDER, (ReferenceKind::Sar, 3, 2, number), "");
        (part.letters, part.payload) = (Letters::Ucs2, piece.into());
        let taken = joiner.take(part, UnixMillis(0));
        if number == 1 {
            assert_eq!(texts(&taken.joined), ["a😀b"]);
        }
    }
}

#[test]
fn e6_mo_hostile_100_000_open_groups_keep_to_the_bounds() {
    let (mut joiner, mut maker, mut told) = (Joiner::new(JOIN_MS), Maker::default(), 0);
    for number in 0..100_000_u32 {
        let source = if number % 2 == 0 { "48600999999".to_owned() } else { format!("48601{number:06}") };
        let reference = u16::try_from(number % 60_000).expect("small");
        let text = format!("{number:0140}");
        let part = maker.part(&source, (ReferenceKind::Header16, reference, 255, 1), &text);
        told += joiner.take(part, UnixMillis(i64::from(number))).joined.len();
    }
    assert!(joiner.open() <= OPEN_GROUPS_MAX, "{}", joiner.open());
    assert!(joiner.octets() <= domain::limits::OPEN_GROUP_OCTETS_MAX);
    assert_eq!(told + joiner.open(), 100_000, "what had to make room was told, nothing was dropped");
    // The flood from one number did not push out the others.
    let honest = maker.part("48601099999", (ReferenceKind::Header16, 39_999, 255, 1), &format!("{:0140}", 99_999));
    assert!(joiner.take(honest, UnixMillis(200_000)).is_repeat);
}

#[test]
fn e6_mo_hostile_large_parts_keep_to_the_bound_of_octets() {
    let (mut joiner, mut maker) = (Joiner::new(JOIN_MS), Maker::default());
    let text = "x".repeat(60_000);
    for number in 0..2_000_u16 {
        let part = maker.part(&format!("4860{number:07}"), (ReferenceKind::Sar, number, 2, 1), &text);
        joiner.take(part, UnixMillis(i64::from(number)));
        assert!(joiner.octets() <= domain::limits::OPEN_GROUP_OCTETS_MAX);
    }
}

proptest! {
    /// Whatever comes in whatever order: no text is lost, none is mixed, none is told twice.
    #[test]
    fn e5_mo_reassembly_property(
        messages in prop::collection::vec((0_u8..3, 0_u16..3, 1_u8..5), 1..12),
        seed in any::<u64>(),
    ) {
        let (mut joiner, mut maker) = (Joiner::new(JOIN_MS), Maker::default());
        // Each message has its own reference: two at a time under one reference can't be told apart by anyone.
        let mut parts = Vec::new();
        for (index, (sender, kind, total)) in messages.iter().enumerate() {
            let kind = ReferenceKind::ALL[usize::from(*kind)];
            for number in 1..=*total {
                let place = (kind, u16::try_from(index).unwrap_or(0), *total, number);
                parts.push((index, maker.part(&format!("4860010020{sender}"), place, &format!("[{index}.{number}]"))));
            }
        }
        let repeats: Vec<_> = parts.iter().filter(|(index, _)| index % 2 == 0).cloned().collect();
        parts.extend(repeats);
        let chance = domain::random::Random::seeded(seed);
        for place in (1..parts.len()).rev() {
            parts.swap(place, usize::try_from(chance.below(place as u64 + 1)).unwrap_or(0));
        }
        let mut told = Vec::new();
        for (moment, (_, mut part)) in parts.into_iter().enumerate() {
            part.id = MessageId(1_000_000 + i64::try_from(moment).unwrap_or(0) * 64);
            part.group = part.id;
            told.extend(joiner.take(part, UnixMillis(i64::try_from(moment).unwrap_or(0))).joined);
        }
        let mut found: Vec<String> = told.iter().map(|joined| joined.text.clone()).collect();
        let mut expected: Vec<String> = messages.iter().enumerate()
            .map(|(index, (_, _, total))| (1..=*total).map(|number| format!("[{index}.{number}]")).collect())
            .collect();
        found.sort();
        expected.sort();
        prop_assert_eq!(found, expected);
        prop_assert_eq!((joiner.open(), joiner.octets()), (0, 0));
    }
}
