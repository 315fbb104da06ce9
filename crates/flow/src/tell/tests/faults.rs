//! Receivers that misbehave: each costs one try and bounded time and memory.

use std::time::{Duration, Instant};

use domain::fact::{CallOutcome, WebhookCall};
use http::header::RETRY_AFTER;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

use super::receiver::{raw_receiver, receiver, status};
use super::support::{MemoryOutbox, Running, account, endpoint, loopback, until};
use crate::tell::Options;

pub(super) const DEADLINE_MS: u64 = 400;

/// The first try against a receiver and how long it took.
async fn first_try(url: &str) -> (WebhookCall, Duration) {
    let options = Options { deadline_ms: DEADLINE_MS, ..loopback() };
    let running = Running::start(MemoryOutbox::new(vec![account(endpoint(1, url))]), options);
    let began = Instant::now();
    running.tell(1, 1);
    until(|| !running.outbox.calls().is_empty()).await;
    let took = began.elapsed();
    let call = running.outbox.calls()[0].clone();
    running.stop().await;
    (call, took)
}

pub(super) fn assert_failed(call: &WebhookCall, status: u16, word: &str) {
    assert!(matches!(call.outcome, CallOutcome::RetryAt(at) if at > call.at), "{call:?}");
    assert_eq!(call.http_status, status, "{call:?}");
    assert!(call.failure.contains(word), "{call:?}");
}

#[tokio::test]
async fn one_that_takes_the_call_and_says_nothing() {
    let url = raw_receiver(|stream| async move {
        let _kept = stream;
        sleep(Duration::from_secs(60)).await;
    })
    .await;
    let (call, took) = first_try(&url).await;
    assert_failed(&call, 0, "timeout");
    assert!((DEADLINE_MS..DEADLINE_MS + 1_500).contains(&(took.as_millis() as u64)), "{took:?}");
    assert!(u64::from(call.latency_ms) >= DEADLINE_MS);
}

async fn drip(mut stream: TcpStream, head: &'static [u8]) {
    let _ = stream.write_all(head).await;
    while stream.write_all(b"x").await.is_ok() {
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn one_that_drips_its_headers() {
    let url = raw_receiver(|stream| drip(stream, b"HTTP/1.1 200 OK\r\nx-slow: ")).await;
    let (call, took) = first_try(&url).await;
    assert_failed(&call, 0, "timeout");
    assert!(took < Duration::from_millis(DEADLINE_MS + 1_500), "{took:?}");
}

#[tokio::test]
async fn one_that_drips_its_body_has_answered_and_is_cut_off_at_the_deadline() {
    let url = raw_receiver(|stream| drip(stream, b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")).await;
    let (call, took) = first_try(&url).await;
    assert_eq!((call.outcome, call.http_status), (CallOutcome::Told, 200));
    assert!(took < Duration::from_millis(DEADLINE_MS + 1_500), "{took:?}");
}

#[tokio::test]
async fn one_that_is_no_http_server() {
    let url = raw_receiver(|mut stream| async move {
        let _ = stream.write_all(b"220 mail.example.com ESMTP\r\n").await;
        sleep(Duration::from_secs(5)).await;
    })
    .await;
    assert_failed(&first_try(&url).await.0, 0, "no valid answer");
}

#[tokio::test]
async fn one_that_resets_the_connection() {
    let url = raw_receiver(|stream| async move {
        stream.set_zero_linger().unwrap();
        drop(stream);
    })
    .await;
    assert_failed(&first_try(&url).await.0, 0, "no valid answer");
}

#[tokio::test]
async fn one_that_is_not_there() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    assert_failed(&first_try(&url).await.0, 0, "can't connect");
}

#[tokio::test]
async fn one_that_asks_to_wait() {
    let (url, _) = receiver(|_, _| {
        let mut response = status(503);
        response.headers_mut().insert(RETRY_AFTER, "3600".parse().unwrap());
        response
    })
    .await;
    let (call, _) = first_try(&url).await;
    let CallOutcome::RetryAt(at) = call.outcome else { panic!("{call:?}") };
    assert!((3_600_000..3_601_000).contains(&at.since_ms(call.at)));
}

#[tokio::test]
async fn one_that_answers_410_is_given_up_at_once() {
    let (url, log) = receiver(|_, _| status(410)).await;
    let (call, _) = first_try(&url).await;
    assert_eq!((call.outcome, call.http_status), (CallOutcome::Dead, 410));
    assert!(call.failure.starts_with("gone"));
    assert_eq!(log.lock().len(), 1);
}
