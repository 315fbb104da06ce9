//! What is asked, remembered and waited for.

use std::sync::atomic::Ordering;
use std::time::Duration;

use domain::lane::Lane;
use tokio::time::Instant;

use super::super::{NetworkSource, Networks, Options};
use super::server::{Reaction, Server, networks, phone, until};

async fn ask(networks: &Networks, digits: &[&str], lane: Lane) -> usize {
    let fresh = networks.ask_for(digits.iter().map(|digits| phone(digits)), lane).await;
    let is_fresh = |digits: &&&str| fresh.source_of(phone(digits), NetworkSource::Cache) == NetworkSource::LookUp;
    digits.iter().filter(is_fresh).count()
}

fn of(networks: &Networks, digits: &str) -> Option<(String, &'static str)> {
    networks.of(phone(digits)).map(|(network, source)| (network.to_string(), source.word()))
}

#[tokio::test]
async fn an_answer_is_asked_for_once_and_then_remembered() {
    let server = Server::start().await;
    server.react("48500100200", Reaction::Json(r#"{"network":"26006","ported":true,"imsi":"260061234567890"}"#));
    let options = toml::from_str::<Options>("authorization = \"Bearer key\"").expect("options");
    let networks = networks(&Options { url: server.options().url, ..options });
    assert_eq!(of(&networks, "48500100200"), Some(("26003".into(), "number_range")), "nobody has asked yet");
    let facts = networks.look_up(phone("48500100200")).await.expect("an answer").expect("known");
    assert_eq!((facts.network.to_string().as_str(), facts.name.as_deref()), ("26006", Some("Play")));
    assert_eq!((facts.ported, facts.imsi.as_deref()), (Some(true), Some("260061234567890")));
    assert_eq!(facts.source, NetworkSource::LookUp);
    let head = server.seen.last_head.lock().clone();
    assert!(head.starts_with("GET /v1/48500100200?full=1 HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("authorization: Bearer key\r\n"), "{head}");
    for _ in 0..3 {
        let again = networks.look_up(phone("48500100200")).await.expect("an answer").expect("known");
        assert_eq!(again.source, NetworkSource::Cache);
    }
    assert_eq!(of(&networks, "48500100200"), Some(("26006".into(), "cache")));
    assert_eq!(server.calls(), 1);
}

#[tokio::test]
async fn what_the_service_does_not_know_goes_by_its_range_and_is_not_asked_for_again() {
    let server = Server::start().await;
    let networks = networks(&server.options());
    for _ in 0..3 {
        let facts = networks.look_up(phone("48500100200")).await.expect("an answer").expect("in a range");
        assert_eq!((facts.source, facts.ported), (NetworkSource::NumberRange, None));
        assert_eq!(networks.look_up(phone("12025550123")).await, Ok(None));
        assert_eq!(ask(&networks, &["48500100200"], Lane::Standard).await, 0);
    }
    assert_eq!(server.calls(), 2);
    assert_eq!(server.seen.connections.load(Ordering::SeqCst), 1, "connections are used again");
}

#[tokio::test]
async fn a_request_has_all_its_numbers_asked_for_and_repeats_nothing() {
    let server = Server::start().await;
    server.react("4850", Reaction::Json(r#"{"network":"26002"}"#));
    let networks = networks(&Options { cache_max: 100, ..server.options() });
    let numbers: Vec<String> = (0..60).map(|number| (48_500_000_000_u64 + number).to_string()).collect();
    let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
    assert_eq!(ask(&networks, &numbers, Lane::Standard).await, 60);
    assert_eq!(of(&networks, numbers[59]), Some(("26002".into(), "cache")));
    let many: Vec<String> = (0..1_000).map(|number| (48_500_100_000_u64 + number).to_string()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    ask(&networks, &many, Lane::Standard).await;
    let figures = networks.figures().expect("figures");
    assert!(figures.remembered <= 100, "{figures:?}");
}

/// How long a service that never answers holds up a lane. Its deadline is far beyond both bounds.
async fn held_up(lane: Lane) -> Duration {
    let server = Server::start().await;
    server.react("48", Reaction::Silence);
    let networks = networks(&Options { deadline_ms: 10_000, ..server.options() });
    let started = Instant::now();
    assert_eq!(ask(&networks, &["48500100200"], lane).await, 0);
    assert_eq!(of(&networks, "48500100200"), Some(("26003".into(), "number_range")));
    assert_eq!(server.calls(), 1);
    started.elapsed()
}

#[tokio::test]
async fn a_silent_service_holds_up_no_lane_longer_than_it_may() {
    let (priority, standard) = (held_up(Lane::Priority).await, held_up(Lane::Standard).await);
    assert!(priority >= Duration::from_millis(100) && priority < standard, "{priority:?} {standard:?}");
    assert!(standard >= Duration::from_secs(2) && standard < Duration::from_secs(8), "{standard:?}");
}

#[tokio::test]
async fn nightly_a_silent_service_holds_up_priority_for_a_tenth_of_a_second() {
    let priority = held_up(Lane::Priority).await;
    assert!(priority < Duration::from_millis(150), "{priority:?}");
}

#[tokio::test]
async fn an_answer_that_comes_too_late_is_there_for_the_next() {
    let server = Server::start().await;
    server.react("4850", Reaction::Held);
    let networks = networks(&Options { deadline_ms: 10_000, ..server.options() });
    assert_eq!(ask(&networks, &["48500100200"], Lane::Priority).await, 0);
    server.seen.release.notify_one();
    until("the late answer is remembered", || of(&networks, "48500100200") == Some(("26006".into(), "cache"))).await;
}

#[tokio::test]
async fn a_campaign_leaves_the_calls_of_the_priority_lane_alone() {
    let server = Server::start().await;
    server.react("4860", Reaction::Silence);
    server.react("4850", Reaction::Json(r#"{"network":"26006"}"#));
    let networks = networks(&Options { deadline_ms: 10_000, ..server.options() });
    let bulk = networks.clone();
    let campaign = tokio::spawn(async move {
        let numbers = (0..5_000_u64).map(|number| phone(&(48_600_000_000 + number).to_string()));
        bulk.ask_for(numbers, Lane::Standard).await
    });
    until("the campaign uses all its calls", || server.calls() == 32).await;
    // Several tries: the machine may be too busy for a tenth of a second.
    let mut answered = 0;
    for number in 0..50_u64 {
        answered += ask(&networks, &[&(48_500_000_000 + number).to_string()], Lane::Priority).await;
        if answered > 0 {
            break;
        }
    }
    assert!(answered > 0, "codes stand behind the campaign");
    assert_eq!(networks.figures().expect("figures").failed, 0, "and need none of its calls to end");
    assert!(server.calls() > 32);
    campaign.await.expect("the campaign goes on without answers");
}
