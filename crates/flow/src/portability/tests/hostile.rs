//! Services that answer nonsense, too much, or not at all.

use std::sync::atomic::Ordering;
use std::time::Duration;

use domain::lane::Lane;
use tokio::time::Instant;

use super::super::{NetworkSource, Options};
use super::server::{Reaction, Server, networks, phone, until};

#[tokio::test]
async fn nonsense_is_an_error_and_is_not_remembered() {
    let server = Server::start().await;
    let networks = networks(&server.options());
    let flood = format!("HTTP/1.1 200 OK\r\n{}", "x: y\r\n".repeat(20_000));
    let reactions = [
        Reaction::Json("<html>"),
        Reaction::Json("{}"),
        Reaction::Json(r#"{"network":"Plus"}"#),
        Reaction::Json(r#"{"network":["26001"]}"#),
        Reaction::Status(500),
        Reaction::Status(302),
        Reaction::Raw(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{".to_vec()),
        Reaction::Raw(b"garbage\r\n\r\n".to_vec()),
        Reaction::Raw(Vec::new()),
        Reaction::Raw(flood.into_bytes()),
        Reaction::Raw([b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), vec![b'['; 100_000]].concat()),
    ];
    server.react("48111", Reaction::Json(r#"{"network":"26001"}"#));
    for (number, reaction) in reactions.into_iter().enumerate() {
        server.react("4850", reaction.clone());
        let failed = networks.look_up(phone(&(48_500_000_000 + number as u64).to_string())).await;
        assert!(failed.is_err(), "{reaction:?}: {failed:?}");
        let (_, source) = networks.of(phone(&(48_500_000_000 + number as u64).to_string())).expect("a range");
        assert_eq!(source, NetworkSource::NumberRange);
        // A good answer in between keeps the breaker out of it.
        let good = networks.look_up(phone(&(48_111_000_000 + number as u64).to_string())).await;
        assert!(good.is_ok_and(|facts| facts.is_some()), "after {reaction:?}");
    }
    assert!(!server.seen.last_head.lock().contains("48999"), "a redirect was followed");
}

#[tokio::test]
async fn an_answer_of_ten_gigabytes_is_cut_off() {
    let server = Server::start().await;
    server.react("4850", Reaction::Endless(10_000_000_000));
    let networks = networks(&Options { deadline_ms: 10_000, ..server.options() });
    let failed = networks.look_up(phone("48500100200")).await.expect_err("too long");
    assert!(failed.to_string().contains("16384 octets"), "{failed}");
    until("the connection is closed", || server.seen.cut.load(Ordering::SeqCst) == 1).await;
    let taken = server.seen.taken.load(Ordering::SeqCst);
    assert!(taken < 50_000_000, "{taken} octets were taken: more than sockets hold");
}

#[tokio::test]
async fn a_service_that_fails_is_left_alone() {
    let server = Server::start().await;
    server.react("4850", Reaction::Status(503));
    let networks = networks(&server.options());
    for number in 0..5_u64 {
        let failed = networks.look_up(phone(&(48_500_000_000 + number).to_string())).await;
        assert!(failed.is_err());
    }
    let left_alone = networks.look_up(phone("48500100200")).await.expect_err("left alone");
    assert!(left_alone.to_string().contains("left alone"), "{left_alone}");
    let started = Instant::now();
    let numbers = (0..1_000_u64).map(|number| phone(&(48_500_200_000 + number).to_string()));
    networks.ask_for(numbers, Lane::Standard).await;
    assert!(started.elapsed() < Duration::from_secs(2), "nobody waits for it");
    assert_eq!(server.calls(), 5);
    let figures = networks.figures().expect("figures");
    assert!((figures.failed, figures.answered, figures.is_left_alone) == (5, 0, true), "{figures:?}");
}

#[tokio::test]
async fn plain_http_does_not_leave_the_network() {
    let networks = networks(&Options { url: "http://1.1.1.1/{phone}".into(), ..Options::default() });
    let refused = networks.look_up(phone("48500100200")).await.expect_err("public");
    assert!(refused.to_string().contains("use https"), "{refused}");
}
