//! Ids: every spelling that operators use, and whose receipt it is.

use std::collections::HashMap;
use std::sync::Arc;

use domain::operator_id::MessageIdFormat;
use domain::state::Status;
use parking_lot::Mutex;

use crate::place::{Place, until};
use crate::smsc::{Delivery, Reply, Smsc};

/// An operator that answers number n with `answer(n)`, and the book of what it answered whom.
async fn operator(answer: impl Fn(u64) -> String + Send + Sync + 'static) -> (Smsc, Arc<Mutex<Vec<(u64, String)>>>) {
    let book: Arc<Mutex<Vec<(u64, String)>>> = Arc::default();
    let written = Arc::clone(&book);
    let smsc = Smsc::start(move |submit| {
        written.lock().push((submit.count, submit.destination.clone()));
        Reply::Take(answer(submit.count))
    });
    (smsc.await, book)
}

/// Sends `count` messages, has every third reported as failed, and checks that each learnt of its own receipt.
async fn matched(
    keys: &str,
    count: usize,
    answer: impl Fn(u64) -> String + Send + Sync + 'static,
    receipt: impl Fn(u64) -> String,
) {
    let (smsc, book) = operator(answer).await;
    let place = Place::open(smsc.address, keys).await;
    let ids = place.send("hello", "485", 0, count).await;
    until("all submits", || book.lock().len() >= count).await;
    // Receipts come in another order than the answers.
    let mut answered = book.lock().clone();
    let half = answered.split_off(count / 2);
    for (number, phone) in half.iter().chain(answered.iter().rev()) {
        let stat = if number % 3 == 0 { "UNDELIV" } else { "DELIVRD" };
        smsc.deliver(Delivery::receipt(&receipt(*number), stat));
        assert!(phone.starts_with("485"));
    }
    place.all_are(ids.values(), &[Status::Delivered, Status::Undelivered]).await;
    for (number, phone) in answered.iter().chain(&half) {
        let expected = if number % 3 == 0 { Status::Undelivered } else { Status::Delivered };
        let message = place.message(ids[phone]).await;
        assert_eq!(message.status, expected, "{phone}, submit {number}: a receipt went to the wrong message");
    }
    until("all answers", || smsc.answered().0 == count).await;
    place.flow.stop().await;
}

/// How many of each kind; ten times as many by night.
const MANY: usize = 1_000;

fn uuid(number: u64) -> String {
    let mixed = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    format!("0{:07x}-{:04x}-4{:03x}-a000-{number:012x}", mixed >> 36, mixed & 0xffff, (mixed >> 16) & 0xfff)
}

const START: u64 = 0x5eed_0000_0000;

async fn hexadecimal_in_response(count: usize) {
    let keys = "message_id_format = \"hexadecimal-in-response\"";
    matched(keys, count, |n| format!("{:X}", START + n), |n| format!("{}", START + n)).await;
}

async fn decimal_in_response(count: usize) {
    let keys = "message_id_format = \"decimal-in-response\"";
    matched(keys, count, |n| format!("{}", START + n), |n| format!("{:x}", START + n)).await;
}

async fn auto(count: usize) {
    matched("", count, |n| format!("{:X}", START + n), |n| format!("{:015}", START + n)).await;
}

async fn padded(count: usize) {
    matched("", count, |n| format!("{n:010}"), |n| format!("{n}")).await;
}

/// UUIDs that lost their leading zero and were written in capitals.
async fn case_and_uuid(count: usize) {
    matched("", count, uuid, |n| uuid(n)[1..].to_uppercase()).await;
}

async fn beyond_64_bits(count: usize) {
    let wide = |n: u64| (u128::from(n) << 100) + 0xAB_CDEF;
    let keys = "message_id_format = \"hexadecimal-in-response\"";
    matched(keys, count, move |n| format!("{:x}", wide(n)), move |n| format!("{}", wide(n))).await;
    let longer = |n: u64| format!("{}{n}", "9".repeat(90));
    matched("", count, longer, longer).await;
}

/// A test of each kind, and one over all of them with ten times as many.
macro_rules! d2 {
    ($($name:ident: $kind:ident),+) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            $kind(MANY).await;
        })+

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn nightly_d2_dlr_id_transforms() {
            $($kind(10 * MANY).await;)+
        }
    };
}

d2!(
    d2_dlr_id_transforms_hexadecimal_in_response: hexadecimal_in_response,
    d2_dlr_id_transforms_decimal_in_response: decimal_in_response,
    d2_dlr_id_transforms_auto: auto,
    d2_dlr_id_transforms_padded: padded,
    d2_dlr_id_transforms_case_and_uuid: case_and_uuid,
    d2_dlr_id_transforms_beyond_64_bits: beyond_64_bits
);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn small_counters_never_meet_in_another_base() {
    // 16 in decimal is 10 in hexadecimal: with both bases open, a receipt could find a neighbour's message.
    matched("", 300, |n| format!("{n}"), |n| format!("{n}")).await;
    matched("message_id_format = \"hexadecimal-in-response\"", 300, |n| format!("{n:x}"), |n| format!("{n}")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn how_ids_are_written_is_learnt_and_shown_but_not_switched() {
    let (smsc, book) = operator(|n| format!("{:x}", START + n)).await;
    let place = Place::open(smsc.address, "").await;
    place.send("hello", "485", 0, 260).await;
    until("all submits", || book.lock().len() >= 260).await;
    for number in 1..=260 {
        smsc.deliver(Delivery::receipt(&format!("{}", START + number), "DELIVRD"));
    }
    let learnt = || place.flow.settle.learnt_ids().into_iter().next();
    until("200 receipts to be judged", || learnt().is_some_and(|learnt| learnt.receipts == 200)).await;
    let learnt = learnt().unwrap();
    assert_eq!((learnt.hits, learnt.proposed), ([0, 200, 0, 0, 0], Some(MessageIdFormat::HexadecimalInResponse)));
    let control = place.store.control();
    assert_eq!(control.carrier(learnt.carrier).unwrap().message_id_format, MessageIdFormat::Auto);
    place.flow.stop().await;
}

/// The same ids from two operators, and receipts over any bind.
async fn other_bind_account(count: usize) {
    let (one, book_one) = operator(|n| format!("{n:08}")).await;
    let (two, book_two) = operator(|n| format!("{n:08}")).await;
    let operators =
        [(one.address, "485", "binds = 4"), (two.address, "486", "binds = 2\nbind = \"transmitter+receiver\"")];
    let place = Place::open_with(domain::clock::Clock::system(), &operators).await;
    let mut ids: HashMap<_, _> = place.send("hello", "485", 0, count).await;
    ids.extend(place.send("hello", "486", 0, count).await);
    until("all submits", || book_one.lock().len() >= count && book_two.lock().len() >= count).await;
    until("all binds", || one.sessions() == 4 && two.sessions() == 2).await;
    // The operator of 485 delivers everything, the other one nothing. Receipts leave over the sessions in turn.
    for number in 1..=count {
        one.deliver(Delivery::receipt(&format!("{number:08}"), "DELIVRD"));
        two.deliver(Delivery::receipt(&format!("{number:08}"), "EXPIRED"));
    }
    place.all_are(ids.values(), &[Status::Delivered, Status::Expired]).await;
    for (phone, id) in &ids {
        let expected = if phone.starts_with("485") { Status::Delivered } else { Status::Expired };
        assert_eq!(place.message(*id).await.status, expected, "{phone}: another operator's receipt");
    }
    place.flow.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d6_dlr_other_bind_account() {
    other_bind_account(200).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nightly_d6_dlr_other_bind_account() {
    other_bind_account(5_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_that_gives_ids_again_is_noticed_and_the_newest_open_message_wins() {
    // Ids run from 1 to 100 and start over.
    let (smsc, book) = operator(|n| format!("{}", (n - 1) % 100 + 1)).await;
    let place = Place::open(smsc.address, "").await;
    let first = place.send("hello", "485", 0, 100).await;
    until("the first submits", || book.lock().len() >= 100).await;
    place.all_are(first.values(), &[Status::Sent]).await;
    let second = place.send("hello", "485", 100, 100).await;
    until("all submits", || book.lock().len() >= 200).await;
    place.all_are(second.values(), &[Status::Sent]).await;
    // The newer messages are reported first, then the older ones, under the same ids.
    for stat in ["DELIVRD", "EXPIRED"] {
        for number in 1..=100 {
            smsc.deliver(Delivery::receipt(&format!("{number}"), stat));
        }
        let (ids, status) = if stat == "DELIVRD" { (&second, Status::Delivered) } else { (&first, Status::Expired) };
        place.all_are(ids.values(), &[status]).await;
    }
    place.all_are(second.values(), &[Status::Delivered]).await;
    assert_eq!(place.store.health().operator_ids_reused, 100);
    place.flow.stop().await;
}
