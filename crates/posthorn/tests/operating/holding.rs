//! Holding carriers back and taking out what waits.

use simulator::operator::Behaviour;

use crate::place::{Carrier, Place, operator, until, waiting};

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_carrier_sends_nothing_stays_bound_and_stays_paused_over_a_restart() {
    let one = operator(Behaviour::default()).await;
    let place = Place::new();
    place.apply(&[Carrier::at("one", &one)], &[]);
    let server = place.serve();
    until("it is bound", || one.sessions() == 1);
    let planned = place.done(&["carrier", "pause", "one", "--reason", "maintenance", "--dry-run"]);
    assert!(planned.contains("0 messages wait for it"), "{planned}");
    let unasked = place.refused(&["carrier", "pause", "one", "--reason", "maintenance"]);
    assert!(unasked.contains("add --yes"), "{unasked}");
    place.done(&["carrier", "pause", "one", "--reason", "maintenance", "--yes"]);
    until("the pause is in force", || {
        place.json(&["queue", "--json"])["carriers"][0]["hold"]["reason"] == "maintenance"
    });
    server.send("waits", &["48500900101", "48500900102"]);
    let queue = place.until_queue(|queue| waiting(queue, "one") == 2);
    assert_eq!((&queue["carriers"][0]["bound"], &queue["lines"][0]["hold"]), (&1.into(), &"paused".into()), "{queue}");
    server.stop();

    let server = place.serve();
    until("it is bound again", || one.sessions() == 1);
    place.until_queue(|queue| waiting(queue, "one") == 2 && queue["carriers"][0]["bound"] == 1);
    assert_eq!(one.ledger().parts().len(), 0, "it is still paused");
    place.done(&["carrier", "resume", "one", "--reason", "done", "--yes"]);
    until("what waited is sent", || one.ledger().parts().len() == 2);
    until("and delivered", || server.status("waits-0001") == 21);
    let audit = place.done(&["audit"]);
    assert!(audit.contains("pause") && audit.contains("maintenance") && audit.contains("resume"), "{audit}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draining_carrier_gets_nothing_new_and_sends_what_waits() {
    let one = operator(Behaviour::default()).await;
    let place = Place::new();
    place.apply(&[Carrier::at("one", &one)], &[]);
    let server = place.serve();
    place.done(&["carrier", "pause", "one", "--reason", "gather", "--yes"]);
    until("the pause is in force", || place.json(&["queue", "--json"])["carriers"][0]["hold"]["mode"] == "paused");
    server.send("old", &["48500900101"]);
    place.done(&["carrier", "drain", "one", "--reason", "it goes", "--yes"]);
    until("what waited is sent", || one.ledger().parts().len() == 1);
    let body = serde_json::json!({ "sender": "ACME", "message": "new", "phoneNumbers": ["48500900102"] });
    let answer = server.ask("sms", Some(body));
    assert_eq!(answer["errors"][0]["code"], "E-4-011", "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn purged_messages_are_rejected_refunded_and_say_why() {
    let one = operator(Behaviour::default()).await;
    let place = Place::new();
    place.apply(&[Carrier::at("one", &one)], &[]);
    let server = place.serve();
    place.done(&["carrier", "pause", "one", "--reason", "gather", "--yes"]);
    until("the pause is in force", || place.json(&["queue", "--json"])["carriers"][0]["hold"]["mode"] == "paused");
    let numbers: Vec<String> = (0..50).map(|number| (48_500_900_100_u64 + number).to_string()).collect();
    let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
    let before = server.send("campaign", &numbers)["meta"]["accountBalance"].clone();
    assert_eq!(before, "96.5000");
    let purge = ["queue", "purge", "--carrier", "one", "--reason", "sent by mistake"];
    let planned = place.done(&[&purge[..], &["--dry-run"]].concat());
    assert!(planned.contains("50 messages would be rejected"), "{planned}");
    let refused = place.refused(&[&purge[..], &["--yes", "--lane", "fast"]].concat());
    assert!(refused.contains("there is no lane fast"), "{refused}");
    let done = place.done(&[&purge[..], &["--yes"]].concat());
    assert!(done.contains("50 messages were rejected"), "{done}");
    assert_eq!(server.status("campaign-0001"), 9);
    assert_eq!(server.status("campaign-0050"), 9);
    place.done(&["carrier", "resume", "one", "--reason", "go on", "--yes"]);
    let after = server.send("later", &["48500900199"]);
    assert_eq!(after["meta"]["accountBalance"], "99.9300", "what was purged is refunded");
    until("only the later one leaves", || server.status("later") == 21);
    assert_eq!(one.ledger().parts().len(), 1);
    let audit = place.done(&["audit"]);
    assert!(audit.contains("sent by mistake") && audit.contains("50 messages rejected"), "{audit}");
}
