//! Receivers that misbehave: each costs one try and bounded time and memory.

use std::time::{Duration, Instant};

use domain::fact::{CallOutcome, WebhookCall};
use http::header::{LOCATION, RETRY_AFTER};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

use super::receiver::{raw_receiver, receiver, status};
use super::support::{MemoryOutbox, Running, account, endpoint, loopback, until};
use crate::tell::Options;

const DEADLINE_MS: u64 = 400;

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

fn assert_failed(call: &WebhookCall, status: u16, word: &str) {
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
async fn one_that_sends_ten_gigabytes() {
    let (sent, seen) = tokio::sync::watch::channel(None);
    let url = raw_receiver(move |mut stream| {
        let sent = sent.clone();
        async move {
            let _ = stream.write_all(b"HTTP/1.1 500 Oops\r\ncontent-length: 10000000000\r\n\r\n").await;
            let (chunk, mut octets) = (vec![b'x'; 64 * 1024], 0_usize);
            while stream.write_all(&chunk).await.is_ok() {
                octets += chunk.len();
            }
            sent.send_replace(Some(octets));
        }
    })
    .await;
    let (call, took) = first_try(&url).await;
    assert_failed(&call, 500, "HTTP 500: xxx");
    assert!(call.failure.len() <= 220, "only an excerpt is kept");
    assert!(took < Duration::from_millis(DEADLINE_MS), "the bound ends it, not the deadline: {took:?}");
    until(|| seen.borrow().is_some()).await;
    assert!(seen.borrow().unwrap() < 16 << 20, "the connection was closed; the rest stayed in socket buffers");
}

#[tokio::test]
async fn one_that_redirects_to_the_metadata_service() {
    let (url, log) = receiver(|_, _| {
        let mut response = status(302);
        response.headers_mut().insert(LOCATION, "http://169.254.169.254/latest/meta-data/".parse().unwrap());
        response
    })
    .await;
    let (call, _) = first_try(&url).await;
    assert_failed(&call, 302, "redirects are not followed");
    assert_eq!(log.lock().len(), 1);
}

#[tokio::test]
async fn one_that_floods_with_headers() {
    let url = raw_receiver(|mut stream| async move {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n").await;
        let line = format!("x-flood: {}\r\n", "y".repeat(1_000));
        while stream.write_all(line.as_bytes()).await.is_ok() {}
    })
    .await;
    let (call, took) = first_try(&url).await;
    assert_failed(&call, 0, "no valid answer");
    assert!(took < Duration::from_millis(DEADLINE_MS), "{took:?}");
}

#[tokio::test]
async fn one_that_floods_with_interim_answers() {
    let url = raw_receiver(|mut stream| async move {
        while stream.write_all(b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n").await.is_ok() {}
    })
    .await;
    let (call, took) = first_try(&url).await;
    assert_failed(&call, 0, "");
    assert!(took < Duration::from_millis(DEADLINE_MS + 2_000), "{took:?}");
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
