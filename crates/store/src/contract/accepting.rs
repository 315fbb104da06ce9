//! Accepting: kept whole, once, and known again.

use domain::clock::UnixMillis;
use domain::fact::{Fact, MessageFact};
use domain::id::AccountId;
use domain::lane::Lane;
use domain::limits::IDEMPOTENCY_LIFE_MS;
use domain::money::Money;
use domain::request::RefusedRecipient;
use domain::state::Status;

use super::fixture::{ACCOUNT, Case, Notes, PRICE, Place, message, submitted};
use crate::handle::{AcceptOutcome, Store};
use std::sync::Arc;

pub(super) const CASES: &[(&str, Case)] = &[
    ("what_was_accepted_is_read_back_whole", read_back_whole),
    ("a_repeat_is_answered_with_the_first_result", repeat),
    ("a_repeat_is_known_after_the_life_only_until_it_ends", repeat_life),
    ("one_reference_cannot_be_accepted_twice_at_once", race),
    ("what_is_dropped_while_it_waits_is_kept_all_the_same", dropped),
    ("spent_is_accepted_minus_refunded", spent),
    ("ids_never_repeat_after_a_restart", ids),
];

fn read_back_whole(place: &Place) {
    let store = place.open();
    let notes = Arc::new(Notes::default());
    store.watch(Arc::<Notes>::clone(&notes));
    let mut request = place.request(&store, Lane::Standard, 48_600_000_000, 5);
    request.external_id = Some("order".into());
    request.refused = vec![RefusedRecipient { value: "12".into(), code: "E-4-010".into() }];
    // The third place was refused: a gap.
    request.messages.remove(2);
    let accepted = place.accept(&store, request.clone());
    assert_eq!(*accepted, request);
    assert_eq!(notes.accepted(), [request.id]);
    let mut store = store;
    for _ in 0..3 {
        for (index, sent) in request.messages.iter().enumerate() {
            let found = place.run(store.message(request.message_id(index))).expect("an answer").expect("a message");
            assert_eq!(found.phone, sent.phone);
            assert_eq!(*found.external_id, *request.external_id_at(index));
            assert_eq!((found.status, found.status_at), (Status::New, request.accepted_at));
            assert_eq!((found.price, found.currency, found.carrier), (PRICE, 985, sent.carrier));
            assert_eq!(
                (&*found.text, &found.sender, found.encoding),
                (&*request.text, &request.sender, request.encoding)
            );
            assert_eq!((found.account, found.key, found.expires_at), (ACCOUNT, request.key, request.expires_at));
            assert_eq!(found.parts.len(), 1);
        }
        assert_eq!(place.run(store.message(request.id.offset(2))), Ok(None));
        let again = place.run(store.accept(Lane::Standard, request.clone()));
        assert_eq!(again, Ok(AcceptOutcome::Repeated(Arc::clone(&accepted))), "refused recipients and gaps included");
        place.rest(&store);
        store = place.reopen(store);
    }
}

fn repeat(place: &Place) {
    let mut store = place.open();
    for (number, lane) in [(1_u64, Lane::Standard), (2, Lane::Priority)] {
        let mut first = place.request(&store, lane, 48_600_000_000, 1);
        first.external_id = Some(format!("order-{number}").into());
        let mut keyed = place.request(&store, lane, 48_600_000_000, 1);
        keyed.idempotency_key = Some(format!("key-{number}").into());
        let accepted = [place.accept(&store, first.clone()), place.accept(&store, keyed.clone())];
        for round in 0..3 {
            for (original, kept) in [(&first, &accepted[0]), (&keyed, &accepted[1])] {
                // A retry may come on the other lane.
                for lane in Lane::ALL {
                    let mut again = original.clone();
                    again.id = store.ids().next(lane);
                    let outcome = place.run(store.accept(lane, again.clone()));
                    assert_eq!(outcome, Ok(AcceptOutcome::Repeated(Arc::clone(kept))), "round {round}");
                    again.fingerprint = [8; 16];
                    assert_eq!(
                        place.run(store.accept(lane, again.clone())),
                        Ok(AcceptOutcome::Conflict { by_external_id: again.external_id.is_some() })
                    );
                    assert_eq!(
                        place.run(store.repeated(original)),
                        Ok(Some(AcceptOutcome::Repeated(Arc::clone(kept))))
                    );
                    // Another account's references are its own.
                    again.account = AccountId(
                        90 + u32::from(lane == Lane::Standard) + 2 * round + 10 * u32::try_from(number).expect("small"),
                    );
                    assert!(matches!(place.run(store.accept(lane, again)), Ok(AcceptOutcome::Accepted(_))));
                }
            }
            match round {
                0 => place.rest(&store),
                _ => store = place.reopen(store),
            }
        }
    }
}

fn repeat_life(place: &Place) {
    let store = place.open();
    let mut first = place.request(&store, Lane::Standard, 48_600_000_000, 1);
    first.external_id = Some("again".into());
    place.accept(&store, first.clone());
    let retry = |store: &Store| {
        let mut again = first.clone();
        again.id = store.ids().next(Lane::Standard);
        again.accepted_at = place.clock.now();
        place.run(store.accept(Lane::Standard, again))
    };
    place.pass_ms(IDEMPOTENCY_LIFE_MS - 1000);
    assert!(matches!(retry(&store), Ok(AcceptOutcome::Repeated(_))));
    place.pass_ms(2000);
    assert!(matches!(retry(&store), Ok(AcceptOutcome::Accepted(_))));
    assert!(matches!(retry(&store), Ok(AcceptOutcome::Repeated(_))));
}

fn race(place: &Place) {
    let store = place.open();
    let mut first = place.request(&store, Lane::Standard, 48_600_000_000, 1);
    first.external_id = Some("race".into());
    let accepted = place.run(async {
        let tries = (0..64).map(|_| {
            let (store, mut again) = (store.clone(), first.clone());
            again.id = store.ids().next(Lane::Standard);
            tokio::spawn(async move { store.accept(Lane::Standard, again).await })
        });
        let tries: Vec<_> = tries.collect();
        let mut accepted = 0;
        for one in tries {
            match one.await.expect("no panic") {
                Ok(AcceptOutcome::Accepted(_)) => accepted += 1,
                Ok(AcceptOutcome::Repeated(_) | AcceptOutcome::InProgress) => {}
                other => panic!("unexpected {other:?}"),
            }
        }
        accepted
    });
    assert_eq!(accepted, 1);
}

fn dropped(place: &Place) {
    let store = place.open();
    let request = place.request(&store, Lane::Standard, 48_600_000_000, 1);
    let id = request.id;
    place.run(async {
        let mut accept = Box::pin(store.accept(Lane::Standard, request));
        let polled = std::future::poll_fn(|context| std::task::Poll::Ready(accept.as_mut().poll(context))).await;
        drop(polled);
        let fact = Fact::Message { id, at: UnixMillis(5), what: submitted(1, "abc") };
        let mut record = Box::pin(store.record(Lane::Standard, vec![fact]));
        let polled = std::future::poll_fn(|context| std::task::Poll::Ready(record.as_mut().poll(context))).await;
        drop(polled);
    });
    let store = place.reopen(store);
    let found = place.run(store.message(id)).expect("an answer").expect("a message");
    assert_eq!(found.status, Status::Sent);
}

fn spent(place: &Place) {
    let mut store = place.open();
    let notes = Arc::new(Notes::default());
    store.watch(Arc::<Notes>::clone(&notes));
    let request = place.accept(&store, place.request(&store, Lane::Standard, 48_600_000_000, 4));
    let mut strangers = place.request(&store, Lane::Priority, 48_600_000_000, 1);
    strangers.account = AccountId(2);
    strangers.messages = vec![message(48_600_000_000, 0)];
    place.accept(&store, strangers);
    assert_eq!(place.run(store.spent()), Ok(vec![(AccountId(1), PRICE.times(4)), (AccountId(2), PRICE)]));
    // Cancelled and refused before it left: given back. Ended after it left: not.
    place.fact(&store, request.message_id(0), MessageFact::Cancelled);
    place.fact(&store, request.message_id(0), MessageFact::Cancelled);
    place.fact(&store, request.message_id(1), submitted(1, "x"));
    place.fact(&store, request.message_id(1), MessageFact::NoReceipt { one_is_enough: false });
    place.fact(&store, request.message_id(2), MessageFact::Ended { status: Status::Expired, reason: "validity_over" });
    let refunds: Vec<Money> = notes.moves().iter().map(|moved| moved.refund).collect();
    assert_eq!(refunds, [PRICE, Money(0), Money(0), PRICE]);
    for round in 0..3 {
        assert_eq!(
            place.run(store.spent()),
            Ok(vec![(AccountId(1), PRICE.times(2)), (AccountId(2), PRICE)]),
            "round {round}"
        );
        place.rest(&store);
        store = place.reopen(store);
    }
}

fn ids(place: &Place) {
    let mut store = place.open();
    let mut last = place.accept_one(&store, Lane::Standard, 48_600_000_000);
    for _ in 0..3 {
        store = place.reopen(store);
        let next = place.accept_one(&store, Lane::Priority, 48_600_000_000);
        assert!(next > last);
        last = next;
    }
}
