//! `posthorn webhook …` and `posthorn apply --test-webhooks` on a running server, with a receiver in this process.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Output, Stdio};

use simulator::operator::Behaviour;
use simulator::webhook::{Mood, Secrets, Sink, SinkOptions};

use super::place::{APPLICATION_KEY, AUTHORIZATION, Carrier, Place, Server, operator, until};

const PROGRAM: &str = env!("CARGO_BIN_EXE_posthorn");
const SECRET_KEY: &str = "the-secret-key";
const SIGNING_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=";

/// Lines of the setup after those of the account's key: what it may do, and the account's endpoint.
fn endpoint(url: &str) -> String {
    format!(
        "permissions = [\"sms.send\", \"sms.read\", \"webhook.write\"]\n[[account.webhook]]\nevent = \"sms.status\"\nurl = \"{url}\"\nsecret_key = \"{SECRET_KEY}\"\n\
         signing_secret = \"{SIGNING_SECRET}\"\nretry_seconds = [1]\n"
    )
}

fn secrets(secret_key: &str, signing_secret: &str) -> Secrets {
    Secrets { secret_key: secret_key.into(), signing_secret: signing_secret.into() }
}

async fn receiver() -> Sink {
    let sink = Sink::start(&SinkOptions::local(), true).await.unwrap();
    sink.set_secrets(secrets(SECRET_KEY, SIGNING_SECRET));
    sink
}

/// A place whose account has an endpoint, and whose server may call this machine.
fn place() -> Place {
    let place = Place::new();
    let path = place.path("posthorn.toml");
    let config = std::fs::read_to_string(&path).unwrap();
    std::fs::write(path, config + "[tell]\nallow_private_addresses = [\"127.0.0.0/8\"]\n").unwrap();
    place
}

fn write_setup(place: &Place, carriers: &[Carrier], url: &str) -> String {
    let path = place.write_setup(carriers);
    let setup = std::fs::read_to_string(&path).unwrap() + &endpoint(url);
    std::fs::write(&path, setup).unwrap();
    path.to_str().unwrap().to_owned()
}

fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}

/// `posthorn webhook …` over the API of the server.
fn webhook(server: &Server, words: &[&str]) -> Output {
    let mut command = Command::new(PROGRAM);
    command.arg("webhook").args(words).stdin(Stdio::null());
    command.env("POSTHORN_URL", &server.url).env("POSTHORN_AUTHORIZATION", AUTHORIZATION);
    command.env("POSTHORN_APPLICATION_KEY", APPLICATION_KEY).output().unwrap()
}

/// The same, which must succeed: what it wrote.
fn done(server: &Server, words: &[&str]) -> String {
    let output = webhook(server, words);
    assert!(output.status.success(), "{words:?}: {}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

/// Repeats a command until it writes so many lines: attempts come to the store a second later than they are made.
fn until_lines(server: &Server, words: &[&str], count: usize) -> Vec<String> {
    let mut lines = Vec::new();
    until("the command lists as much as wanted", || {
        lines = text(&webhook(server, words).stdout).lines().map(str::to_owned).collect();
        lines.len() == count
    });
    lines
}

fn received(sink: &Sink, count: usize) {
    until("the receiver has the events", || sink.received().len() >= count);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attempts_are_listed_and_their_events_replayed() {
    let (operator, sink, place) = (operator(Behaviour::default()).await, receiver().await, place());
    let setup = write_setup(&place, &[Carrier::at("one", &operator)], &sink.url());
    place.done(&["apply", &setup]);
    let server = place.serve();
    assert!(done(&server, &["list"]).contains("working"), "an endpoint that was never called");
    let nothing = webhook(&server, &["attempts"]);
    assert!(!nothing.status.success() && text(&nothing.stderr).contains("E-5-001"), "{}", text(&nothing.stderr));

    let down = Mood::Answer { status: 503, after_ms: 0 };
    sink.answer_next([down, down]);
    server.send("dead", &["48500100200"]);
    let dead = until_lines(&server, &["dead"], 1);
    assert!(dead[0].contains("sms.status dead after 2 attempts, last HTTP 503"), "{dead:?}");
    let event = dead[0].split(' ').next().unwrap();
    let attempts = until_lines(&server, &["attempts", "--failed"], 2);
    assert!(attempts[0].contains("HTTP 503") && attempts[0].contains("attempt 2, 1 event(s)"), "{attempts:?}");
    let full = done(&server, &["attempts", "--failed", "--limit", "1", "--full"]);
    assert!(full.contains("webhook-signature: v1,") && !full.contains(SECRET_KEY), "{full}");

    assert!(done(&server, &["replay"]).starts_with("1 event(s)"), "all that were given up");
    received(&sink, 3);
    until_lines(&server, &["dead"], 0);
    assert!(!webhook(&server, &["replay"]).status.success(), "nothing is left to be replayed");
    assert!(done(&server, &["replay", event]).starts_with("1 event(s)"), "by its id");
    received(&sink, 4);
    let attempts = until_lines(&server, &["attempts"], 4);
    let number = attempts[3].split_whitespace().next().unwrap().to_owned();
    until("its end is recorded", || text(&webhook(&server, &["replay", "--attempt", &number]).stdout).starts_with('1'));
    received(&sink, 5);
    until("its end is recorded", || {
        text(&webhook(&server, &["replay", "--since", "2026-01-01 00:00:00"]).stdout).starts_with('1')
    });
    received(&sink, 6);
    let gone = webhook(&server, &["replay", "--attempt", "4711"]);
    assert!(text(&gone.stderr).contains("there is no attempt 4711"), "{}", text(&gone.stderr));

    let all = sink.received();
    assert!(all.iter().all(|one| one.event_id() == event && one.request_id == all[0].request_id), "one id, one name");
    assert_eq!(all.iter().map(|one| one.attempt).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
    assert_eq!(sink.bad_calls(), 0);
    server.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endpoint_is_tested_and_turned_on_again() {
    let (operator, sink, place) = (operator(Behaviour::default()).await, receiver().await, place());
    let setup = write_setup(&place, &[Carrier::at("one", &operator)], &sink.url());
    place.done(&["apply", &setup]);
    assert!(place.done(&["webhook", "test", "--account", "acme"]).contains("answered HTTP 200"));
    sink.answer_next([Mood::Answer { status: 418, after_ms: 0 }]);
    let output = place.run(&["webhook", "test", "--account", "acme"]);
    assert!(!output.status.success() && text(&output.stdout).contains("HTTP 418"), "{}", text(&output.stdout));
    assert!(place.refused(&["webhook", "test", "--account", "nobody"]).contains("no account \"nobody\""));
    assert!(place.refused(&["webhook", "test", "--account", "acme", "--event", "sms.click"]).contains("sms.click"));

    let server = place.serve();
    assert!(text(&webhook(&server, &["enable"]).stderr).contains("E-6-006"), "it is on");
    sink.answer_next([Mood::Answer { status: 410, after_ms: 0 }]);
    server.send("gone", &["48500100200"]);
    until("it is off", || done(&server, &["list"]).contains("off"));
    assert!(done(&server, &["enable"]).contains("a probe goes first"));
    done(&server, &["replay"]);
    received(&sink, 2);
    server.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_setup_whose_webhook_does_not_answer_is_not_saved() {
    let (operator, sink, place) = (operator(Behaviour::default()).await, receiver().await, place());
    let carriers = [Carrier::at("one", &operator)];
    let setup = write_setup(&place, &carriers, &sink.url());
    sink.answer_next([Mood::Answer { status: 500, after_ms: 0 }]);
    let refused = place.refused(&["apply", &setup, "--test-webhooks"]);
    assert!(refused.contains(&sink.url()) && refused.contains("HTTP 500"), "{refused}");
    assert!(place.refused(&["webhook", "test", "--account", "acme"]).contains("no account"), "nothing was saved");
    place.done(&["apply", &setup, "--test-webhooks"]);
    assert_eq!((sink.calls(), sink.bad_calls()), (2, 0), "signed by the secrets that are about to be saved");
    place.done(&["webhook", "test", "--account", "acme"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn secrets_overlap_when_they_are_rotated_and_then_the_old_ones_are_gone() {
    let (operator, sink, place) = (operator(Behaviour::default()).await, receiver().await, place());
    let setup = write_setup(&place, &[Carrier::at("one", &operator)], &sink.url());
    place.done(&["apply", &setup]);
    let server = place.serve();
    let shown = |written: &str| {
        let word =
            written.split_whitespace().find(|word| word.contains("whsec_")).unwrap_or_else(|| panic!("{written}"));
        word.trim_matches(|character| "\",".contains(character)).to_owned()
    };
    let rotate = |words: &[&str]| place.done(&[&["webhook", "rotate", "--account", "acme"], words].concat());
    // Until the server follows, calls are made under the old secrets: each message shows what is in force.
    let is_genuine = |name: &str, signing_secret: &str| {
        sink.set_secrets(secrets("", signing_secret));
        let (events, bad) = (sink.received().len(), sink.bad_calls());
        server.send(name, &["48500100200"]);
        received(&sink, events + 1);
        sink.bad_calls() == bad
    };
    let second = shown(&rotate(&[]));
    let mut number = 0;
    let mut until_genuine = |signing_secret: &str, wanted: bool| {
        until("the server follows", || {
            number += 1;
            is_genuine(&format!("m{number}"), signing_secret) == wanted
        });
    };
    until_genuine(&second, true);
    until_genuine(SIGNING_SECRET, true);
    // Another one without an overlap: both that were valid are gone at once.
    let third = shown(&rotate(&["--overlap", "0"]));
    until_genuine(&third, true);
    for old in [SIGNING_SECRET, &second] {
        until_genuine(old, false);
    }
    assert!(!place.done(&["audit"]).contains("whsec_"), "no secret is in the audit");
    server.stop();
}

/// `posthorn webhook listen`; killed when dropped.
struct Listener(Child, BufReader<std::process::ChildStdout>);

impl Listener {
    fn start(words: &[&str]) -> Self {
        let mut command = Command::new(PROGRAM);
        command.args(["webhook", "listen", "--listen", "127.0.0.1:0"]).args(words).stdin(Stdio::null());
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self(child, lines)
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.1.read_line(&mut line).unwrap();
        line
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listener_says_whether_what_comes_is_genuine() {
    let operator = operator(Behaviour::default()).await;
    for (secret, word) in [(SIGNING_SECRET, "signatures good"), ("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "WRONG")] {
        let place = place();
        let mut listener = Listener::start(&["--secret-key", SECRET_KEY, "--signing-secret", secret]);
        let first = listener.line();
        let url = first.split_whitespace().find(|word| word.starts_with("http://")).unwrap();
        let setup = write_setup(&place, &[Carrier::at("one", &operator)], url);
        place.done(&["apply", &setup]);
        let server = place.serve();
        server.send("order", &["48500100200"]);
        let line = listener.line();
        assert!(line.contains("sms.status") && line.contains(word), "{line}");
        server.stop();
    }
}
