//! Explaining what became of messages, and what would.

use simulator::operator::Behaviour;

use crate::place::{Carrier, Place, operator, until};

/// The number of the timeline's line that begins with a kind.
fn line_of(page: &str, kind: &str) -> usize {
    page.lines().position(|line| line.contains(kind)).unwrap_or_else(|| panic!("{kind} is missing in\n{page}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_explained_with_its_way_and_everything_that_happened() {
    let one = operator(Behaviour::default()).await;
    let place = Place::new();
    place.apply(&[Carrier::at("one", &one)], &[]);
    let server = place.serve();
    server.send("order-7", &["48500900101"]);
    until("it is delivered", || server.status("order-7") == 21);
    let page = place.done(&["explain", "order-7"]);
    assert!(page.contains("ACME → 48500***101") && !page.contains("48500900101"), "{page}");
    assert!(page.contains("Delivered (000) since") && page.contains("GSM-7, 19 units, 1 part"), "{page}");
    assert!(page.contains("→ 48*  one  0.0700  this way"), "{page}");
    let id = one.ledger().parts().first().unwrap().id.clone();
    assert!(page.contains(&format!("one took part 1 as {id}")), "{page}");
    let lines = [line_of(&page, "accepted"), line_of(&page, "one took part 1"), line_of(&page, "one reported part 1")];
    assert!(lines.is_sorted(), "{page}");

    let json = place.json(&["explain", "C-order-7", "--json"]);
    assert_eq!((&json[0]["status"], &json[0]["route"]["basis"]), (&21.into(), &"same_control".into()), "{json}");
    let open = place.done(&["explain", "order-7", "--show-numbers", "--reason", "ticket 9"]);
    assert!(open.contains("+48500900101"), "{open}");
    assert!(place.done(&["audit"]).contains("ticket 9"));
    assert_eq!(place.run(&["explain", "order-7", "--show-numbers"]).status.code(), Some(2), "needs --reason");

    let sent =
        server.ask("sms", Some(serde_json::json!({"sender": "ACME", "message": "x", "phoneNumbers": ["48500900102"]})));
    let id = sent["data"][0]["externalId"].as_str().unwrap();
    assert!(place.done(&["explain", id]).starts_with(id));
    let refused = place.refused(&["explain", "nobody-s"]);
    assert!(refused.contains("no account has a message nobody-s"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_nobody_sends_is_explained_too() {
    let one = operator(Behaviour::default()).await;
    let place = Place::new();
    place.apply(&[Carrier::at("one", &one)], &[]);
    let server = place.serve();
    until("it is bound", || one.sessions() == 1);
    let words = ["explain", "--from", "ACME", "--text", "za\u{17c}\u{f3}\u{142}\u{107} \u{2026}", "--to"];
    let page = place.done(&[&words[..], &["+48500900101"]].concat());
    assert!(page.contains("be accepted and leave by one"), "{page}");
    assert!(page.contains("UCS-2 because of ż ó ł ć …, 8 units, 1 part"), "{page}");
    assert!(page.contains("0.0700 (currency 985)") && page.contains("→ 48*  one  0.0700  this way"), "{page}");
    let json = place.json(&[&words[..], &["48500900101", "--encoding", "gsm7-transliterated", "--json"]].concat());
    assert_eq!((&json["encoding"], &json["carrier"]), (&0.into(), &"one".into()), "{json}");

    let unroutable = place.run(&[&words[..], &["+49500900101"]].concat());
    assert_eq!(unroutable.status.code(), Some(1));
    let page = String::from_utf8(unroutable.stdout).unwrap();
    assert!(page.contains("be refused") && page.contains("E-4-011") && page.contains("no route leads"), "{page}");
    let nobody = place.refused(&["explain", "--from", "OTHER", "--text", "x", "--to", "48500900101"]);
    assert!(nobody.contains("no account has the sender OTHER") && nobody.contains("--account"), "{nobody}");
    assert_eq!(one.ledger().parts().len(), 0, "nothing was sent");
    drop(server);
}
