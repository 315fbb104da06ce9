//! Server-side request forgery: whatever the URL says and whatever its name turns to, nothing inside is reached.
//!
//! Here the URLs were not checked when they were saved, as if they had got past that: each try has to refuse by itself.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use domain::clock::Clock;
use domain::random::Random;
use tokio::net::TcpListener;

use super::support::{MemoryOutbox, Running, account, endpoint, until};
use crate::tell::resolve::Resolve;
use crate::tell::{BoxFuture, Options, Service};

/// Ways to write an address of this machine, of its networks or of a metadata service, as hosts of a URL.
const HOSTS: [&str; 46] = [
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "127.0.0.2",
    "127.255.255.254",
    "0177.0.0.1",
    "0177.0.1",
    "0x7f.0.0.1",
    "0x7f.1",
    "0x7f000001",
    "2130706433",
    "017700000001",
    "127.0.0.1.",
    "%31%32%37.0.0.1",
    "①②⑦.0.0.1",
    "127。0。0。1",
    "0",
    "0.0.0.0",
    "00000000000",
    "0x0",
    "10.0.0.1",
    "100.64.0.1",
    "169.254.169.254",
    "169.254.170.2",
    "0xa9fea9fe",
    "2852039166",
    "172.16.0.1",
    "192.168.1.1",
    "192.0.0.192",
    "198.18.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "[::]",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::ffff:a9fe:a9fe]",
    "[::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::7f00:1]",
    "[2001:0:7f00:1::1]",
    "[2002:7f00:1::1]",
    "[fd00:ec2::254]",
    "[fe80::1]",
    "[fec0::1]",
];

/// Names, and what they are resolved to, question by question. 127.0.0.3 may be reached, and nobody listens there.
const NAMES: [(&str, &[&[&str]]); 12] = [
    ("localhost", &[&["127.0.0.1"]]),
    ("loopback.example.com", &[&["127.0.0.1"]]),
    ("six.example.com", &[&["::1"]]),
    ("mapped.example.com", &[&["::ffff:127.0.0.1"]]),
    ("unspecified.example.com", &[&["0.0.0.0"]]),
    ("unspecified-six.example.com", &[&["::"]]),
    ("nat64.example.com", &[&["64:ff9b::7f00:1"]]),
    ("metadata.example.com", &[&["169.254.169.254"]]),
    // The first answer passes every check: whoever asks again before connecting is led inside.
    ("rebind.example.com", &[&["127.0.0.3"], &["127.0.0.1"]]),
    ("rebind-late.example.com", &[&["127.0.0.3"], &["127.0.0.3"], &["127.0.0.1"]]),
    ("mixed.example.com", &[&["127.0.0.3", "127.0.0.1"]]),
    ("mixed-first.example.com", &[&["127.0.0.1", "127.0.0.3"]]),
];

/// Tries of each.
const TRIES: usize = 3;

#[derive(Default)]
struct Rebinding([AtomicUsize; NAMES.len()]);

impl Resolve for Rebinding {
    fn resolve(&self, host: String) -> BoxFuture<'_, io::Result<Vec<IpAddr>>> {
        let known = NAMES.iter().position(|(name, _)| *name == host);
        Box::pin(async move {
            let number = known.ok_or(io::ErrorKind::NotFound)?;
            let answers = NAMES[number].1;
            let asked = self.0[number].fetch_add(1, Relaxed);
            Ok(answers[asked.min(answers.len() - 1)].iter().map(|ip| ip.parse().unwrap()).collect())
        })
    }
}

/// Listeners on every address of this machine that a URL above can mean, on one port; counts connections.
async fn canary() -> (u16, Arc<AtomicUsize>) {
    let first = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = first.local_addr().unwrap().port();
    let mut listeners = vec![first];
    // A machine without IPv6 has nothing to be reached there.
    listeners.extend(TcpListener::bind(("::1", port)).await);
    for ip in ["127.0.0.2", "127.255.255.254"] {
        listeners.push(TcpListener::bind((ip, port)).await.unwrap());
    }
    let hits = Arc::new(AtomicUsize::new(0));
    for listener in listeners {
        let hits = Arc::clone(&hits);
        tokio::spawn(async move {
            while listener.accept().await.is_ok() {
                hits.fetch_add(1, Relaxed);
            }
        });
    }
    (port, hits)
}

/// Has all of them called until they are given up, and counts the tries that were recorded and the hits.
async fn attack(allowed: &str) -> (usize, usize, usize) {
    let (port, hits) = canary().await;
    let hosts = HOSTS.into_iter().chain(NAMES.into_iter().map(|(name, _)| name));
    // With the scheme and the port open, the address alone stands between them and the canary.
    let urls: Vec<String> = hosts
        .flat_map(|host| [format!("http://{host}:{port}/"), format!("https://{host}:{port}/x@y")])
        .chain(["hook.example.com@127.0.0.1", "u:p@127.1"].map(|host| format!("http://{host}:{port}/")))
        .collect();
    let options = Options {
        allow_private_addresses: vec![allowed.parse().unwrap()],
        allow_http: true,
        ports: vec![port],
        retry_seconds: vec![1; TRIES - 1],
        deadline_ms: 2_000,
        ..Options::default()
    };
    let outbox = MemoryOutbox::new((1..).zip(&urls).map(|(number, url)| account(endpoint(number, url))).collect());
    let resolver = Arc::new(Rebinding::default());
    let made = Service::with_resolver(outbox.clone(), Clock::system(), Random::seeded(1), options, resolver).unwrap();
    let running = Running::run(made.0, made.1, outbox);
    for number in (1..).take(urls.len()) {
        running.tell(number, 1);
    }
    until(|| running.outbox.untold_count() == 0).await;
    let tries = running.outbox.calls().len();
    running.stop().await;
    (urls.len(), tries, hits.load(Relaxed))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn h3_wh_ssrf() {
    let (urls, tries, hits) = attack("127.0.0.3/32").await;
    assert!(urls >= 60, "{urls}");
    // A URL that can't be read at all is given up at once; everything else was tried.
    assert!(tries > urls * 2, "{tries} tries of {urls}");
    assert_eq!(hits, 0, "hits at the canary");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_canary_of_h3_sings() {
    let (_, _, hits) = attack("127.0.0.0/8").await;
    assert!(hits > 20, "addresses that are allowed are reached: {hits}");
}
