//! The receiver of webhooks, called in raw HTTP.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

use std::time::{Duration, Instant};

use serde_json::json;
use simulator::webhook::{Mood, Secrets, Sink, SinkOptions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

async fn sink() -> Sink {
    Sink::start(&SinkOptions::local(), true).await.unwrap()
}

fn call(headers: &str, events: &serde_json::Value) -> Vec<u8> {
    let body = events.to_string();
    format!("POST /hooks HTTP/1.1\r\nHost: x\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

fn event(number: u32) -> serde_json::Value {
    json!({ "event": "sms.status", "eventId": format!("e-{number}"), "externalId": "x-1", "status": 21 })
}

/// What comes back until the connection pauses for long or ends.
async fn exchange(sink: &Sink, octets: &[u8]) -> (String, bool) {
    let mut stream = TcpStream::connect(sink.address).await.unwrap();
    stream.write_all(octets).await.unwrap();
    let mut answer = Vec::new();
    loop {
        match tokio::time::timeout(Duration::from_millis(400), stream.read_buf(&mut answer)).await {
            Err(_) => return (String::from_utf8(answer).unwrap(), true),
            Ok(Ok(0) | Err(_)) => return (String::from_utf8(answer).unwrap(), false),
            Ok(Ok(_)) => {}
        }
    }
}

#[tokio::test]
async fn calls_are_answered_and_their_events_kept() {
    let sink = sink().await;
    let two = call("Request-Id: r-1\r\nwebhook-attempt: 2\r\n", &json!([event(1), event(2)]));
    let one = call("Request-Id: r-2\r\n", &json!([event(3)]));
    let (answer, open) = exchange(&sink, &[two, one].concat()).await;
    assert_eq!((answer.matches("HTTP/1.1 200 OK").count(), open), (2, true));
    assert_eq!((sink.calls(), sink.events(), sink.bad_calls()), (2, 3, 0));
    let received = sink.received();
    let ids: Vec<_> = received.iter().map(|received| (received.event_id(), received.request_id.as_str())).collect();
    assert_eq!(ids, [("e-1", "r-1"), ("e-2", "r-1"), ("e-3", "r-2")]);
    let first = &received[0];
    assert_eq!((first.attempt, first.events_in_call, first.answered, first.status()), (2, 2, 200, Some(21)));
    assert_eq!((first.external_id(), first.path.as_str()), ("x-1", "/hooks"));
}

#[tokio::test]
async fn a_call_in_pieces_is_one_call() {
    let sink = sink().await;
    let mut stream = TcpStream::connect(sink.address).await.unwrap();
    for octet in call("", &json!([event(1)])) {
        stream.write_all(&[octet]).await.unwrap();
    }
    assert!(sink.wait_for(Duration::from_secs(5), |sink| sink.events() == 1).await);
    assert_eq!(sink.calls(), 1);
}

#[tokio::test]
async fn without_recording_events_are_counted_only() {
    let sink = Sink::start(&SinkOptions::local(), false).await.unwrap();
    exchange(&sink, &call("", &json!([event(1), event(2)]))).await;
    assert_eq!((sink.calls(), sink.events(), sink.received().len()), (1, 2, 0));
}

#[tokio::test]
async fn wrong_proofs_and_bodies_that_are_no_array_are_told_apart() {
    let sink = sink().await;
    sink.set_secrets(Secrets { secret_key: "key".into(), signing_secret: String::new() });
    let date = "X-Webhook-Date: 2021-02-25 15:02:10\r\nRequest-Id: r-1\r\n";
    let good = format!("{date}X-Webhook-Checksum: GOOD\r\n").replace("GOOD", CHECKSUM);
    exchange(&sink, &call(&good, &json!([event(1)]))).await;
    assert_eq!(sink.bad_calls(), 0);
    exchange(&sink, &call(&good.replace("r-1", "r-2"), &json!([event(2)]))).await;
    assert_eq!(sink.bad_calls(), 1);
    exchange(&sink, &call(&good, &json!({ "not": "an array" }))).await;
    assert_eq!(sink.bad_calls(), 2);
    let verdicts: Vec<_> = sink.received().iter().map(|received| received.verdict.checksum).collect();
    assert_eq!(verdicts, [Some(true), Some(false)]);
}

/// `printf 'key|2021-02-25 15:02:10|r-1' | sha1sum`
const CHECKSUM: &str = "2c24265222d3daaaa8efae518fcb1befdf4c6ba6";

#[tokio::test]
async fn it_misbehaves_on_order_and_in_order() {
    let sink = sink().await;
    let moods = [
        Mood::Answer { status: 503, after_ms: 0 },
        Mood::Busy { retry_after_seconds: 7 },
        Mood::Redirect,
        Mood::Nonsense,
        Mood::Hangup,
        Mood::Reset,
        Mood::Silent,
        Mood::Huge { body_octets: 200_000 },
    ];
    sink.answer_next(moods);
    let one = call("", &json!([event(1)]));
    let mut answers = Vec::new();
    for _ in moods {
        answers.push(exchange(&sink, &one).await);
    }
    let starts = |number: usize, with: &str| assert!(answers[number].0.starts_with(with), "{:?}", answers[number]);
    starts(0, "HTTP/1.1 503 ");
    assert!(answers[1].0.contains("429") && answers[1].0.contains("Retry-After: 7\r\n"));
    assert!(answers[2].0.contains("302") && answers[2].0.contains("Location: "));
    starts(3, "no, thank you");
    assert_eq!(answers[4..7], [(String::new(), false), (String::new(), false), (String::new(), true)]);
    assert!(answers[7].0.len() > 200_000);
    let answered: Vec<u16> = sink.received().iter().map(|received| received.answered).collect();
    assert_eq!(answered, [503, 429, 302, 0, 0, 0, 0, 200]);
    assert!(exchange(&sink, &one).await.0.starts_with("HTTP/1.1 200"), "then it is itself again");
}

#[tokio::test]
async fn an_answer_may_come_late_or_octet_by_octet() {
    let sink = sink().await;
    let one = call("", &json!([event(1)]));
    let late = (Mood::Answer { status: 200, after_ms: 150 }, &b"\r\n\r\n"[..]);
    for (mood, end) in [late, (Mood::Drip { every_ms: 5 }, &b"drip"[..])] {
        sink.set_mood(mood);
        let mut stream = TcpStream::connect(sink.address).await.unwrap();
        let start = Instant::now();
        stream.write_all(&one).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(end) {
            assert_ne!(stream.read_buf(&mut answer).await.unwrap(), 0);
        }
        assert!(answer.starts_with(b"HTTP/1.1 200 "));
        assert!(start.elapsed() >= Duration::from_millis(150), "{mood:?} took {:?}", start.elapsed());
    }
}
