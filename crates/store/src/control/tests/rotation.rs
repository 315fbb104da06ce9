//! New secrets for a webhook: the old ones stay valid for a while, and then they are gone.

use std::fs;

use domain::control::{Endpoint, EventKind};

use super::{EXAMPLE, Place, apply, example_with, lines};
use crate::control::{Applied, Author, ControlDb, ControlError, GeneratedSecret, Rotation};

const HOUR_MS: i64 = 3_600_000;

fn endpoint(database: &ControlDb) -> Endpoint {
    database.snapshot().accounts().next().unwrap().endpoint(EventKind::Status).unwrap().clone()
}

fn rotation() -> Rotation {
    let (account, event) = ("acme".into(), EventKind::Status);
    Rotation { account, event, secret_key: false, signing_secret: true, overlap_hours: None }
}

fn rotate(database: &ControlDb, rotation: &Rotation) -> Applied {
    let author = Author { who: "ops".into(), reason: "yearly".into() };
    database.rotate(rotation, &author).unwrap()
}

fn signing_secrets(applied: &Applied) -> Vec<String> {
    let secret = |secret: &GeneratedSecret| match secret {
        GeneratedSecret::SigningSecret(secret) => Some(secret.reveal().to_owned()),
        _ => None,
    };
    applied.generated.iter().filter_map(|generated| secret(&generated.secret)).collect()
}

#[test]
fn two_secrets_are_valid_in_the_overlap_over_a_restart_and_an_apply() {
    let place = Place::new();
    let database = place.open();
    apply(&database, EXAMPLE);
    let first = endpoint(&database);
    assert!(first.previous.is_none());
    let applied = rotate(&database, &rotation());
    let shown = signing_secrets(&applied);
    assert_eq!((shown.len(), applied.generated.len()), (1, 1), "what is new is shown, once");
    let second = endpoint(&database);
    assert_eq!(second.signing_secret.reveal(), shown[0]);
    assert_eq!(second.secret_key, first.secret_key, "nobody asked for another");
    let previous = second.previous.clone().unwrap();
    assert_eq!((&previous.signing_secret, &previous.secret_key), (&first.signing_secret, &first.secret_key));
    let now = 1_800_000_000_000;
    assert_eq!(previous.until.0, now + 24 * HOUR_MS);
    // The setup leaves the secrets out: it has no say in them.
    let again = apply(&database, EXAMPLE);
    assert!(lines(&again).is_empty(), "{:?}", lines(&again));
    drop(database);
    assert_eq!(endpoint(&place.open()), second);
}

#[test]
fn a_second_change_lets_the_oldest_go_and_no_overlap_both() {
    let place = Place::new();
    let database = place.open();
    apply(&database, &example_with("signing_secret = \"\"", "signing_secret = \"\"\nsecret_overlap_hours = 2"));
    let first = endpoint(&database);
    rotate(&database, &rotation());
    let second = endpoint(&database);
    assert_eq!(second.previous.as_ref().unwrap().until.0, 1_800_000_000_000 + 2 * HOUR_MS, "as it is set up");
    rotate(&database, &Rotation { secret_key: true, overlap_hours: Some(168), ..rotation() });
    let third = endpoint(&database);
    let previous = third.previous.clone().unwrap();
    assert_eq!(previous.signing_secret, second.signing_secret, "not the first one any more");
    assert_eq!((previous.secret_key, previous.until.0), (first.secret_key.clone(), 1_800_000_000_000 + 168 * HOUR_MS));
    assert_ne!(third.secret_key, first.secret_key);
    rotate(&database, &Rotation { overlap_hours: Some(0), ..rotation() });
    let over = endpoint(&database).previous.is_none_or(|previous| previous.until.0 <= 1_800_000_000_000);
    assert!(over, "what was valid until now is gone at once");
}

#[test]
fn a_new_secret_in_the_setup_overlaps_too() {
    let place = Place::new();
    let database = place.open();
    apply(&database, EXAMPLE);
    let first = endpoint(&database);
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=";
    apply(&database, &example_with("signing_secret = \"\"", &format!("signing_secret = \"{secret}\"")));
    let second = endpoint(&database);
    assert_eq!(second.signing_secret.reveal(), secret);
    assert_eq!(second.previous.unwrap().signing_secret, first.signing_secret);
}

#[test]
fn secrets_that_were_rotated_are_sealed_and_the_audit_has_no_secret() {
    let place = Place::new();
    let database = place.open();
    apply(&database, EXAMPLE);
    let first = endpoint(&database).signing_secret.reveal().to_owned();
    let applied = rotate(&database, &rotation());
    let second = signing_secrets(&applied).remove(0);
    let mut octets = Vec::new();
    for entry in fs::read_dir(place.data_dir()).unwrap() {
        octets.extend(fs::read(entry.unwrap().path()).unwrap());
    }
    let holds = |text: &str| octets.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(holds("yearly"), "who did it and why is readable");
    for secret in [first, second] {
        assert!(!holds(&secret) && !applied.diff.to_string().contains(&secret));
    }
}

#[test]
fn an_endpoint_that_is_not_there_is_named() {
    let place = Place::new();
    let database = place.open();
    apply(&database, EXAMPLE);
    let author = Author { who: "ops".into(), reason: "yearly".into() };
    for rotation in
        [Rotation { account: "nobody".into(), ..rotation() }, Rotation { event: EventKind::Click, ..rotation() }]
    {
        let error = database.rotate(&rotation, &author).unwrap_err();
        assert!(matches!(error, ControlError::NoEndpoint { .. }), "{error}");
        assert!(
            error.to_string().contains(&rotation.account)
                && error.to_string().contains(domain::choice::Choice::name(rotation.event))
        );
    }
}
