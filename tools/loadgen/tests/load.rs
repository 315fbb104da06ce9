//! The tool against servers that behave in known ways.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use loadgen::{LoadError, LoadOptions, Report, bare, start};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";

async fn listener() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (listener, url)
}

/// Reads one request, whose body is known to end with `]}`.
async fn read_request(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut request = Vec::new();
    while !request.ends_with(b"]}") {
        if stream.read_buf(&mut request).await.unwrap_or(0) == 0 {
            return None;
        }
    }
    Some(request)
}

async fn run(options: LoadOptions) -> Report {
    start(options, None).unwrap().finish().await.unwrap()
}

#[tokio::test]
async fn every_request_of_a_count_is_answered_once_and_told_to_the_ledger() {
    let (listener, url) = listener().await;
    let served = Arc::new(AtomicU64::new(0));
    tokio::spawn(bare::serve(listener, Arc::clone(&served)));
    let seen = Arc::new(Mutex::new(Vec::new()));
    let ledger = Arc::clone(&seen);
    let options = LoadOptions {
        url,
        count: Some(1000),
        connections: 7,
        recipients: 1,
        check_body: true,
        priority_share: 0.25,
        external_id_prefix: Some("t-".to_owned()),
        ..LoadOptions::default()
    };
    let running = start(
        options,
        Some(Box::new(move |answered| {
            let phone = answered.phone_numbers().next().unwrap();
            ledger.lock().unwrap().push((answered.external_id().unwrap(), phone, answered.status, answered.priority));
        })),
    );
    let report = running.unwrap().finish().await.unwrap();
    assert_eq!((report.status(200), report.answered(), report.sent), (1000, 1000, 1000));
    assert_eq!((report.unsent, report.no_answer, report.bad_bodies), (0, 0, Some(0)));
    assert_eq!((report.latency_standard.count, report.latency_priority.count), (750, 250));
    assert_eq!(served.load(Ordering::Relaxed), 1000);
    let mut seen = std::mem::take(&mut *seen.lock().unwrap());
    seen.sort();
    let expected = (0..1000).map(|n| (format!("t-{n:010}"), 48_500_000_000 + n, Some(200), n % 4 == 3));
    assert_eq!(seen, expected.collect::<Vec<_>>());
}

#[tokio::test]
async fn a_stall_of_the_server_is_charged_to_every_request_planned_meanwhile() {
    let (listener, url) = listener().await;
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut stalled = false;
        while read_request(&mut stream).await.is_some() {
            if !std::mem::replace(&mut stalled, true) {
                tokio::time::sleep(Duration::from_millis(300)).await;
            }
            stream.write_all(OK).await.unwrap();
        }
    });
    let report =
        run(LoadOptions { url, rate: Some(200.0), count: Some(100), connections: 1, ..LoadOptions::default() }).await;
    assert_eq!(report.status(200), 100);
    // 60 requests were planned during the stall; a tool that waits with sending would see one slow answer.
    assert!(report.latency.p50_us > 20_000, "{report}");
    assert!(report.latency.max_us >= 290_000, "{report}");
    assert!(report.backlog_max >= 40, "{report}");
}

#[tokio::test]
async fn the_open_loop_keeps_its_rate() {
    let (listener, url) = listener().await;
    tokio::spawn(bare::serve(listener, Arc::default()));
    let options = LoadOptions { url, rate: Some(500.0), duration_seconds: Some(1.0), ..LoadOptions::default() };
    let report = run(options).await;
    assert_eq!((report.planned, report.status(200)), (Some(500), 500));
    assert!((990..=1300).contains(&report.elapsed_ms), "{report}");
}

#[tokio::test]
async fn a_connection_that_breaks_costs_its_request_and_is_made_anew() {
    let (listener, url) = listener().await;
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            // Answers two requests and leaves the third without an answer.
            for _ in 0..2 {
                read_request(&mut stream).await.unwrap();
                stream.write_all(OK).await.unwrap();
            }
            read_request(&mut stream).await;
        }
    });
    let report = run(LoadOptions { url, count: Some(9), connections: 1, ..LoadOptions::default() }).await;
    assert_eq!((report.status(200), report.no_answer), (6, 3));
}

#[tokio::test]
async fn a_connection_closed_while_idle_costs_nothing() {
    let (listener, url) = listener().await;
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            read_request(&mut stream).await.unwrap();
            stream.write_all(OK).await.unwrap();
        }
    });
    let options = LoadOptions { url, rate: Some(20.0), count: Some(10), connections: 1, ..LoadOptions::default() };
    let report = run(options).await;
    assert_eq!((report.status(200), report.no_answer, report.reconnects), (10, 0, 9));
}

#[tokio::test]
async fn a_silent_server_ends_the_run_all_the_same() {
    let (listener, url) = listener().await;
    let options = LoadOptions {
        url,
        rate: Some(100.0),
        count: Some(10),
        connections: 2,
        answer_timeout_ms: 150,
        ..LoadOptions::default()
    };
    let report = run(options).await;
    drop(listener);
    assert_eq!(report.answered(), 0);
    assert_eq!(report.sent + report.unsent, 10, "{report}");
    assert_eq!(report.no_answer, report.sent);
    assert!(report.unsent > 0, "{report}");
}

#[tokio::test]
async fn an_envelope_that_hides_a_refusal_is_found() {
    let (listener, url) = listener().await;
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        while read_request(&mut stream).await.is_some() {
            stream.write_all(OK).await.unwrap();
        }
    });
    let options = LoadOptions { url, count: Some(3), connections: 1, check_body: true, ..LoadOptions::default() };
    assert_eq!(run(options).await.bad_bodies, Some(3));
}

#[tokio::test]
async fn a_stop_ends_a_long_run_and_keeps_its_result() {
    let (listener, url) = listener().await;
    tokio::spawn(bare::serve(listener, Arc::default()));
    let options = LoadOptions { url, duration_seconds: Some(3600.0), connections: 2, ..LoadOptions::default() };
    let running = start(options, None).unwrap();
    while running.progress().answered < 10 {
        tokio::task::yield_now().await;
    }
    running.stop();
    let report = running.finish().await.unwrap();
    assert!(report.status(200) >= 10);
    assert_eq!(report.no_answer, 0);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named() {
    let (listener, url) = listener().await;
    drop(listener);
    let error = start(LoadOptions { url, ..LoadOptions::default() }, None).unwrap().finish().await.unwrap_err();
    assert!(matches!(error, LoadError::Connect { .. }), "{error}");
}
