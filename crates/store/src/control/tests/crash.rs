//! An apply that does not end leaves the version before it.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use super::{EXAMPLE, Place, apply, example_with, setup};
use crate::control::ControlDb;

const DIRECTORY: &str = "CONTROL_CRASH_TEST_DIRECTORY";

/// The example with every kind of entry changed, so that an apply has many rows to write.
fn changed() -> String {
    example_with("window = 100", "window = 10")
        .replace("0.0700", "0.0800")
        .replace("messages_per_second = 0", "messages_per_second = 50")
        .replace("hooks/sms", "hooks/other")
        .replace("48500100200", "48500100201")
}

#[test]
fn an_apply_that_fails_half_way_changes_nothing() {
    let place = Place::new();
    let database = place.open();
    apply(&database, EXAMPLE);
    let contents = |place: &Place| -> (i64, String, i64) {
        let query = "SELECT (SELECT max(version) FROM versions), (SELECT group_concat(settings ->> 'url') FROM endpoints), (SELECT settings ->> 'window' FROM carriers)";
        place.raw().query_row(query, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap()
    };
    let before = contents(&place);
    // Carriers, routes, accounts and endpoints are written by then; the number is not.
    let obstacle = "CREATE TRIGGER obstacle BEFORE INSERT ON numbers BEGIN SELECT RAISE(ABORT, 'disk on fire'); END";
    place.raw().execute_batch(obstacle).unwrap();
    let error = database.apply(&setup(&changed()), false).unwrap_err();
    assert!(error.to_string().contains("disk on fire"), "{error}");
    assert_eq!(contents(&place), before);
    assert_eq!(database.snapshot().version, 1);
    place.raw().execute_batch("DROP TRIGGER obstacle").unwrap();
    assert_eq!(apply(&database, &changed()).version, 2);
    assert_ne!(contents(&place), before);
}

/// The process that gets killed: applies two setups in turn for ever. An ordinary test run passes by.
#[test]
fn process_that_applies_until_killed() {
    let Some(directory) = std::env::var_os(DIRECTORY).map(std::path::PathBuf::from) else { return };
    let database = ControlDb::open(&directory.join("data"), &directory.join("master.key")).unwrap();
    for text in [changed(), EXAMPLE.to_owned()].iter().cycle() {
        eprintln!("applied {}", apply(&database, text).version);
    }
}

#[test]
fn a_kill_in_the_middle_of_applying_leaves_a_whole_version() {
    let place = Place::new();
    apply(&place.open(), EXAMPLE);
    for applies in 1..=12 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["process_that_applies_until_killed", "--nocapture", "--test-threads=1"])
            .env(DIRECTORY, place.0.path())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stderr.take().unwrap());
        let seen: Vec<String> =
            output.lines().map(Result::unwrap).filter(|line| line.starts_with("applied ")).take(applies).collect();
        // The child goes on applying while this process gets around to killing it.
        child.kill().unwrap();
        child.wait().unwrap();
        let acknowledged: u64 = seen.last().unwrap()["applied ".len()..].parse().unwrap();

        let database = place.open();
        let control = database.snapshot();
        assert!(control.version >= acknowledged, "an apply that was answered is gone");
        let whole = [changed(), EXAMPLE.to_owned()].iter().any(|text| database.plan(&setup(text)).unwrap().is_empty());
        assert!(whole, "version {} is half of one and half of another", control.version);
        let audited: u64 = place
            .raw()
            .query_row("SELECT max(version) FROM audit", [], |row| row.get::<_, i64>(0))
            .map(|version| version.unsigned_abs())
            .unwrap();
        assert_eq!(audited, control.version);
    }
}
