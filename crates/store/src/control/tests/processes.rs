//! Several processes at one database.

use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use super::{EXAMPLE, Place, apply, example_with};
use crate::control::ControlError;

#[test]
fn an_apply_elsewhere_is_taken_over_by_a_refresh() {
    let place = Place::new();
    let (server, tool) = (place.open(), place.open());
    let versions = server.versions();
    assert!(!server.refresh().unwrap());
    apply(&tool, EXAMPLE);
    assert_eq!(server.snapshot().version, 0);
    assert!(server.refresh().unwrap());
    assert_eq!((server.snapshot().version, *versions.borrow()), (1, 1));
    assert!(!server.refresh().unwrap(), "nothing new the second time");
    apply(&server, &example_with("window = 100", "window = 10"));
    assert!(tool.refresh().unwrap());
    assert_eq!(tool.snapshot().carriers().next().unwrap().window, 10);
}

#[tokio::test]
async fn a_follower_takes_an_apply_over_within_a_second_and_stops_when_dropped() {
    let place = Place::new();
    let (server, tool) = (Arc::new(place.open()), place.open());
    let follower = server.follow().unwrap();
    let mut versions = server.versions();
    apply(&tool, EXAMPLE);
    let began = Instant::now();
    tokio::time::timeout(Duration::from_secs(10), versions.wait_for(|version| *version == 1)).await.unwrap().unwrap();
    assert!(began.elapsed() <= Duration::from_secs(1), "{:?}", began.elapsed());
    assert_eq!(server.snapshot().version, 1);
    drop(follower);
    assert_eq!(Arc::strong_count(&server), 1, "its thread is gone");
}

#[test]
fn processes_that_open_a_new_place_at_once_agree() {
    for _ in 0..20 {
        let place = Place::new();
        let barrier = Barrier::new(4);
        std::thread::scope(|scope| {
            let open = || {
                barrier.wait();
                place.try_open().map(|_| ())
            };
            let opened: Vec<_> = (0..4).map(|_| scope.spawn(open)).collect();
            for thread in opened {
                thread.join().unwrap().unwrap();
            }
        });
        apply(&place.open(), EXAMPLE);
        assert_eq!(place.open().snapshot().version, 1);
    }
}

#[test]
fn two_applies_at_once_both_count() {
    let place = Place::new();
    let barrier = Barrier::new(2);
    apply(&place.open(), EXAMPLE);
    std::thread::scope(|scope| {
        for rate in [10, 20] {
            let (place, barrier) = (&place, &barrier);
            scope.spawn(move || {
                let database = place.open();
                barrier.wait();
                apply(&database, &example_with("messages_per_second = 0", &format!("messages_per_second = {rate}")));
            });
        }
    });
    assert_eq!(place.open().snapshot().version, 3);
}

#[test]
fn a_file_of_a_newer_program_is_left_alone() {
    let place = Place::new();
    drop(place.open());
    place.raw().pragma_update(None, "user_version", 99).unwrap();
    let error = place.try_open().err().unwrap();
    assert!(matches!(error, ControlError::Format { found: 99, known: 1, .. }), "{error}");
}
