//! The contract suite over the embedded backend: with everything in hot spans, and with spans so small
//! that most of it is sealed.
#![allow(clippy::unwrap_used, reason = "a test ends where its ground gives way")]

use std::time::{Duration, Instant};

use domain::clock::Clock;
use store::contract::{Place, cases};
use store::{Options, Store};

fn run_all(span_messages_max: Option<u64>) {
    let only = std::env::var("CASE").unwrap_or_default();
    for (name, case) in cases() {
        if !name.contains(&only) {
            continue;
        }
        println!("{name}");
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().to_owned();
        let open = move |clock: &Clock| {
            let mut options = Options::new(&path);
            options.disk_reserve_octets = 1024 * 1024;
            if let Some(max) = span_messages_max {
                options.span_messages_max = max;
                options.hooks.seal_quiet_ms = 0;
                options.hooks.unsealed_waiting_max = 0;
            }
            Store::open(options, clock.clone()).unwrap()
        };
        let rest = move |store: &Store| {
            if span_messages_max.is_some() {
                wait_until_sealed(store);
            }
        };
        case(&Place::new(Clock::manual(Place::start()), Box::new(open), Box::new(rest)));
    }
}

fn wait_until_sealed(store: &Store) {
    let began = Instant::now();
    while store.health().spans[1] > 0 {
        assert!(began.elapsed() < Duration::from_secs(20), "spans are not sealed: {:?}", store.health().spans);
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn hot_spans_keep_the_contract() {
    run_all(None);
}

#[test]
fn many_small_spans_keep_the_contract() {
    run_all(Some(7));
}
