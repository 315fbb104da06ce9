//! What the tests of the embedded backend stand on.
#![allow(dead_code, reason = "each test file uses its share")]
#![allow(clippy::unwrap_used, reason = "a test ends where its ground gives way")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use domain::clock::Clock;
use domain::id::MessageId;
use domain::lane::Lane;
use domain::receipt::ReceiptState;
use store::contract::fixture::{Place, receipt, submitted};
use store::{Options, Store};

pub fn options(directory: &Path, span_messages_max: u64) -> Options {
    let mut options = Options::new(directory);
    options.disk_reserve_octets = 1024 * 1024;
    options.span_messages_max = span_messages_max;
    options.hooks.seal_quiet_ms = 0;
    options.hooks.unsealed_waiting_max = 0;
    options
}

pub fn place(directory: &Path, span_messages_max: u64) -> Place {
    let directory = directory.to_owned();
    let open = move |clock: &Clock| Store::open(options(&directory, span_messages_max), clock.clone()).unwrap();
    Place::new(Clock::manual(Place::start()), Box::new(open), Box::new(wait_until_sealed))
}

pub fn wait_until_sealed(store: &Store) {
    wait_until("spans are sealed", || store.health().spans[1] == 0);
}

pub fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(60), "{what}: not within a minute");
        std::thread::sleep(Duration::from_millis(5));
    }
}

pub fn spans(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory.join("spans")).unwrap().map(|entry| entry.unwrap().path());
    let is_span =
        |path: &PathBuf| path.extension().is_some_and(|extension| extension == "db") && !path.ends_with("archive.db");
    let mut paths: Vec<PathBuf> = entries.filter(is_span).collect();
    paths.sort();
    paths
}

/// Fills a store with messages in every state; the ids in order.
pub fn fill(place: &Place, store: &Store, count: u64) -> Vec<MessageId> {
    let mut ids = Vec::new();
    for number in 0..count {
        let mut request = place.request(store, Lane::Standard, 48_600_000_000 + number, 1);
        request.external_id = Some(format!("order-{number}").into());
        request.parts = if number % 5 == 0 { 2 } else { 1 };
        let id = place.accept(store, request).id;
        let facts = [submitted(1, &format!("op{number}")), receipt(1, ReceiptState::Delivered)];
        for what in facts.into_iter().take(usize::try_from(number % 3).unwrap()) {
            place.fact(store, id, what);
        }
        ids.push(id);
        place.pass_ms(1);
    }
    ids
}

pub fn copy_all(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_all(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
