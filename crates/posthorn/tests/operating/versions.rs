//! Versions of carriers and routes on a running server.

use simulator::operator::Behaviour;

use crate::place::{Carrier, Place, operator, until};

#[tokio::test(flavor = "multi_thread")]
async fn a_bind_that_did_not_change_survives_an_apply_and_a_rollback_of_another() {
    let (first, second, third) = (
        operator(Behaviour::default()).await,
        operator(Behaviour::default()).await,
        operator(Behaviour::default()).await,
    );
    let place = Place::new();
    place.apply(&[Carrier::at("one", &first), Carrier::at("two", &second)], &["--reason", "the beginning"]);
    let server = place.serve();
    until("both are bound", || first.sessions() == 1 && second.sessions() == 1);

    // Carrier two moves to another operator.
    place.apply(&[Carrier::at("one", &first), Carrier::at("two", &third)], &["--reason", "two has moved"]);
    until("two is bound at its new place", || third.sessions() == 1 && second.sessions() == 0);
    server.send("after-apply", &["48500900101", "49500900101"]);
    until("both deliver", || first.ledger().parts().len() == 1 && third.ledger().parts().len() == 1);

    let planned = place.done(&["rollback", "1", "--reason", "the new place is slow", "--dry-run"]);
    assert!(planned.contains(&format!("port {} -> {}", third.address.port(), second.address.port())), "{planned}");
    assert_eq!(third.sessions(), 1, "a dry run changes nothing");
    place.done(&["rollback", "1", "--reason", "the new place is slow", "--yes"]);
    until("two is back", || second.sessions() == 1 && third.sessions() == 0);
    server.send("after-rollback", &["48500900102", "49500900102"]);
    until("both deliver", || first.ledger().parts().len() == 2 && second.ledger().parts().len() == 1);

    // All that while carrier one had one session.
    assert_eq!(first.ledger().bind_attempts().len(), 1, "{:?}", first.ledger().bind_attempts());
    assert!(first.ledger().parts().iter().all(|part| part.session == 1));

    let versions = place.json(&["versions", "--json"]);
    let reasons: Vec<&str> =
        versions.as_array().unwrap().iter().map(|version| version["reason"].as_str().unwrap()).collect();
    assert_eq!(reasons, ["back to version 1: the new place is slow", "two has moved", "the beginning"]);
    let difference = place.done(&["diff", "1", "3"]);
    assert!(difference.contains("say the same"), "{difference}");
    assert!(place.done(&["diff", "1", "2"]).contains("~ carrier two: port"));
    let audit = place.done(&["audit"]);
    for reason in reasons {
        assert!(audit.contains(reason), "{reason} is not in the audit:\n{audit}");
    }
    assert!(!audit.contains("secret\""), "{audit}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_carrier_that_comes_back_is_the_one_it_was_and_sends_what_waited_for_it() {
    let (first, second) = (operator(Behaviour::default()).await, operator(Behaviour::default()).await);
    let place = Place::new();
    place.apply(&[Carrier::at("one", &first), Carrier::at("two", &second)], &[]);
    let server = place.serve();
    place.done(&["carrier", "pause", "two", "--reason", "maintenance", "--yes"]);
    until("the pause is in force", || place.json(&["queue", "--json"])["carriers"][1]["hold"]["mode"] == "paused");
    server.send("left-behind", &["49500900101"]);
    let removed = place.apply(&[Carrier::at("one", &first)], &[]);
    assert!(removed.contains("1 messages wait for carrier two, which is removed"), "{removed}");
    until("its bind is closed", || second.sessions() == 0);
    place.done(&["rollback", "1", "--reason", "it was still needed", "--yes"]);
    until("what waited is sent", || second.ledger().parts().len() == 1);
}

#[test]
fn versions_that_are_not_there_and_numbers_without_a_carrier_are_refused() {
    let place = Place::new();
    assert!(place.done(&["versions"]).contains("Nothing was applied yet"));
    let refused = place.refused(&["rollback", "7", "--reason", "a try", "--yes"]);
    assert!(refused.contains("there is no version 7"), "{refused}");
    let refused = place.refused(&["rollback", "7", "--reason", "  ", "--yes"]);
    assert!(refused.contains("--reason is empty"), "{refused}");
}
