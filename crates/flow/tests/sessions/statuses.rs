//! What follows from each answer of the operator, from end to end.

use std::time::Duration;

use domain::state::Status;
use simulator::operator::{Behaviour, Refusal, When};
use tokio::time::{Instant, sleep};

use super::rig::{Rig, carrier, operator, phones, plain, until};

/// The recipient that is refused with a status: the last four digits are its number.
fn phone_of(status: u32) -> String {
    format!("48500900{:03}", status)
}

fn refusals(statuses: impl IntoIterator<Item = u32>) -> Behaviour {
    let rule = |status| Refusal { when: When::Suffix(phone_of(status)), command_status: status };
    Behaviour { refusals: statuses.into_iter().map(rule).collect(), receipt_ms: 10, ..plain() }
}

/// What a part is expected to come to soon: final at once, or kept for later.
#[derive(Debug, PartialEq)]
enum Expected {
    Final,
    Kept,
}

/// As practice wants it, written down once more and independently of the table of the product. `None` where the
/// session is given up, which is tested apart.
fn expected(status: u32) -> Option<Expected> {
    match status {
        0x00 | 0x04 | 0x05 | 0x0d..=0x0f | 0x53 | 0x58 | 0x67 => None,
        0x08 | 0x14 | 0x45 | 0x64 | 0xfe | 0xff | 0x102 | 0x400..=0x4ff => Some(Expected::Kept),
        0x01..=0x03 | 0x06 | 0x07 | 0x0a..=0x0c | 0x11 | 0x13 | 0x15 => Some(Expected::Final),
        0x33 | 0x34 | 0x40 | 0x42 | 0x43 | 0x44 | 0x48 | 0x49 | 0x50 | 0x51 | 0x54 | 0x55 => Some(Expected::Final),
        0x61..=0x63 | 0x65 | 0x66 | 0xc0..=0xc4 | 0x100 | 0x101 | 0x103..=0x112 => Some(Expected::Final),
        // Not defined: once more, then final.
        _ => Some(Expected::Kept),
    }
}

async fn matrix(statuses: Vec<u32>) {
    let statuses: Vec<u32> = statuses.into_iter().filter(|status| expected(*status).is_some()).collect();
    let operator = operator(refusals(statuses.clone())).await;
    let rig = Rig::start(&[("one", carrier("one", operator.address, "binds = 1\nwindow = 100"))]).await;
    rig.wait_bound("one", 1).await;
    // Text of one part that is GSM 7-bit: what can be tried otherwise was tried otherwise once.
    for chunk in statuses.chunks(15) {
        // Few at a time, so that system errors do not open the breaker.
        let ids = rig.send(chunk.iter().map(|status| phone_of(*status))).await;
        for (status, id) in chunk.iter().zip(ids) {
            let refused = async || {
                let history = rig.store.history(id).await.unwrap();
                history.iter().any(|step| &*step.kind == "refused")
            };
            while !refused().await {
                sleep(Duration::from_millis(10)).await;
            }
            let is_final = || async { rig.message(id).await.status == Status::Rejected };
            if expected(*status) == Some(Expected::Final) {
                rig.wait_status(&[id], &[Status::Rejected]).await;
            } else {
                assert!(!is_final().await, "{status:#x} is kept for later");
            }
        }
    }
    let good = rig.send(phones(0, 0, 10)).await;
    rig.wait_status(&good, &[Status::Delivered]).await;
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c9_status_matrix_of_the_defined_codes() {
    matrix(smpp::CommandStatus::ALL.iter().map(|status| status.0).collect()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nightly_c9_status_matrix() {
    matrix((0x00..=0x112).chain(0x400..=0x4ff).collect()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c9_a_status_that_speaks_of_the_session_renews_it() {
    let operator = operator(refusals([0x04])).await;
    let rig = Rig::start(&[("one", carrier("one", operator.address, "binds = 2"))]).await;
    rig.wait_bound("one", 2).await;
    rig.send([phone_of(0x04)]).await;
    until("a bind was renewed", || operator.ledger().bind_attempts().len() > 2).await;
    let good = rig.send(phones(0, 0, 20)).await;
    rig.wait_status(&good, &[Status::Delivered]).await;
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_carriers_own_line_decides() {
    let operator = operator(refusals([0x0b, 0x410])).await;
    let lines = "binds = 1\n[[carrier.status]]\ncode = \"0x0400-0x04FF\"\naction = \"fail\"\n\
                 [[carrier.status]]\ncode = \"0x0B\"\naction = \"retry-later\"\ntries = 1\npause_seconds = 1\n";
    let rig = Rig::start(&[("one", carrier("one", operator.address, lines))]).await;
    rig.wait_bound("one", 1).await;
    let vendor = rig.send([phone_of(0x410)]).await;
    rig.wait_status(&vendor, &[Status::Rejected]).await;
    let address = rig.send([phone_of(0x0b)]).await;
    rig.wait_status(&address, &[Status::Rejected]).await;
    let tries = operator.ledger().parts().iter().filter(|part| part.destination == phone_of(0x0b)).count();
    assert_eq!(tries, 2, "once more after a second, then final");
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn times_that_are_refused_are_left_out_once() {
    let operator = operator(refusals([0x62])).await;
    let rig = Rig::start(&[("one", carrier("one", operator.address, "binds = 1"))]).await;
    rig.wait_bound("one", 1).await;
    let ids = rig.send([phone_of(0x62)]).await;
    rig.wait_status(&ids, &[Status::Rejected]).await;
    let parts = operator.ledger().parts();
    let validities: Vec<bool> = parts.iter().map(|part| part.validity_period.is_empty()).collect();
    assert_eq!(validities, [false, true]);
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_coding_that_is_refused_goes_once_more_as_ucs2() {
    let operator = operator(refusals([0x104])).await;
    let rig = Rig::start(&[("one", carrier("one", operator.address, "binds = 1"))]).await;
    rig.wait_bound("one", 1).await;
    let ids = rig.send([phone_of(0x104)]).await;
    rig.wait_status(&ids, &[Status::Rejected]).await;
    let parts = operator.ledger().parts();
    let codings: Vec<(u8, &str)> = parts.iter().map(|part| (part.data_coding, part.text.as_str())).collect();
    assert_eq!(codings, [(0, "hello"), (8, "hello")]);
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_header_that_is_refused_goes_as_sar_and_that_is_learnt() {
    let no_headers = Refusal { when: When::Header, command_status: 0x43 };
    let operator = operator(Behaviour { refusals: vec![no_headers], ..refusals([]) }).await;
    let rig = Rig::start(&[("one", carrier("one", operator.address, "binds = 1\nwindow = 10"))]).await;
    rig.wait_bound("one", 1).await;
    let text = "a".repeat(300);
    for status in [1, 2] {
        let ids = rig.send_text(&text, [phone_of(status)]).await;
        rig.wait_status(&ids, &[Status::Delivered]).await;
    }
    let parts = operator.ledger().parts();
    let refused = |status| {
        let of_it = parts.iter().filter(|part| part.destination == phone_of(status));
        of_it.filter(|part| part.command_status == Some(0x43)).count()
    };
    assert_eq!((refused(1), refused(2)), (2, 0), "the first message finds out, the second profits");
    let messages = operator.ledger().messages();
    assert_eq!(messages.iter().filter(|message| message.text == text).count(), 2, "and handsets can join the parts");
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_message_that_is_wanted_neither_with_header_nor_as_sar_goes_in_one_piece() {
    let no_parts = [When::Header, When::Sar].map(|when| Refusal { when, command_status: 0x43 });
    let operator = operator(Behaviour { refusals: no_parts.to_vec(), ..refusals([]) }).await;
    let one = carrier("one", operator.address, "binds = 1\nwindow = 10");
    let route = "[[route]]\nprefix = \"48\"\ncarriers = [\"one\"]\nprice = \"0.0001\"\n";
    for key_lines in ["", "traffic = \"bulk\"\n"] {
        let before = operator.ledger().parts().len();
        let rig = Rig::start_with(&[("one", one.clone())], route, key_lines).await;
        rig.wait_bound("one", 1).await;
        let text = "a".repeat(300);
        let ids = rig.send_text(&text, [phone_of(1)]).await;
        rig.wait_status(&ids, &[Status::Delivered]).await;
        let ids = rig.send_text(&text, [phone_of(2), phone_of(3)]).await;
        rig.wait_status(&ids, &[Status::Delivered]).await;
        let parts = operator.ledger().parts().split_off(before);
        let of = |status| parts.iter().filter(move |part| part.destination == phone_of(status));
        let taken = |status| of(status).filter(|part| part.command_status == Some(0)).collect::<Vec<_>>();
        for status in [1, 2, 3] {
            assert_eq!(taken(status).len(), 1, "in one piece, and once: {parts:?}");
            assert_eq!((taken(status)[0].text.as_str(), taken(status)[0].esm_class), (text.as_str(), 0));
        }
        assert_eq!([1, 2, 3].map(|status| of(status).count()), [5, 1, 1], "the first finds out, the others profit");
        rig.stop().await;
    }
}

/// One handset of a hundred is full; the others must not feel it. Compares the slowest of a hundred answers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c8_msgqful_per_dest() {
    let full = phones(0, 42, 1).next().unwrap();
    let rule = Refusal { when: When::Suffix(full.clone()), command_status: 0x14 };
    let operator = operator(Behaviour { refusals: vec![rule], receipt_ms: 10, ..plain() }).await;
    let rig = Rig::start(&[("one", carrier("one", operator.address, "binds = 1\nwindow = 20"))]).await;
    rig.wait_bound("one", 1).await;
    for round in 0..10 {
        let ids = rig.send_text(&format!("round {round}"), phones(0, 0, 100)).await;
        let others: Vec<_> = ids.iter().enumerate().filter(|(index, _)| *index != 42).map(|(_, id)| *id).collect();
        rig.wait_status(&others, &[Status::Delivered]).await;
        assert_eq!(rig.message(ids[42]).await.status, Status::New, "it waits for its handset");
    }
    let tries = operator.ledger().parts().iter().filter(|part| part.destination == full).count();
    assert!(tries <= 3, "ten messages to a full handset were tried {tries} times");
    assert!(rig.carrier("one").binds()[0].pace_per_second.is_none(), "the bind stays fast");
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_but_system_errors_opens_the_breaker_and_no_message_is_lost() {
    let ill = Refusal { when: When::Every(1), command_status: 0x08 };
    let operator = operator(Behaviour { refusals: vec![ill], ..refusals([]) }).await;
    let rig = Rig::start(&[("one", carrier("one", operator.address, "binds = 1\nwindow = 10"))]).await;
    rig.wait_bound("one", 1).await;
    let ids = rig.send(phones(0, 0, 300)).await;
    until("the breaker opens", || rig.carrier("one").breaker().0).await;
    sleep(Duration::from_secs(1)).await;
    let tried = operator.ledger().parts().len();
    assert!(tried <= 20 + 2 * 10, "after twenty errors and what was in flight nothing more is sent: {tried}");
    operator.behave(refusals([]));
    rig.wait_status(&ids, &[Status::Delivered]).await;
    assert_eq!(rig.carrier("one").breaker(), (false, 1));
    rig.stop().await;
}

/// How long the slowest of 99 messages took to reach the operator, in the usual round of 30.
async fn usual_slowest(full: Option<Refusal>) -> Duration {
    let behaviour = Behaviour { refusals: full.into_iter().collect(), missing_per_mille: 1000, ..plain() };
    let operator = operator(behaviour).await;
    let rig = Rig::start(&[("one", carrier("one", operator.address, "binds = 1\nwindow = 20"))]).await;
    rig.wait_bound("one", 1).await;
    let mut slowest = Vec::new();
    for round in 0..30 {
        let accepted = || operator.ledger().accepted.load(std::sync::atomic::Ordering::Relaxed);
        let (started, before) = (Instant::now(), accepted());
        rig.send_text(&format!("round {round}"), phones(0, 0, 100)).await;
        until("the others are with the operator", || accepted() >= before + 99).await;
        slowest.push(started.elapsed());
    }
    rig.stop().await;
    slowest.sort();
    slowest[slowest.len() / 2]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nightly_c8_msgqful_per_dest_slows_nobody_else() {
    let full = phones(0, 42, 1).next().unwrap();
    let alone = usual_slowest(None).await;
    let beside = usual_slowest(Some(Refusal { when: When::Suffix(full), command_status: 0x14 })).await;
    assert!(beside <= alone * 2, "{beside:?} beside a full handset, {alone:?} without");
}
