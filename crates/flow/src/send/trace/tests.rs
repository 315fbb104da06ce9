//! What lookers see, and what they don't.

use std::sync::Arc;

use bytes::BytesMut;
use domain::clock::{Clock, UnixMillis};
use domain::control::{Carrier, Secret};
use domain::limits::{TRACE_FRAMES_MAX, TRACES_MAX};
use smpp::encode::message_response;
use smpp::pdu::{Address, Bind, BindMode, SubmitSm};
use smpp::session::{Direction, FrameWatcher};
use smpp::tlv::Tlvs;
use smpp::{CommandId, CommandStatus};

use super::{Eyes, Masking, TraceFilter, TraceLine, Traces};

fn carrier(name: &str) -> Arc<Carrier> {
    Arc::new(Carrier { name: name.into(), password: Secret::new("hunter2!"), ..crate::testing::carrier(1) })
}

fn eyes(traces: &Traces, name: &str, bind: u16) -> Eyes {
    Eyes::new(traces, &Clock::manual(UnixMillis(1_000)), &carrier(name), (bind, u64::from(bind)))
}

fn submit(destination: &str, sequence_number: u32) -> BytesMut {
    let mut out = BytesMut::new();
    let sm = SubmitSm {
        source: Address { ton: 5, npi: 0, digits: b"ACME" },
        destination: Address { ton: 1, npi: 1, digits: destination.as_bytes() },
        registered_delivery: 1,
        short_message: b"Your code is 123456",
        ..SubmitSm::default()
    };
    sm.encode_submit(sequence_number, &mut out).unwrap();
    out
}

fn answer(sequence_number: u32) -> BytesMut {
    let mut out = BytesMut::new();
    message_response(CommandId::SUBMIT_SM_RESP, CommandStatus::ROK, sequence_number, b"abc", Tlvs::EMPTY, &mut out);
    out
}

async fn lines(stream: &mut super::TraceStream, count: usize, masking: Masking) -> Vec<TraceLine> {
    let mut lines = Vec::new();
    while lines.len() < count {
        lines.push(TraceLine::of(&stream.next().await.unwrap(), masking));
    }
    lines
}

#[tokio::test]
async fn a_filter_by_carrier_and_bind_shows_no_others() {
    let traces = Traces::default();
    let one = eyes(&traces, "one", 0);
    assert!(!one.looks(), "nobody looks");
    let filter = TraceFilter { carrier: Some("one".into()), bind: Some(1), number: None };
    let mut stream = traces.open(filter).unwrap();
    assert!(one.looks());
    for eyes in [&one, &eyes(&traces, "two", 1), &eyes(&traces, "one", 1)] {
        eyes.frame(Direction::Out, &submit("48601234567", 7));
    }
    let seen = lines(&mut stream, 1, Masking::default()).await;
    assert_eq!((seen[0].carrier.as_str(), seen[0].bind, seen[0].pdu.as_str()), ("one", 1, "submit_sm"));
    assert!(!stream.has_more());
    drop(stream);
    assert!(!one.looks());
}

#[tokio::test]
async fn a_filter_by_number_shows_the_message_and_its_answer() {
    let traces = Traces::default();
    let eyes = eyes(&traces, "one", 0);
    let filter = TraceFilter { number: Some("48601234567".into()), ..TraceFilter::default() };
    let mut stream = traces.open(filter).unwrap();
    for (number, destination) in [(1, "48601234566"), (2, "48601234567"), (3, "48601234568")] {
        eyes.frame(Direction::Out, &submit(destination, number));
    }
    for number in [1, 2, 3] {
        eyes.frame(Direction::In, &answer(number));
    }
    let seen = lines(&mut stream, 2, Masking::default()).await;
    assert_eq!(seen.iter().map(|line| line.sequence_number).collect::<Vec<_>>(), [2, 2]);
    assert_eq!(seen[1].status.as_deref(), Some("ROK"));
    assert!(!stream.has_more());
}

#[tokio::test]
async fn texts_numbers_and_passwords_are_masked() {
    let traces = Traces::default();
    let eyes = eyes(&traces, "one", 0);
    let mut stream = traces.open(TraceFilter::default()).unwrap();
    let bind = Bind {
        mode: BindMode::Transceiver,
        system_id: b"acme",
        password: b"hunter2!",
        system_type: b"",
        interface_version: 0x34,
        addr_ton: 0,
        addr_npi: 0,
        address_range: b"",
    };
    eyes.show_bind(&bind, Some(CommandStatus::RINVPASWD));
    eyes.frame(Direction::Out, &submit("48601234567", 7));
    eyes.frame(Direction::Out, &submit("48601234567", 8));
    let masked = lines(&mut stream, 3, Masking::default()).await;
    let all = format!("{masked:?}");
    for secret in ["hunter2!", "123456", "48601234567", "code"] {
        assert!(!all.contains(secret), "{secret} is in {all}");
    }
    assert!(all.contains("48601***567") && all.contains("19 octets"), "{all}");
    assert_eq!((masked[1].pdu.as_str(), masked[1].status.as_deref()), ("bind_transceiver_resp", Some("RINVPASWD")));
    assert!(masked[1].is_refusal());
    let open = lines(&mut stream, 1, Masking { show_text: true, show_numbers: true }).await;
    let all = format!("{open:?}");
    assert!(all.contains("Your code is 123456") && all.contains("48601234567"), "{all}");
}

#[tokio::test]
async fn who_does_not_keep_up_misses_frames_and_is_told_how_many() {
    let traces = Traces::default();
    let eyes = eyes(&traces, "one", 0);
    let mut stream = traces.open(TraceFilter::default()).unwrap();
    for number in 0..u32::try_from(TRACE_FRAMES_MAX).unwrap() + 5 {
        eyes.frame(Direction::Out, &submit("48601234567", number + 1));
    }
    assert_eq!((stream.take_missed(), stream.take_missed()), (5, 0));
    let more: Vec<_> = (1..TRACES_MAX).map(|_| traces.open(TraceFilter::default()).unwrap()).collect();
    assert!(traces.open(TraceFilter::default()).is_none(), "too many look");
    drop(more);
    assert!(traces.open(TraceFilter::default()).is_some());
}

#[test]
fn nothing_takes_over_the_terminal() {
    let line = {
        let mut out = BytesMut::new();
        let id = b"\x1b]0;owned\x07";
        message_response(CommandId::SUBMIT_SM_RESP, CommandStatus::ROK, 1, id, Tlvs::EMPTY, &mut out);
        let frame = super::TracedFrame {
            at: UnixMillis(0),
            carrier: carrier("one"),
            bind: 0,
            direction: Direction::In,
            octets: out.to_vec().into(),
        };
        format!("{:?}", TraceLine::of(&frame, Masking::default()).fields)
    };
    assert!(!line.contains('\u{1b}') && !line.contains("\\u{1b}") && !line.contains("\\u{7}"), "{line}");
}
