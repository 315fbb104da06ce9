//! Moving what waits to another carrier.

use std::collections::HashSet;

use simulator::operator::{Behaviour, Operator};

use crate::place::{Carrier, Place, operator, until, waiting};

/// More than a line holds in memory, so that a part of them waits in the store only.
const SPILLED: u64 = 22_000;
/// Numbers in one request.
const REQUEST: u64 = 5_500;

fn numbers(first: u64, count: u64) -> Vec<String> {
    // The simulated operator treats some endings in special ways: those from 2000 on are ordinary.
    let number = |place: u64| 48_500_002_000 + place / 5_000 * 10_000 + place % 5_000;
    (first..first + count).map(|place| number(place).to_string()).collect()
}

fn send(server: &crate::place::Server, count: u64) {
    for (request, first) in (0..count).step_by(usize::try_from(REQUEST).unwrap()).enumerate() {
        let numbers = numbers(first, REQUEST.min(count - first));
        let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
        server.send(&format!("campaign-{request}"), &numbers);
    }
}

/// Whom an operator got messages for, each once.
fn reached(operator: &Operator) -> HashSet<String> {
    let parts = operator.ledger().parts();
    let reached: HashSet<String> = parts.iter().map(|part| part.destination.clone()).collect();
    assert_eq!(reached.len(), parts.len(), "nobody got it twice");
    reached
}

fn pause(place: &Place, name: &str) {
    place.done(&["carrier", "pause", name, "--reason", "gather", "--yes"]);
    until("the pause is in force", || {
        let queue = place.json(&["queue", "--json"]);
        let carriers = queue["carriers"].as_array().unwrap();
        carriers.iter().any(|carrier| carrier["carrier"] == name && carrier["hold"]["mode"] == "paused")
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_moved_with_what_is_only_in_the_store_and_says_why() {
    let (one, two) = (operator(Behaviour::default()).await, operator(Behaviour::default()).await);
    let place = Place::rich();
    place.apply(&[Carrier::at("one", &one), Carrier::at("two", &two)], &[]);
    let server = place.serve();
    pause(&place, "one");
    send(&server, SPILLED);
    let order = ["queue", "move", "--from", "one", "--to", "two", "--reason", "contract ends"];
    let refused = place.refused(&["queue", "move", "--from", "one", "--to", "one", "--reason", "a slip", "--yes"]);
    assert!(refused.contains("--from and --to are the same"), "{refused}");
    let refused = place.refused(&["queue", "move", "--from", "one", "--to", "three", "--reason", "a slip", "--yes"]);
    assert!(refused.contains("there is no carrier three; the setup has: one, two"), "{refused}");
    until("what waits is told, with what is in the store", || {
        let waiting = server.metric("posthorn_route_waiting", &["carrier=\"one\"", "lane=\"standard\""]);
        (waiting - 22_000.0).abs() < 0.5
    });
    let planned = place.done(&[&order[..], &["--dry-run"]].concat());
    assert!(planned.contains("22000 messages that wait for one will wait for two"), "{planned}");
    let none = place.done(&[&order[..], &["--lane", "priority", "--yes"]].concat());
    assert!(none.contains("0 messages wait for two now"), "{none}");

    let done = place.done(&[&order[..], &["--yes"]].concat());
    assert!(done.contains("22000 messages wait for two now"), "{done}");
    assert_eq!(waiting(&place.json(&["queue", "--json"]), "one"), 0);
    until("the other carrier has sent all", || two.ledger().parts().len() as u64 == SPILLED);
    assert_eq!(reached(&two), numbers(0, SPILLED).into_iter().collect());
    assert_eq!(one.ledger().parts().len(), 0);
    until("and delivered", || server.status("campaign-3-5500") == 21);
    let count = 22_000.0;
    let of_two = ["carrier=\"two\"", "lane=\"standard\""];
    let moved = ["from=\"one\"", "reason=\"order\"", of_two[0]];
    assert!((server.metric("posthorn_route_planned_total", &["to=\"+48\"", "carrier=\"one\""]) - count).abs() < 0.5);
    assert!((server.metric("posthorn_route_moved_total", &moved) - count).abs() < 0.5);
    assert!((server.metric("posthorn_route_taken_total", &of_two) - count).abs() < 0.5);
    assert!(server.metric("posthorn_route_taken_total", &["carrier=\"one\"", of_two[1]]) < 0.5);
    until("nothing waits", || server.metric("posthorn_route_waiting", &of_two) < 0.5);
    let audit = place.done(&["audit"]);
    for words in ["contract ends", "22000 messages moved", "carrier one to carrier two"] {
        assert!(audit.contains(words), "{words} is not in the audit:\n{audit}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_cut_by_kill_9_loses_and_doubles_nothing_and_can_be_finished() {
    let (one, two) = (operator(Behaviour::default()).await, operator(Behaviour::default()).await);
    let place = Place::rich();
    place.apply(&[Carrier::at("one", &one), Carrier::at("two", &two)], &[]);
    let server = place.serve();
    pause(&place, "one");
    pause(&place, "two");
    send(&server, SPILLED);
    let order = ["queue", "move", "--from", "one", "--to", "two", "--reason", "cut short", "--yes"];
    let mut moving = place.start(&order);
    until("some have moved", || waiting(&place.json(&["queue", "--json"]), "two") > 0);
    drop(server);
    _ = moving.wait();

    let server = place.serve();
    let queue = place.until_queue(|queue| waiting(queue, "one") + waiting(queue, "two") == SPILLED);
    assert!(waiting(&queue, "two") > 0, "what was recorded as moved is moved: {queue}");
    place.done(&order);
    assert_eq!(waiting(&place.json(&["queue", "--json"]), "two"), SPILLED);
    for name in ["one", "two"] {
        place.done(&["carrier", "resume", name, "--reason", "go on", "--yes"]);
    }
    until("all have left", || two.ledger().parts().len() as u64 == SPILLED);
    assert_eq!(reached(&two), numbers(0, SPILLED).into_iter().collect());
    assert_eq!(one.ledger().parts().len(), 0);
    assert_eq!(server.status("campaign-0-0001"), 21);
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_moved_to_and_fro_between_carriers_that_send_leave_once() {
    const COUNT: u64 = 4_000;
    let (one, two) = (operator(Behaviour::default()).await, operator(Behaviour::default()).await);
    let place = Place::rich();
    let slow = |name, operator| Carrier { more: "rate_per_second = 400".into(), ..Carrier::at(name, operator) };
    place.apply(&[slow("one", &one), slow("two", &two)], &[]);
    let server = place.serve();
    until("both are bound", || one.sessions() == 1 && two.sessions() == 1);
    send(&server, COUNT);
    let left = || COUNT - (one.ledger().parts().len() + two.ledger().parts().len()) as u64;
    let mut moves = 0;
    until("all have left", || {
        let (from, to) = if moves % 2 == 0 { ("one", "two") } else { ("two", "one") };
        place.done(&["queue", "move", "--from", from, "--to", to, "--reason", "to and fro", "--yes"]);
        moves += 1;
        left() == 0
    });
    let (by_one, by_two) = (reached(&one), reached(&two));
    assert!(by_one.is_disjoint(&by_two), "by both: {:?}", by_one.intersection(&by_two).collect::<Vec<_>>());
    assert_eq!((by_one.len() + by_two.len()) as u64, COUNT);
    assert!(moves >= 3 && !by_two.is_empty(), "{moves} moves, {} by the other carrier", by_two.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_may_move_what_waits_and_a_draining_carrier_is_given_nothing() {
    let (one, two) = (operator(Behaviour::default()).await, operator(Behaviour::default()).await);
    let place = Place::rich();
    place.apply(&[Carrier::at("one", &one), Carrier::at("two", &two)], &[]);
    let server = place.serve();
    pause(&place, "one");
    server.send("waits", &["48500902000"]);
    place.done(&["carrier", "drain", "two", "--reason", "it goes too", "--yes"]);
    until("the drain is in force", || {
        let queue = place.json(&["queue", "--json"]);
        let carriers = queue["carriers"].as_array().unwrap();
        carriers.iter().any(|carrier| carrier["carrier"] == "two" && carrier["hold"]["mode"] == "draining")
    });
    let refused = place.refused(&["queue", "move", "--from", "one", "--to", "two", "--reason", "no", "--yes"]);
    assert!(refused.contains("carrier two is draining and gets nothing new"), "{refused}");
    place.done(&["carrier", "resume", "two", "--reason", "it stays", "--yes"]);
    until("it is back", || {
        place.run(&["queue", "move", "--from", "one", "--to", "two", "--reason", "-", "--dry-run"]).status.success()
    });
    let told = place.done(&["carrier", "drain", "one", "--move-to", "two", "--reason", "it goes", "--yes"]);
    assert!(told.contains("1 messages wait for two now"), "{told}");
    until("it left by the other", || two.ledger().parts().len() == 1);
    assert_eq!(one.ledger().parts().len(), 0);
}
