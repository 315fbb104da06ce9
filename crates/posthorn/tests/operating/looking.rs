//! Looking at PDUs.

use std::process::{Command, Stdio};

use simulator::operator::Behaviour;

use crate::place::{Carrier, Place, operator, until};

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_shows_pdus_masked_unless_a_reason_is_given() {
    let (one, two) = (operator(Behaviour::default()).await, operator(Behaviour::default()).await);
    let place = Place::new();
    place.apply(&[Carrier::at("one", &one), Carrier::at("two", &two)], &[]);
    let server = place.serve();
    until("both are bound", || one.sessions() == 1 && two.sessions() == 1);
    let trace = |more: &[&str]| {
        let words = ["trace", "--carrier", "one", "--seconds", "60", "--count", "4", "--json"];
        let child = Command::new(env!("CARGO_BIN_EXE_posthorn"))
            .args([&words[..], more].concat())
            .arg("--config")
            .arg(place.path("posthorn.toml"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        (child, ())
    };
    // Sends until the trace has seen enough: it may begin to look only after the first ones.
    let watched = |more: &[&str]| {
        let (mut child, ()) = trace(more);
        let mut number = 0;
        until("the trace has seen enough", || {
            number += 1;
            server.send(&format!("seen-{number}-{}", more.len()), &["48500900101", "49500900101"]);
            child.try_wait().unwrap().is_some()
        });
        String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
    };
    let masked = watched(&[]);
    assert!(masked.contains("submit_sm") && masked.contains("48500***101"), "{masked}");
    for hidden in ["48500900101", "123456", "49500", "\"two\""] {
        assert!(!masked.contains(hidden), "{hidden} is in {masked}");
    }
    assert!(!place.done(&["audit"]).contains("trace"));
    let unexplained = place.run(&["trace", "--carrier", "one", "--show-text"]);
    assert_eq!(unexplained.status.code(), Some(2), "--show-text needs --reason");
    let open = watched(&["--show-text", "--show-numbers", "--reason", "ticket 7"]);
    assert!(open.contains("48500900101") && open.contains("Your code is 123456"), "{open}");
    let audit = place.done(&["audit"]);
    assert!(audit.contains("ticket 7") && audit.contains("texts and whole numbers shown"), "{audit}");
}

#[test]
fn without_a_server_the_person_is_told_what_to_do() {
    let place = Place::new();
    place.done(&["versions"]);
    for words in [&["queue"][..], &["trace", "--number", "+48500900101"]] {
        let refused = place.refused(words);
        assert!(refused.contains("no server runs on") && refused.contains("posthorn serve"), "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_status_says_what_needs_attention_first_and_the_exit_code_says_so() {
    let one = operator(Behaviour::default()).await;
    let place = Place::new();
    place.apply(&[Carrier::at("one", &one)], &[]);
    let server = place.serve();
    until("it is bound", || one.sessions() == 1);
    let alarms = |status: &serde_json::Value| -> Vec<(String, String)> {
        let of = |alarm: &serde_json::Value, field: &str| alarm[field].as_str().unwrap().to_owned();
        // The disk of whoever runs this test is no business of it.
        let alarms = status["alarms"].as_array().unwrap().iter().filter(|alarm| alarm["alarm"] != "disk_low");
        alarms.map(|alarm| (of(alarm, "alarm"), of(alarm, "level"))).collect()
    };
    let status = |words: &[&str]| place.run(&[&["status"], words].concat());
    let json = || -> serde_json::Value { serde_json::from_slice(&status(&["--json"]).stdout).unwrap() };
    until("nothing needs attention", || alarms(&json()).is_empty());
    assert!(matches!(status(&[]).status.code(), Some(0 | 3)), "3 is for a disk that is nearly full");

    place.done(&["carrier", "pause", "one", "--reason", "maintenance", "--yes"]);
    until("the pause is told", || alarms(&json()) == [("held".to_owned(), "attention".to_owned())]);
    let told = status(&[]);
    assert_eq!(told.status.code(), Some(3));
    let told = String::from_utf8(told.stdout).unwrap();
    assert!(told.contains("attention carrier one: paused since") && told.contains("maintenance"), "{told}");

    one.behave(Behaviour { bind_refusal: 0x0e, ..Behaviour::default() });
    one.cut();
    until("the dead carrier is told", || alarms(&json()).first().is_some_and(|(alarm, _)| alarm == "carrier_down"));
    let told = status(&[]);
    assert_eq!(told.status.code(), Some(4));
    let told = String::from_utf8(told.stdout).unwrap();
    let first = told.lines().find(|line| !line.contains("data disk")).unwrap();
    assert!(first.starts_with("URGENT    carrier one: 1 of 1 binds are down"), "{told}");
    drop(server);
    assert_eq!(status(&[]).status.code(), Some(1), "without a server nothing is known");
}
