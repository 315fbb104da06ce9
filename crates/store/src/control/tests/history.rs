//! Versions, going back, holds and the audit.

use domain::control::{Control, HoldMode};
use domain::money::Money;

use super::{Place, apply, example_with, setup};
use crate::control::tests::EXAMPLE;
use crate::control::{Author, ControlError, Note};

const SECOND: &str = "\n[[carrier]]\nname = \"operator-two\"\nhost = \"192.0.2.2\"\npassword = \"other\"\n\
    [[route]]\nprefix = \"49\"\ncarriers = [\"operator-two\"]\n";

fn author(reason: &str) -> Author {
    Author { who: "eve".into(), reason: reason.into() }
}

fn with_second() -> String {
    format!("{EXAMPLE}{SECOND}")
}

fn balance(control: &Control) -> Money {
    control.accounts().next().unwrap().settings.balance
}

#[test]
fn going_back_brings_carriers_back_as_they_were_and_leaves_accounts_alone() {
    let place = Place::new();
    let database = place.open();
    apply(&database, &with_second());
    let then = database.check_carrier("operator-two").unwrap();
    // The second carrier goes, the account is topped up.
    apply(&database, &example_with("balance = \"1000.0000\"", "balance = \"2000.0000\""));
    assert!(database.check_carrier("operator-two").is_err());

    let planned = database.roll_back(1, &author("needed"), true).unwrap();
    assert_eq!(planned.diff.to_string(), "+ carrier operator-two\n+ route prefix 49");
    assert_eq!(database.snapshot().version, 2, "a dry run changes nothing");
    let applied = database.roll_back(1, &author("needed"), false).unwrap();
    assert_eq!(applied.version, 3);
    let control = database.snapshot();
    let carrier = control.carrier(then).expect("under the number that messages know it by");
    assert_eq!((carrier.name.as_str(), carrier.password.reveal()), ("operator-two", "other"));
    assert_eq!(balance(&control), Money(20_000_000), "money that was paid in stays");
    assert!(database.roll_back(1, &author("again"), false).unwrap().diff.is_empty());

    let difference = database.difference(1, 3).unwrap().to_string();
    assert_eq!(difference, "~ account acme: balance 1000.0000 -> 2000.0000");
    assert_eq!(database.difference(0, 1).unwrap().changes.len(), 9, "everything is new after the empty version");
    let reasons: Vec<String> = database.list_versions().unwrap().into_iter().map(|version| version.reason).collect();
    assert_eq!(reasons, ["needed", "apply", "apply"]);
}

#[test]
fn going_back_never_leaves_a_number_without_its_carrier() {
    let place = Place::new();
    let database = place.open();
    let without_number = &EXAMPLE[..EXAMPLE.find("[[account.number]]").unwrap()];
    apply(&database, without_number);
    let moved =
        format!("{without_number}[[account.number]]\nnumber = \"48500100201\"\ncarrier = \"operator-two\"\n{SECOND}");
    apply(&database, &moved);
    let Err(ControlError::Conflicts(conflicts)) = database.roll_back(1, &author("try"), false) else {
        panic!("it went back")
    };
    assert!(conflicts[0].contains("48500100201") && conflicts[0].contains("operator-two"), "{conflicts:?}");
    assert!(matches!(
        database.roll_back(9, &author("try"), false),
        Err(ControlError::NoSuchVersion { version: 9, oldest: 1, newest: 2 })
    ));
}

#[test]
fn a_hold_lasts_over_versions_and_reopening_and_is_seen_by_other_processes() {
    let place = Place::new();
    let (database, other) = (place.open(), place.open());
    apply(&database, &with_second());
    let carrier = database.check_carrier("operator-two").unwrap();
    database.hold("operator-two", Some(HoldMode::Paused), &author("maintenance")).unwrap();
    assert!(database.snapshot().is_paused(carrier));
    assert!(other.refresh().unwrap());
    assert_eq!(other.snapshot().hold(carrier).map(|hold| hold.reason.as_str()), Some("maintenance"));
    apply(&database, &format!("{}{SECOND}", example_with("window = 100", "window = 50")));
    database.roll_back(1, &author("back"), false).unwrap();
    assert!(database.snapshot().is_paused(carrier), "no version ends a hold");
    drop((database, other));
    let database = place.open();
    assert!(database.snapshot().is_paused(carrier));
    database.hold("operator-two", Some(HoldMode::Draining), &author("it goes")).unwrap();
    let control = database.snapshot();
    assert!(!control.is_paused(carrier) && !control.takes_new(carrier));
    database.hold("operator-two", None, &author("it stays")).unwrap();
    assert!(database.snapshot().hold(carrier).is_none());
    assert!(matches!(
        database.hold("nobody", None, &author("try")),
        Err(ControlError::NoSuchCarrier { known, .. }) if known == "operator-one, operator-two"
    ));
    let actions: Vec<String> = database.audit(3).unwrap().into_iter().map(|entry| entry.action).collect();
    assert_eq!(actions, ["resume", "drain", "change"]);
}

#[test]
fn the_audit_knows_who_and_why_and_forgets_nothing() {
    let place = Place::new();
    let database = place.open();
    database.apply_by(&setup(EXAMPLE), &author("the beginning"), false).unwrap();
    let note = Note {
        who: "mallory".into(),
        action: "purge".into(),
        what: "carrier operator-one".into(),
        reason: "by mistake".into(),
        detail: "5 messages".into(),
    };
    database.note(&note).unwrap();
    let entries = database.audit(100).unwrap();
    assert_eq!((entries[0].who.as_str(), entries[0].after.as_str(), entries[0].version), ("mallory", "5 messages", 1));
    let carrier = entries.iter().find(|entry| entry.what == "carrier operator-one" && entry.action == "add").unwrap();
    assert_eq!((carrier.who.as_str(), carrier.reason.as_str()), ("eve", "the beginning"));
    assert!(carrier.after.contains("password = ***") && !carrier.after.contains("secret"), "{}", carrier.after);
    for change in ["UPDATE audit SET reason = 'another'", "DELETE FROM audit"] {
        assert!(place.raw().execute(change, []).is_err(), "{change}");
    }
}

#[test]
fn a_balance_that_is_left_out_starts_with_the_default_aloud_and_is_never_taken_back() {
    let place = Place::new();
    let database = place.open();
    let left_out = example_with("balance = \"1000.0000\"\n", "");
    let applied = apply(&database, &left_out);
    assert_eq!(applied.diff.notices.len(), 1, "{:?}", applied.diff.notices);
    assert!(applied.diff.notices[0].contains("account acme") && applied.diff.notices[0].contains("1000.0000 PLN"));
    apply(&database, &example_with("balance = \"1000.0000\"", "balance = \"5000.0000\""));
    let again = apply(&database, &left_out);
    assert!(again.diff.is_empty() && again.diff.notices.is_empty(), "{}", again.diff);
    assert_eq!(balance(&database.snapshot()), Money(50_000_000));
}
