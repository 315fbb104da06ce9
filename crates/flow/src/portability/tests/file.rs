//! A file of ported numbers, and how it changes.

use std::path::Path;

use domain::clock::Clock;
use domain::network::NumberRanges;
use tokio::sync::watch;

use super::super::{NetworkSource, Networks, Options, Portability, Service};
use super::server::{Reaction, Server, networks, phone, until};

fn of_file(file: &Path) -> Options {
    Options { file: file.into(), ..Options::default() }
}

#[tokio::test]
async fn a_file_is_read_again_when_it_changes_and_a_bad_one_is_not_taken() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("ported.csv");
    std::fs::write(&file, "48500100200,26006\n").expect("written");
    let portability = Portability::open(&of_file(&file), Clock::system()).expect("a source");
    let networks = Networks::new(NumberRanges::default(), portability.clone());
    let of = |digits: &str| networks.of(phone(digits)).map(|(network, _)| network.to_string());
    assert_eq!(of("48500100200").as_deref(), Some("26006"));

    let service = Service::new(portability.clone());
    std::fs::write(&file, "48500100200,26002\nnonsense\n").expect("written");
    service.read_again().await;
    assert_eq!(of("48500100200").as_deref(), Some("26006"), "the one before stays in force");

    let (stop, drain) = watch::channel(false);
    let following = tokio::spawn(service.run(drain));
    let next = directory.path().join("next");
    std::fs::write(&next, "48500100200,26001\n48500100201,26006\n").expect("written");
    std::fs::rename(&next, &file).expect("replaced");
    until("the new file is in force", || of("48500100200").as_deref() == Some("26001")).await;
    assert_eq!(of("48500100201").as_deref(), Some("26006"));
    stop.send_replace(true);
    following.await.expect("it stops");
}

#[tokio::test]
async fn a_file_goes_before_the_service_and_ranges_tell_what_was_ported() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), "48500100200,26006\n48500100201,26003\n").expect("written");
    let server = Server::start().await;
    server.react("48", Reaction::Json(r#"{"network":"26002"}"#));
    let networks = networks(&Options { file: file.path().into(), ..server.options() });
    for (digits, network, ported, source) in [
        ("48500100200", "26006", Some(true), NetworkSource::File),
        ("48500100201", "26003", Some(false), NetworkSource::File),
        ("48500100202", "26002", Some(true), NetworkSource::LookUp),
        ("48220000000", "26002", None, NetworkSource::LookUp),
    ] {
        let facts = networks.look_up(phone(digits)).await.expect("an answer").expect("known");
        assert_eq!((facts.network.to_string().as_str(), facts.ported, facts.source), (network, ported, source));
    }
    assert_eq!(server.calls(), 2);
}

#[test]
fn without_a_source_nothing_is_known_and_nobody_is_asked() {
    let none = Portability::open(&Options::default(), Clock::system()).expect("no source");
    assert!(!none.can_be_asked() && none.figures().is_none());
    let missing = Portability::open(&of_file(Path::new("/nonexistent.csv")), Clock::system());
    let error = missing.err().expect("no file").to_string();
    assert!(error.starts_with("portability.file /nonexistent.csv: can't be read"), "{error}");
}
