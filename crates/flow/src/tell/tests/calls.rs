//! What a call looks like and what becomes of it, over real connections.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use domain::clock::Clock;
use domain::control::{PreviousSecrets, Secret};
use domain::fact::CallOutcome;
use domain::lane::Lane;
use http::{Method, Response};
use http_body_util::Full;
use sha1::{Digest, Sha1};
use standardwebhooks::Webhook;
use tokio::io::AsyncWriteExt;
use tokio::time::sleep;

use super::receiver::{Received, raw_receiver, receiver, status};
use super::support::{MemoryOutbox, Running, SECRET_KEY, SIGNING_SECRET, account, endpoint, loopback, until};
use crate::tell::Options;

fn quick() -> Options {
    Options { retry_seconds: vec![1, 1], ..loopback() }
}

fn running(url: &str) -> Running {
    Running::start(MemoryOutbox::new(vec![account(endpoint(1, url))]), quick())
}

fn assert_genuine(received: &Received) {
    Webhook::new(SIGNING_SECRET).unwrap().verify(&received.body, &received.headers).unwrap();
    let (date, id) = (received.header("x-webhook-date"), received.header("request-id"));
    let digest = Sha1::digest(format!("{SECRET_KEY}|{date}|{id}"));
    let hexadecimal: String = digest.iter().map(|octet| format!("{octet:02x}")).collect();
    assert_eq!(received.header("x-webhook-checksum"), hexadecimal);
    assert_eq!(received.header("webhook-id"), id);
    let form: String = date.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    assert_eq!(form, "0000-00-00 00:00:00");
}

#[tokio::test]
async fn a_call_is_the_contracts_array_signed_in_both_ways() {
    let (url, log) = receiver(|_, _| status(204)).await;
    let running = running(&url);
    let event = running.outbox.event(1, Lane::Standard);
    let id = event.id.to_string();
    running.handle.tell(Arc::new(event));
    running.all_ended().await;
    let received = log.lock()[0].clone();
    assert_eq!((received.method.clone(), &*received.path), (Method::POST, "/hook"));
    assert_eq!(received.header("content-type"), "application/json");
    assert!(received.header("user-agent").starts_with("Posthorn/"));
    assert_eq!(received.header("webhook-attempt"), "1");
    assert_eq!(received.header("authorization"), "");
    assert_genuine(&received);
    let expected = serde_json::json!([{
        "event": "sms.status", "eventId": id, "seq": 2, "externalId": "order-1", "phoneNumber": "+48111222333",
        "sender": "ACME", "status": 21, "statusDesc": "Delivered", "statusTime": 1_795_342_500,
        "numberOfParts": 2, "operatorErrorCode": "0\"5", "webhookUrl": url,
    }]);
    assert_eq!(received.json(), expected);
    let calls = running.outbox.calls();
    assert_eq!((calls.len(), calls[0].outcome, calls[0].http_status), (1, CallOutcome::Told, 204));
    assert_eq!((calls[0].attempt, &*calls[0].failure), (1, ""));
    assert_eq!(calls[0].id.to_string(), received.header("request-id"));
}

#[tokio::test]
async fn a_retry_carries_the_same_ids_and_octets_and_is_signed_anew() {
    let (url, log) = receiver(|number, _| status(if number == 0 { 500 } else { 200 })).await;
    let running = running(&url);
    running.tell(1, 3);
    running.all_ended().await;
    let log = log.lock();
    let first = &log[0];
    let again = log[1..].iter().find(|other| other.header("request-id") == first.header("request-id")).unwrap();
    assert_eq!(again.body, first.body);
    assert_eq!((first.header("webhook-attempt"), again.header("webhook-attempt")), ("1", "2"));
    log.iter().for_each(assert_genuine);
    assert_ne!(first.header("webhook-timestamp"), again.header("webhook-timestamp"));
}

#[tokio::test]
async fn basic_authentication_and_two_secrets_in_rotation() {
    let (url, log) = receiver(|_, _| status(200)).await;
    let old = "whsec_b2xkb2xkb2xkb2xkb2xkb2xkb2xkb2xk";
    let mut own = endpoint(1, &url);
    own.basic_user = "posthorn".into();
    own.basic_password = Secret::new("p:ä");
    own.previous = Some(PreviousSecrets {
        secret_key: Secret::new("0ld"),
        signing_secret: Secret::new(old),
        until: Clock::system().now().plus_ms(3_600_000),
    });
    let running = Running::start(MemoryOutbox::new(vec![account(own.clone())]), quick());
    running.tell(1, 1);
    running.all_ended().await;
    let received = log.lock()[0].clone();
    assert_eq!(received.header("authorization"), format!("Basic {}", STANDARD.encode("posthorn:p:ä")));
    let verifies =
        |received: &Received, secret: &str| Webhook::new(secret).unwrap().verify(&received.body, &received.headers);
    verifies(&received, SIGNING_SECRET).unwrap();
    verifies(&received, old).unwrap();
    assert!(verifies(&received, "whsec_AAAA").is_err());
    let checksum = |received: &Received, key: &str| {
        let text = format!("{key}|{}|{}", received.header("x-webhook-date"), received.header("request-id"));
        Sha1::digest(text).iter().map(|octet| format!("{octet:02x}")).collect::<String>()
    };
    assert_eq!(received.header("x-webhook-checksum"), checksum(&received, "0ld"), "the receiver's key is still valid");
    assert_eq!(received.header("x-webhook-checksum-next"), checksum(&received, SECRET_KEY));

    if let Some(previous) = &mut own.previous {
        previous.until = Clock::system().now();
    }
    running.outbox.set_control(2, vec![account(own)]);
    running.tell(1, 1);
    running.all_ended().await;
    let received = log.lock()[1].clone();
    assert_genuine(&received);
    assert!(verifies(&received, old).is_err(), "the overlap is over");
    assert_eq!(received.header("x-webhook-checksum-next"), "");
}

#[tokio::test]
async fn a_requests_own_url_is_called_with_the_accounts_secrets() {
    let (own, own_log) = receiver(|_, _| status(200)).await;
    let (other, other_log) = receiver(|_, _| status(200)).await;
    let running = running(&own);
    for url in [&other, &own] {
        running.handle.tell(Arc::new(running.outbox.event_to(1, url)));
    }
    running.all_ended().await;
    assert_eq!((own_log.lock().len(), other_log.lock().len()), (1, 1));
    let received = other_log.lock()[0].clone();
    assert_genuine(&received);
    assert_eq!(received.json()[0]["webhookUrl"], other);
}

#[tokio::test]
async fn without_an_endpoint_of_its_own_an_account_gets_unsigned_calls() {
    let (url, log) = receiver(|_, _| status(200)).await;
    let running = Running::start(MemoryOutbox::new(vec![]), quick());
    running.handle.tell(Arc::new(running.outbox.event_to(7, &url)));
    running.all_ended().await;
    let received = log.lock()[0].clone();
    assert_eq!(received.header("webhook-signature"), "");
    assert_eq!(received.header("x-webhook-checksum"), "");
    assert_ne!(received.header("webhook-id"), "");
    assert_ne!(received.header("webhook-timestamp"), "");
}

#[tokio::test]
async fn the_secondary_url_is_used_in_the_same_try() {
    let (main, main_log) = receiver(|_, _| status(503)).await;
    let (secondary, secondary_log) = receiver(|_, _| status(200)).await;
    let mut own = endpoint(1, &main);
    own.secondary_url = secondary;
    let running = Running::start(MemoryOutbox::new(vec![account(own)]), quick());
    running.tell(1, 1);
    running.all_ended().await;
    let (first, second) = (main_log.lock()[0].clone(), secondary_log.lock()[0].clone());
    assert_eq!((&first.body, first.header("request-id")), (&second.body, second.header("request-id")));
    assert_eq!(second.header("webhook-attempt"), "1");
    assert_genuine(&second);
    assert_eq!(running.outbox.calls()[0].outcome, CallOutcome::Told);
}

#[tokio::test]
async fn connections_are_kept() {
    let (url, log) = receiver(|_, _| Response::new(Full::new(Bytes::from_static(b"thanks")))).await;
    let running = running(&url);
    for _ in 0..20 {
        running.tell(1, 1);
        running.all_ended().await;
    }
    assert_eq!(log.lock().len(), 20);
    assert_eq!(running.handle.figures().told, 20);
    assert!(running.outbox.calls().iter().skip(1).all(|call| call.latency_ms < 1_000));
}

#[tokio::test]
async fn events_come_from_a_thread_that_knows_nothing_of_the_runtime() {
    let (url, log) = receiver(|_, _| status(200)).await;
    let running = running(&url);
    let (handle, outbox) = (running.handle.clone(), running.outbox.clone());
    let writer = std::thread::spawn(move || {
        (0..500).for_each(|_| handle.tell(Arc::new(outbox.event(1, Lane::Standard))));
    });
    until(|| writer.is_finished()).await;
    writer.join().unwrap();
    running.all_ended().await;
    let received: usize = log.lock().iter().map(|call| call.json().as_array().unwrap().len()).sum();
    assert_eq!(received, 500);
}

#[tokio::test]
async fn the_end_of_the_program_waits_for_calls_in_progress() {
    let (begun, mut seen) = tokio::sync::watch::channel(false);
    let url = raw_receiver(move |mut stream| {
        begun.send_replace(true);
        async move {
            sleep(Duration::from_millis(200)).await;
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        }
    })
    .await;
    let running = running(&url);
    running.tell(1, 1);
    seen.wait_for(|begun| *begun).await.unwrap();
    let outbox = running.stop().await;
    assert_eq!(outbox.untold_count(), 0);
    assert_eq!(outbox.calls().len(), 1);
}

#[tokio::test]
async fn an_endpoint_can_be_tried_out_before_it_is_saved() {
    let (url, log) = receiver(|number, _| status(if number == 0 { 200 } else { 404 })).await;
    let running = Running::start(MemoryOutbox::new(vec![]), quick());
    let answer = running.handle.try_out(&endpoint(1, &url)).await.unwrap();
    assert!(answer.is_success());
    assert_genuine(&log.lock()[0]);
    let answer = running.handle.try_out(&endpoint(1, &url)).await.unwrap();
    assert_eq!((answer.status, &*answer.failure), (404, "HTTP 404"));
    assert!(running.handle.try_out(&endpoint(1, "https://10.0.0.1/")).await.is_err());
    assert!(running.outbox.calls().is_empty());
}
