//! A line must neither lose nor repeat a message, whatever order things happen in.

use std::sync::Arc;

use domain::clock::UnixMillis;
use domain::id::{AccountId, CarrierId, MessageId};
use domain::lane::{Lane, Traffic};
use domain::limits;
use domain::phone::Phone;
use domain::request::{Content, Waiting};
use domain::sender::Sender;
use smallvec::SmallVec;
use text::Encoding;

use super::job::Entry;
use super::line::{Fetch, Line};

const NOW: UnixMillis = UnixMillis(1_800_000_000_000);

fn entry(id: i64, parts: u8) -> Entry {
    entry_of(AccountId(1), id, parts, Traffic::Transactional)
}

fn entry_of(account: AccountId, id: i64, parts: u8, traffic: Traffic) -> Entry {
    let content = Content {
        traffic,
        key: domain::id::KeyId(1),
        sender: Sender::parse("ACME").expect("a sender"),
        text: "hello".into(),
        links: None,
        encoding: Encoding::Gsm7,
        parts,
        flash: false,
        accepted_at: NOW,
        due_at: NOW,
        expires_at: NOW.plus_ms(60_000),
    };
    Entry::of_waiting(Waiting {
        id: MessageId(id),
        account,
        phone: Phone::parse("48500100200").expect("a number"),
        carrier: CarrierId(1),
        due_at: NOW,
        content: Arc::new(content),
        parts_taken: SmallVec::new(),
        parts_intended: SmallVec::new(),
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

/// Fetches what the store would answer from `stored`; whose it was.
fn fetch(line: &Line, stored: &[(AccountId, i64)]) -> Option<Fetch> {
    let fetch = line.begin_fetch()?;
    let wanted = stored.iter().filter(|(account, id)| *account == fetch.account && *id > fetch.after.0);
    let entries = wanted.take(fetch.limit).map(|(account, id)| entry_of(*account, *id, 1, Traffic::Bulk)).collect();
    line.end_fetch(fetch, entries);
    Some(fetch)
}

#[test]
fn what_does_not_fit_is_fetched_from_the_store_and_nothing_twice() {
    let line = line();
    let account = AccountId(1);
    let half = i64::try_from(limits::LINE_MESSAGES_MAX / 2).expect("fits");
    line.push((1..=half + 100).map(|id| entry_of(account, id, 1, Traffic::Bulk)));
    assert_eq!(line.begin_fetch(), None, "there is no room yet");
    let taken = take(&line, limits::LINE_MESSAGES_MAX);
    assert_eq!(taken.len(), limits::LINE_MESSAGES_MAX / 2, "an account alone has half of the room");
    taken.iter().for_each(|(id, _)| line.let_go(MessageId(*id)));
    let begun = line.begin_fetch().expect("something is left in the store");
    assert_eq!((begun.account, begun.after), (account, MessageId(half)));
    // While the fetch runs, another one is accepted: it is noted and fetched the next time.
    line.push([entry_of(account, half + 101, 1, Traffic::Bulk)].into_iter());
    line.end_fetch(begun, (half + 1..=half + 100).map(|id| entry_of(account, id, 1, Traffic::Bulk)).collect());
    let again = line.begin_fetch().expect("one was left meanwhile");
    assert_eq!(again.after, MessageId(half + 100));
    line.end_fetch(again, vec![entry_of(account, half + 101, 1, Traffic::Bulk)]);
    assert_eq!(line.begin_fetch(), None, "nothing is left");
    let ids: Vec<i64> = take(&line, 500).into_iter().map(|(id, _)| id).collect();
    assert_eq!(ids, (half + 1..=half + 101).collect::<Vec<_>>());
}

#[test]
fn an_account_with_a_long_backlog_does_not_hide_the_others() {
    let line = line();
    let many = i64::try_from(limits::LINE_MESSAGES_MAX * 3).expect("fits");
    let mut stored: Vec<(AccountId, i64)> = (1..=many).map(|id| (AccountId(1), id)).collect();
    line.push(stored.iter().map(|(account, id)| entry_of(*account, *id, 1, Traffic::Bulk)));
    // Later ones of others have room in memory all the same, and their turn.
    let others: Vec<(AccountId, i64)> = (2..12).map(|number| (AccountId(number), many + i64::from(number))).collect();
    line.push(others.iter().map(|(account, id)| entry_of(*account, *id, 1, Traffic::Bulk)));
    let soon = take(&line, 30);
    assert!(others.iter().all(|(_, id)| soon.contains(&(*id, 1))), "{soon:?}");
    // After a start everything is in the store: accounts are fetched for in turns.
    let line = super::line::Line::new(Lane::Standard, CarrierId(1));
    stored.extend(others.iter().copied());
    stored.iter().for_each(|(account, _)| line.fetch_all(*account));
    let fetched: Vec<AccountId> = (0..11).filter_map(|_| fetch(&line, &stored)).map(|fetch| fetch.account).collect();
    assert_eq!(fetched, (1..12).map(AccountId).collect::<Vec<_>>());
    let soon = take(&line, 30);
    assert!(others.iter().all(|(_, id)| soon.contains(&(*id, 1))), "{soon:?}");
}

#[test]
fn accounts_take_turns_by_parts_and_long_messages_stay_together() {
    let line = line();
    let (long, short) = (AccountId(1), AccountId(2));
    line.push((1..=10).map(|id| entry_of(long, id, 9, Traffic::Bulk)));
    line.push((101..=300).map(|id| entry_of(short, id, 1, Traffic::Bulk)));
    let parts = take(&line, 120);
    let of_long = parts.iter().filter(|(id, _)| *id < 100).count();
    assert!((54..=66).contains(&of_long), "{of_long} of 120 parts are of the account with long messages");
    for id in 1..=5 {
        let places: Vec<usize> = (0..parts.len()).filter(|place| parts[*place].0 == id).collect();
        assert_eq!(places.last().expect("sent") - places[0], 8, "message {id} is torn apart: {parts:?}");
    }
}

#[test]
fn transactional_goes_before_bulk_which_keeps_a_floor() {
    let line = line();
    line.push((1..=500).map(|id| entry_of(AccountId(1), id, 1, Traffic::Bulk)));
    line.push((1001..=1500).map(|id| entry_of(AccountId(1), id, 1, Traffic::Transactional)));
    let parts = take(&line, 200);
    assert_eq!(parts.iter().filter(|(id, _)| *id <= 500).count(), 10, "one in twenty");
    assert_eq!(parts[0].0, 1001);
}

#[test]
fn a_fetch_does_not_bring_back_what_was_handed_over_meanwhile() {
    let line = line();
    line.push([entry(1, 1), entry(2, 1)].into_iter());
    line.fetch_all(AccountId(1));
    let fetch = line.begin_fetch().expect("a fetch");
    assert_eq!(take(&line, 1), [(1, 1)]);
    line.let_go(MessageId(1));
    // The store answered before the hand-over was durable: it still says that both wait.
    line.end_fetch(fetch, vec![entry(1, 1), entry(2, 1)]);
    assert_eq!(take(&line, 9), [(2, 1)]);
}

#[test]
fn a_withdrawn_message_is_not_sent_even_if_a_fetch_still_sees_it() {
    let line = line();
    line.push([entry(1, 1), entry(2, 1)].into_iter());
    assert!(line.withdraw(MessageId(1)));
    line.fetch_all(AccountId(1));
    let fetch = line.begin_fetch().expect("a fetch");
    line.end_fetch(fetch, vec![entry(1, 1), entry(2, 1)]);
    assert_eq!(take(&line, 9), [(2, 1)]);
    assert!(!line.withdraw(MessageId(2)), "a bind has it");
    line.withdrawal_ended(MessageId(1), AccountId(1), false);
    let after = line.begin_fetch().map(|fetch| fetch.after);
    assert_eq!(after, Some(MessageId(0)), "it could not be recorded, so it waits again");
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
