//! What people write where nobody is at home.

use serde_json::json;
use simulator::operator::Behaviour;

use crate::place::{Carrier, Place, operator, until};

#[tokio::test(flavor = "multi_thread")]
async fn messages_without_an_owner_are_listed_masked_and_shown_for_a_reason() {
    let one = operator(Behaviour::default()).await;
    let place = Place::new();
    place.apply(&[Carrier::at("one", &one)], &[]);
    let _server = place.serve();
    until("it is bound", || one.sessions() == 1);
    assert!(place.done(&["incoming", "unowned"]).contains("had an owner"));
    one.deliver("48600100200", "7070", "Anybody there?");
    until("it is listed", || {
        place.json(&["incoming", "unowned", "--json"]).as_array().is_some_and(|all| all.len() == 1)
    });
    let listed = place.json(&["incoming", "unowned", "--json"])[0].clone();
    assert_eq!(
        (&listed["number"], &listed["carrier"], &listed["characters"]),
        (&json!("7070"), &json!("one"), &json!(14))
    );
    let masked = place.done(&["incoming", "unowned"]);
    assert!(masked.contains("7070") && !masked.contains("48600100200") && !masked.contains("Anybody"), "{masked}");
    place.refused(&["incoming", "unowned", "--show-text"]);
    let shown = place.done(&["incoming", "unowned", "--show-text", "--reason", "a new number"]);
    assert!(shown.contains("+48600100200 → 7070: \"Anybody there?\""), "{shown}");
    assert!(place.done(&["audit"]).contains("a new number"), "who looked is noted");
}
