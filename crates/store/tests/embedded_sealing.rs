//! When spans are sealed.
#![allow(clippy::unwrap_used, reason = "a test ends where its ground gives way")]

mod support;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use domain::clock::Clock;
use domain::lane::Lane;
use store::Store;
use store::contract::fixture::{Place, submitted};
use support::{options, wait_until};

/// A step that comes once for each span, near the end of its sealing.
const LAST_STEP: &str = "seal: mark";

/// A backlog is handed over from spans that are still cheap to write to; what is sent is sealed.
#[test]
fn spans_whose_messages_wait_are_kept_ready_up_to_a_bound() {
    let directory = tempfile::tempdir().unwrap();
    let mut options = options(directory.path(), 20);
    options.hooks.unsealed_waiting_max = 2;
    let recorded = Arc::new(AtomicUsize::new(0));
    let marked = Arc::new(Mutex::new(Vec::new()));
    let (recorded_so_far, note) = (Arc::clone(&recorded), Arc::clone(&marked));
    options.hooks.step = Arc::new(move |step| {
        if step == LAST_STEP {
            note.lock().unwrap().push(recorded_so_far.load(Ordering::Acquire));
        }
    });
    let open = move |clock: &Clock| Store::open(options.clone(), clock.clone()).unwrap();
    let place = Place::new(Clock::manual(Place::start()), Box::new(open), Box::new(|_| ()));
    let store = place.open();
    let accept = |phone| {
        place.pass_ms(1);
        place.accept_one(&store, Lane::Standard, phone)
    };
    let ids: Vec<_> = (0..200_u64).map(|number| accept(48_600_000_000 + number)).collect();
    let unsealed = || store.health().spans[1];
    wait_until("all but two of the closed spans are sealed", || unsealed() == 2);
    for (number, id) in ids.iter().enumerate() {
        place.fact(&store, *id, submitted(1, &format!("operator-{number}")));
        recorded.fetch_add(1, Ordering::AcqRel);
    }
    wait_until("the rest is sealed", || unsealed() == 0);
    let marked = marked.lock().unwrap();
    let [.., last_but_one, last] = marked.as_slice() else { panic!("{marked:?}") };
    assert!(
        marked[0] == 0 && *last_but_one >= 120 && *last >= 140,
        "sealed before their messages were sent: {marked:?}"
    );
}
