//! A message changes its carrier.

use domain::fact::MessageFact;
use domain::id::{CarrierId, MessageId};
use domain::lane::Lane;
use domain::state::Status;

use super::fixture::{ACCOUNT, CARRIER, Case, PRICE, Place, submitted};
use crate::handle::Store;

/// The cases of this file.
pub(super) const CASES: &[(&str, Case)] =
    &[("a_rerouted_message_waits_for_its_new_carrier_only", moves), ("what_has_left_is_not_rerouted", stays)];

const OTHER: CarrierId = CarrierId(9);

fn rerouted() -> MessageFact {
    MessageFact::Rerouted { carrier: OTHER, reason: "down".into() }
}

fn waiting(place: &Place, store: &Store, carrier: CarrierId) -> Vec<MessageId> {
    let found = place.run(store.waiting(Lane::Standard, (carrier, ACCOUNT), MessageId(0), 100)).expect("an answer");
    found.iter().inspect(|waiting| assert_eq!(waiting.carrier, carrier)).map(|waiting| waiting.id).collect()
}

fn moves(place: &Place) {
    let mut store = place.open();
    let request = place.accept(&store, place.request(&store, Lane::Standard, 48_600_000_000, 3));
    let id = |index| request.message_id(index);
    // One while its span is hot, one when it may be sealed.
    place.fact(&store, id(0), rerouted());
    for round in 0..3 {
        let mut moved = vec![id(0)];
        let mut stayed = vec![id(1), id(2)];
        if round > 0 {
            moved.push(id(1));
            stayed.remove(0);
        }
        assert_eq!(waiting(place, &store, OTHER), moved, "round {round}");
        assert_eq!(waiting(place, &store, CARRIER), stayed, "round {round}");
        let lines = place.run(store.lines(Lane::Standard)).expect("an answer");
        assert_eq!(lines, vec![(CARRIER, ACCOUNT, stayed.len() as u64), (OTHER, ACCOUNT, moved.len() as u64)]);
        place.rest(&store);
        if round == 0 {
            place.fact(&store, id(1), rerouted());
        }
        store = place.reopen(store);
    }
    let message = place.run(store.message(id(0))).expect("an answer").expect("a message");
    assert_eq!((message.carrier, message.status, message.price), (OTHER, Status::New, PRICE));
    let history = place.run(store.history(id(0))).expect("an answer");
    let step = history.first().expect("a step");
    assert_eq!((&*step.kind, step.carrier, &*step.detail), ("rerouted", Some(OTHER), "down"));
    place.fact(&store, id(0), submitted(1, "x"));
    assert_eq!(waiting(place, &store, OTHER), [id(1)]);
}

fn stays(place: &Place) {
    let store = place.open();
    let mut request = place.request(&store, Lane::Standard, 48_600_000_000, 2);
    request.parts = 2;
    let request = place.accept(&store, request);
    let (taken, cancelled) = (request.message_id(0), request.message_id(1));
    place.fact(&store, taken, submitted(1, "x"));
    place.fact(&store, cancelled, MessageFact::Cancelled);
    place.fact(&store, taken, rerouted());
    place.fact(&store, cancelled, rerouted());
    assert_eq!(waiting(place, &store, CARRIER), [taken]);
    assert!(waiting(place, &store, OTHER).is_empty());
    let history = place.run(store.history(taken)).expect("an answer");
    assert!(history.iter().all(|step| &*step.kind != "rerouted"), "{history:?}");
}
