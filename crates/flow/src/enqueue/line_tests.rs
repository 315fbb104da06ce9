//! A line must neither lose nor repeat a message, whatever order things happen in.

use std::sync::Arc;

use domain::clock::UnixMillis;
use domain::id::{AccountId, CarrierId, MessageId};
use domain::lane::Lane;
use domain::limits;
use domain::phone::Phone;
use domain::request::{Content, Waiting};
use domain::sender::Sender;
use smallvec::SmallVec;
use text::Encoding;

use super::job::Entry;
use super::line::Line;

const NOW: UnixMillis = UnixMillis(1_800_000_000_000);

fn entry(id: i64, parts: u8) -> Entry {
    let content = Content {
        sender: Sender::parse("ACME").expect("a sender"),
        text: "hello".into(),
        encoding: Encoding::Gsm7,
        parts,
        flash: false,
        accepted_at: NOW,
        due_at: NOW,
        expires_at: NOW.plus_ms(60_000),
    };
    Entry::of_waiting(Waiting {
        id: MessageId(id),
        account: AccountId(1),
        phone: Phone::parse("48500100200").expect("a number"),
        carrier: CarrierId(1),
        content: Arc::new(content),
        parts_taken: SmallVec::new(),
    })
}

fn line() -> Line {
    Line::new(Lane::Standard, CarrierId(1))
}

fn take(line: &Line, room: usize) -> Vec<(i64, u8)> {
    let mut parts = Vec::new();
    line.take(room, NOW, &mut parts);
    parts.into_iter().map(|(job, number)| (job.id.0, number)).collect()
}

#[test]
fn parts_leave_in_order_and_a_message_may_be_taken_in_pieces() {
    let line = line();
    line.push([entry(1, 1), entry(2, 3), entry(3, 1)].into_iter());
    assert_eq!(take(&line, 2), [(1, 1), (2, 1)]);
    assert_eq!(take(&line, 9), [(2, 2), (2, 3), (3, 1)]);
    assert_eq!(take(&line, 9), []);
}

#[test]
fn what_is_given_back_is_next_and_in_its_order() {
    let line = line();
    line.push((1..=4).map(|id| entry(id, 1)));
    let mut parts = Vec::new();
    line.take(3, NOW, &mut parts);
    line.give_back(parts);
    assert_eq!(take(&line, 9), [(1, 1), (2, 1), (3, 1), (4, 1)]);
}

#[test]
fn a_part_kept_for_later_comes_back_when_due_and_not_before() {
    let line = line();
    line.push([entry(1, 1)].into_iter());
    let mut parts = Vec::new();
    line.take(1, NOW, &mut parts);
    let (job, number) = parts.remove(0);
    line.retry_at(job, number, NOW.plus_ms(5_000));
    assert_eq!(take(&line, 1), []);
    line.take(1, NOW.plus_ms(5_000), &mut parts);
    assert_eq!(parts.len(), 1);
}

#[test]
fn what_does_not_fit_is_fetched_from_the_store_and_nothing_twice() {
    let line = line();
    let max = i64::try_from(limits::LINE_MESSAGES_MAX).expect("fits");
    line.push((1..=max + 100).map(|id| entry(id, 1)));
    assert_eq!(line.begin_fetch(), None, "there is no room yet");
    let taken = take(&line, limits::LINE_MESSAGES_MAX);
    taken.iter().for_each(|(id, _)| line.let_go(MessageId(*id)));
    let after = line.begin_fetch().expect("something is left in the store");
    assert_eq!(after, MessageId(max));
    // While the fetch runs, another one is accepted: it is noted and fetched the next time.
    line.push([entry(max + 101, 1)].into_iter());
    line.end_fetch((max + 1..=max + 100).map(|id| entry(id, 1)).collect(), true);
    assert_eq!(line.begin_fetch(), Some(MessageId(max + 100)));
    line.end_fetch(vec![entry(max + 101, 1)], true);
    assert_eq!(line.begin_fetch(), None, "nothing is left");
    let ids: Vec<i64> = take(&line, 500).into_iter().map(|(id, _)| id).collect();
    assert_eq!(ids, (max + 1..=max + 101).collect::<Vec<_>>());
}

#[test]
fn a_fetch_does_not_bring_back_what_was_handed_over_meanwhile() {
    let line = line();
    line.push([entry(1, 1), entry(2, 1)].into_iter());
    line.fetch_all();
    assert!(line.begin_fetch().is_some());
    assert_eq!(take(&line, 1), [(1, 1)]);
    line.let_go(MessageId(1));
    // The store answered before the hand-over was durable: it still says that both wait.
    line.end_fetch(vec![entry(1, 1), entry(2, 1)], true);
    assert_eq!(take(&line, 9), [(2, 1)]);
}

#[test]
fn a_withdrawn_message_is_not_sent_even_if_a_fetch_still_sees_it() {
    let line = line();
    line.push([entry(1, 1), entry(2, 1)].into_iter());
    assert!(line.withdraw(MessageId(1)));
    line.fetch_all();
    assert!(line.begin_fetch().is_some());
    line.end_fetch(vec![entry(1, 1), entry(2, 1)], true);
    assert_eq!(take(&line, 9), [(2, 1)]);
    assert!(!line.withdraw(MessageId(2)), "a bind has it");
    line.withdrawal_ended(MessageId(1), false);
    assert_eq!(line.begin_fetch(), Some(MessageId(0)), "it could not be recorded, so it waits again");
}

#[test]
fn a_scheduled_message_already_with_a_bind_is_not_lined_up_again() {
    let line = line();
    line.begin_release();
    line.end_release(vec![entry(1, 1)]);
    assert_eq!(take(&line, 1), [(1, 1)]);
    line.begin_release();
    line.let_go(MessageId(1));
    line.end_release(vec![entry(1, 1)]);
    assert_eq!(take(&line, 1), []);
}
