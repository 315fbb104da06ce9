//! Setup files with mistakes: refused whole, with file, line and reason, and what runs keeps running.

use simulator::operator::Behaviour;

use crate::place::{Carrier, Place, operator, until};

/// A mistake, and the words that name it.
const MISTAKES: [(&str, &str, &str); 6] = [
    ("carriers = [\"one\"]", "carriers = [\"nobody\"]", "unknown carrier, the file has: one"),
    ("binds = 1", "binds = \"many\"", "wrong type, found a string, expected a whole number from 1 to 64"),
    ("binds = 1", "binds = 1\nwindow = 0", "expected a whole number from 1 to 10000"),
    ("binds = 1", "binds = 1\nwindow = 1000000", "expected a whole number from 1 to 10000"),
    ("binds = 1", "binds = 1\nwindows = 5", "unknown key, allowed here:"),
    (
        "[[account]]",
        "[[route]]\nprefix = \"48\"\ncarriers = [\"one\"]\n[[account]]",
        "leads to the same numbers over the same carriers",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_setup_with_a_mistake_changes_nothing_and_says_where_it_is() {
    let one = operator(Behaviour::default()).await;
    let place = Place::new();
    place.apply(&[Carrier::at("one", &one)], &[]);
    let server = place.serve();
    until("it is bound", || one.sessions() == 1);
    let setup = place.write_setup(&[Carrier::at("one", &one)]);
    let right = std::fs::read_to_string(&setup).unwrap();
    for (place_of_it, mistake, words) in MISTAKES {
        let wrong = right.replacen(place_of_it, mistake, 1);
        std::fs::write(&setup, &wrong).unwrap();
        let said = place.refused(&["apply", setup.to_str().unwrap()]);
        assert!(said.contains(words), "{mistake}: {said}");
        let with_line = said.lines().find(|line| line.contains(words)).unwrap();
        let line: usize = with_line.split(".toml:").nth(1).unwrap().split(':').next().unwrap().parse().unwrap();
        let culprit = mistake.lines().next_back().unwrap_or(mistake);
        let around = wrong.lines().skip(line - 1).take(3).collect::<Vec<_>>().join("\n");
        assert!(around.contains(culprit) || culprit == "[[account]]", "line {line} of {mistake}: {around}");
    }
    assert_eq!(place.json(&["versions", "--json"]).as_array().unwrap().len(), 1, "nothing was applied");
    server.send("still-running", &["48500900101"]);
    until("it still delivers", || server.status("still-running") == 21);
    assert_eq!(one.ledger().bind_attempts().len(), 1, "over the bind it had");
}
