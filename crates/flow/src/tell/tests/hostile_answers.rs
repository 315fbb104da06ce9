//! Receivers that answer with more than anybody can hold, or point to where nobody may go.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use domain::fact::{CallOutcome, WebhookCall};
use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

use super::faults::{DEADLINE_MS, assert_failed};
use super::receiver::raw_receiver;
use super::support::{MemoryOutbox, Running, account, endpoint, loopback, until};
use crate::tell::Options;
use crate::tell::bounds::INFORMATIONAL_ANSWERS_MAX;

/// Endpoints of each kind, all called at the same time.
const OF_EACH_KIND: u32 = 10;
/// What all of them together may cost (practice: RSS ≤ +8 MiB).
const MEMORY_OCTETS_MAX: u64 = 8 << 20;
/// What one receiver sends before its connection is closed: what the client reads, and what both sockets hold.
const SENT_OCTETS_MAX: usize = 16 << 20;

/// Writes until there is nothing to write or the connection is closed; the most that any receiver got rid of is kept.
async fn pour(mut stream: TcpStream, head: &[u8], piece: &[u8], most: &AtomicUsize) {
    let _ = stream.write_all(head).await;
    let mut octets = 0;
    while !piece.is_empty() && stream.write_all(piece).await.is_ok() {
        octets += piece.len();
        most.fetch_max(octets, Relaxed);
    }
}

/// What unpacks to a thousand times its length.
fn bomb() -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::best());
    for _ in 0..1_024 {
        packer.write_all(&vec![0; 64 << 10]).unwrap();
    }
    packer.finish().unwrap()
}

/// A receiver that sends `piece` over and over after `head`.
async fn pouring(head: String, piece: Vec<u8>, most: &Arc<AtomicUsize>) -> String {
    let (head, piece, most) = (Arc::new(head), Arc::new(piece), Arc::clone(most));
    raw_receiver(move |stream| {
        let (head, piece, most) = (Arc::clone(&head), Arc::clone(&piece), Arc::clone(&most));
        async move { pour(stream, head.as_bytes(), &piece, &most).await }
    })
    .await
}

/// A line of /proc/self/status, in octets.
fn memory(line: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let found = status.lines().find_map(|text| text.strip_prefix(line)).unwrap();
    found.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1_024
}

/// Everybody is called once; gives the tries by account.
async fn first_tries(urls: &[String]) -> Vec<WebhookCall> {
    let accounts = (1..).zip(urls).map(|(number, url)| account(endpoint(number, url))).collect();
    let options = Options { deadline_ms: DEADLINE_MS * 10, ..loopback() };
    let running = Running::start(MemoryOutbox::new(accounts), options);
    let events: Vec<_> = (1..).zip(urls).map(|(number, _)| running.tell(number, 1)[0]).collect();
    until(|| running.outbox.calls().len() >= urls.len()).await;
    let calls = running.outbox.calls();
    running.stop().await;
    let first = |event| calls.iter().find(|call| call.events.contains(event)).unwrap().clone();
    events.iter().map(first).collect()
}

#[tokio::test]
async fn h2_wh_huge_body_redirect() {
    let most = Arc::new(AtomicUsize::new(0));
    let canary = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let inside = format!("http://{}/latest/meta-data/", canary.local_addr().unwrap());
    let redirect = |to: &str| format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n");
    let ok = "HTTP/1.1 200 OK\r\n".to_owned();
    let packed = format!("{ok}content-encoding: gzip\r\ncontent-length: 10000000000\r\n\r\n");
    let ten_gigabytes = "HTTP/1.1 500 Oops\r\ncontent-length: 10000000000\r\n\r\n".to_owned();
    let early = b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n".to_vec();
    let header = format!("x-flood: {}\r\n", "y".repeat(1_000));
    let kinds = [
        pouring(ten_gigabytes, vec![b'x'; 64 << 10], &most).await,
        pouring(packed, bomb(), &most).await,
        pouring(String::new(), early, &most).await,
        pouring(ok, header.into_bytes(), &most).await,
        pouring(redirect("http://169.254.169.254/latest/meta-data/"), vec![], &Arc::default()).await,
        pouring(redirect(&inside), vec![], &Arc::default()).await,
    ];
    let urls: Vec<String> = kinds.iter().flat_map(|url| (0..OF_EACH_KIND).map(|_| url.clone())).collect();
    // What is made once, such as the authorities that are trusted, is none of theirs.
    first_tries(&urls[..1]).await;
    let before = memory("VmRSS:");
    std::fs::write("/proc/self/clear_refs", "5").expect("resets the peak (proc(5))");

    let calls = first_tries(&urls).await;

    let cost = memory("VmHWM:").saturating_sub(before);
    assert!(cost <= MEMORY_OCTETS_MAX, "they cost {cost} octets");
    assert!(most.load(Relaxed) < SENT_OCTETS_MAX, "the connection was closed, the rest stayed in socket buffers");
    for (kind, calls) in calls.chunks(OF_EACH_KIND as usize).enumerate() {
        for call in calls {
            match kind {
                0 => assert_failed(call, 500, "HTTP 500: xxx"),
                1 => assert_eq!((call.outcome, call.http_status), (CallOutcome::Told, 200), "the status is the answer"),
                2 => assert_failed(call, 0, "informational answers (1xx)"),
                3 => assert_failed(call, 0, "no valid answer"),
                _ => assert_failed(call, 302, "redirects are not followed"),
            }
            assert!(call.failure.len() <= 220, "only an excerpt is kept: {call:?}");
        }
    }
    let hit = tokio::time::timeout(Duration::from_millis(1), canary.accept()).await;
    assert!(hit.is_err(), "a redirect was followed");
}

#[tokio::test]
async fn h2_wh_informational_flood() {
    let most = Arc::new(AtomicUsize::new(0));
    let early = "HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n";
    let ok = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
    let allowed = pouring(early.repeat(INFORMATIONAL_ANSWERS_MAX) + ok, vec![], &Arc::default()).await;
    let one_more = pouring(early.repeat(INFORMATIONAL_ANSWERS_MAX + 1), vec![], &Arc::default()).await;
    let endless = pouring(String::new(), early.as_bytes().to_vec(), &most).await;

    let calls = first_tries(&[allowed, one_more, endless]).await;

    assert_eq!((calls[0].outcome, calls[0].http_status), (CallOutcome::Told, 200), "{:?}", calls[0]);
    for call in &calls[1..] {
        assert_failed(call, 0, "more than 16 informational answers (1xx)");
    }
    assert!(u64::from(calls[2].latency_ms) < DEADLINE_MS * 10, "it ended before the deadline: {:?}", calls[2]);
    assert!(most.load(Relaxed) < SENT_OCTETS_MAX, "the connection was closed");
}
