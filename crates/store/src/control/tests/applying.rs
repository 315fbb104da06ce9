//! Applying: what it makes, what it leaves alone, and what it says.

use domain::control::{Carrier, Control, EventKind, Subject};
use domain::id::AccountId;
use domain::lane::Lane;
use domain::money::Money;
use domain::permission::Permission;
use domain::phone::Phone;
use domain::sender::Sender;

use super::{Place, apply, example_with, lines, setup};
use crate::control::tests::EXAMPLE;
use crate::control::{ControlDb, ControlError, GeneratedSecret, has_check_digits, key_digest};

fn acme() -> Sender {
    Sender::parse("ACME").unwrap()
}

/// A message to Poland.
fn subject(sender: &Sender) -> Subject<'_> {
    let phone = Phone::parse("48111222333").unwrap();
    Subject { phone, network: None, sender, account: AccountId(1), lane: Lane::Standard }
}

fn carrier(control: &Control, name: &str) -> Carrier {
    control.carriers().find(|carrier| carrier.name == name).unwrap().as_ref().clone()
}

/// The generated pair of the only key that was generated.
fn generated_pair(applied: &crate::control::Applied) -> (String, String) {
    let pairs = applied.generated.iter().filter_map(|generated| match &generated.secret {
        GeneratedSecret::Key { authorization, application_key } => {
            Some((authorization.reveal().to_owned(), application_key.reveal().to_owned()))
        }
        GeneratedSecret::SecretKey(_) | GeneratedSecret::SigningSecret(_) => None,
    });
    let pairs: Vec<_> = pairs.collect();
    assert_eq!(pairs.len(), 1);
    pairs.into_iter().next().unwrap()
}

#[test]
fn the_example_applies_and_stands_in_the_snapshot() {
    let place = Place::new();
    let database = place.open();
    assert_eq!(database.snapshot().version, 0);
    let applied = apply(&database, EXAMPLE);
    assert_eq!(applied.version, 1);
    assert_eq!(
        lines(&applied),
        [
            "+ carrier operator-one",
            "+ route prefix 48",
            "+ account acme",
            "+ sender acme/ACME",
            "+ key acme/backend",
            "+ webhook acme/sms.status",
            "+ number acme/48500100200 at operator-one",
        ]
    );
    let control = database.snapshot();
    assert_eq!(control.version, 1);
    let carrier = carrier(&control, "operator-one");
    assert_eq!((carrier.host.as_str(), carrier.port, carrier.password.reveal()), ("127.0.0.1", 2775, "secret"));
    assert_eq!((carrier.binds, carrier.priority_binds, carrier.window), (2, 1, 100));
    let route = control.routes_to(&subject(&acme())).next().unwrap();
    assert_eq!((route.carriers.as_slice(), route.settings.price), ([carrier.id].as_slice(), Money(700)));
    let account = control.accounts().next().unwrap();
    assert_eq!(
        (account.settings.balance, account.settings.priority, account.settings.currency.number),
        (Money(10_000_000), true, 985)
    );
    assert_eq!((account.numbers[0].number.as_str(), account.numbers[0].carrier), ("48500100200", carrier.id));
    assert_eq!(account.endpoint(EventKind::Status).unwrap().url, "https://example.com/hooks/sms");
}

#[test]
fn a_generated_key_is_given_once_and_found_by_its_digest() {
    let place = Place::new();
    let database = place.open();
    let applied = apply(&database, EXAMPLE);
    let (authorization, application_key) = generated_pair(&applied);
    assert_eq!(authorization.len(), 128);
    assert!(has_check_digits(&authorization) && has_check_digits(&application_key));
    let control = database.snapshot();
    let key = control.key(&key_digest(&authorization, &application_key)).unwrap();
    assert!(
        key.settings.permissions.allows(Permission::SmsSend) && key.settings.permissions.allows(Permission::SmsRead)
    );
    assert_eq!(key.senders, [control.account(key.account).unwrap().senders[0].id]);

    let again = apply(&database, EXAMPLE);
    assert!(again.generated.is_empty());
    assert!(database.snapshot().key(&key.digest).is_some());
}

#[test]
fn applying_twice_changes_nothing() {
    let place = Place::new();
    let database = place.open();
    apply(&database, EXAMPLE);
    let before = database.snapshot();
    let again = apply(&database, EXAMPLE);
    assert!(again.diff.is_empty(), "{}", again.diff);
    assert_eq!(again.version, 1);
    assert!(std::sync::Arc::ptr_eq(&before, &database.snapshot()));
    let audited: i64 = place.raw().query_row("SELECT count(*) FROM audit", [], |row| row.get(0)).unwrap();
    assert_eq!(audited, 7);
}

#[test]
fn only_what_differs_is_changed_and_shown() {
    let place = Place::new();
    let database = place.open();
    let first = apply(&database, EXAMPLE);
    let before = database.snapshot();
    let text = example_with("messages_per_second = 0", "messages_per_second = 50")
        .replace("password = \"secret\"", "password = \"other\"")
        .replace("window = 100", "window = 10");
    let plan = database.plan(&setup(&text)).unwrap();
    let expected = "~ carrier operator-one: password *** -> ***, window 100 -> 10\n\
                    ~ account acme: messages_per_second 0 -> 50";
    assert_eq!(plan.to_string(), expected);
    assert_eq!(database.apply(&setup(&text), true).unwrap().version, 1, "a dry run makes no version");
    assert_eq!(database.snapshot().version, 1);

    let applied = apply(&database, &text);
    assert_eq!((applied.version, applied.diff), (2, plan));
    let after = database.snapshot();
    assert_eq!(carrier(&after, "operator-one").password.reveal(), "other");
    assert_eq!(carrier(&after, "operator-one").id, carrier(&before, "operator-one").id);
    let (authorization, application_key) = generated_pair(&first);
    assert!(after.key(&key_digest(&authorization, &application_key)).is_some());
    let endpoint = |control: &Control| control.accounts().next().unwrap().endpoint(EventKind::Status).cloned();
    assert_eq!(endpoint(&before), endpoint(&after), "generated webhook secrets stay");
}

#[test]
fn what_the_file_leaves_out_is_removed_but_accounts_and_keys_stay() {
    let place = Place::new();
    let database = place.open();
    let two = format!(
        "{EXAMPLE}\n[[account.sender]]\nname = \"OTHER\"\n[[account.key]]\nname = \"old\"\nsenders = [\"OTHER\"]\n\
         [[account]]\nname = \"guest\"\n[[account.key]]\nname = \"only\"\n"
    );
    apply(&database, &two);
    let keys = |database: &ControlDb| -> i64 {
        let _ = database;
        place.raw().query_row("SELECT count(*) FROM keys", [], |row| row.get(0)).unwrap()
    };
    assert_eq!(keys(&database), 3);
    let without_number = EXAMPLE.split("[[account.number]]").next().unwrap();
    let applied = apply(&database, without_number);
    assert_eq!(
        lines(&applied),
        [
            "- sender acme/OTHER",
            "- number acme/48500100200 at operator-one",
            "= account guest: kept, the file does not name it",
            "= key acme/old: kept, the file does not name it",
        ]
    );
    assert_eq!(keys(&database), 3);
    let control = database.snapshot();
    assert_eq!(control.accounts().count(), 2);
    assert!(control.accounts().all(|account| account.numbers.is_empty()));
}

#[test]
fn rows_are_not_given_to_others_after_a_removal() {
    let place = Place::new();
    let database = place.open();
    let second = "[[carrier]]\nname = \"operator-two\"\nhost = \"127.0.0.1\"\npassword = \"\"\n";
    apply(&database, &format!("{EXAMPLE}{second}"));
    let removed = carrier(&database.snapshot(), "operator-two").id;
    apply(&database, EXAMPLE);
    apply(&database, &format!("{EXAMPLE}{}", second.replace("two", "three")));
    assert!(carrier(&database.snapshot(), "operator-three").id > removed);
}

#[test]
fn given_keys_are_taken_as_they_are_and_can_be_exchanged() {
    let (first, second) = ("a".repeat(16), "b".repeat(128));
    let given = |authorization: &str, application_key: &str| {
        let both = format!(
            "authorization = \"{authorization}\"\napplication_key = \"{application_key}\"\nsenders = [\"ACME\"]"
        );
        example_with("senders = [\"ACME\"]", &both)
    };
    let place = Place::new();
    let database = place.open();
    let applied = apply(&database, &given(&first, &second));
    let keys = applied.generated.iter().filter(|generated| matches!(generated.secret, GeneratedSecret::Key { .. }));
    assert_eq!(keys.count(), 0);
    assert!(database.snapshot().key(&key_digest(&first, &second)).is_some());
    assert!(apply(&database, &given(&first, &second)).diff.is_empty());
    assert!(apply(&database, EXAMPLE).diff.is_empty(), "leaving the keys out keeps them");

    let changed = apply(&database, &given(&second, &first));
    assert_eq!(lines(&changed), ["~ key acme/backend: application_key *** -> ***, authorization *** -> ***"]);
    assert!(database.snapshot().key(&key_digest(&first, &second)).is_none());
    assert!(database.snapshot().key(&key_digest(&second, &first)).is_some());
}

#[test]
fn half_a_given_pair_is_completed_once() {
    let given = example_with("senders = [\"ACME\"]", "authorization = \"aaaaaaaaaaaaaaaa\"\nsenders = [\"ACME\"]");
    let place = Place::new();
    let database = place.open();
    let (authorization, application_key) = generated_pair(&apply(&database, &given));
    assert_eq!(authorization, "aaaaaaaaaaaaaaaa");
    assert!(apply(&database, &given).diff.is_empty());
    assert!(database.snapshot().key(&key_digest(&authorization, &application_key)).is_some());
}

#[test]
fn two_keys_can_swap_their_pairs() {
    let keys = |first: &str, second: &str| {
        let key = |name: &str, half: &str| {
            let half = half.repeat(16);
            format!("[[account.key]]\nname = \"{name}\"\nauthorization = \"{half}\"\napplication_key = \"{half}\"\n")
        };
        format!("[[account]]\nname = \"acme\"\n{}{}", key("one", first), key("two", second))
    };
    let place = Place::new();
    let database = place.open();
    apply(&database, &keys("a", "b"));
    apply(&database, &keys("b", "a"));
    let half = "a".repeat(16);
    assert_eq!(database.snapshot().key(&key_digest(&half, &half)).unwrap().name, "two");
    let moved = "[[account]]\nname = \"acme\"\n[[account.key]]\nname = \"three\"\nauthorization = \"aaaaaaaaaaaaaaaa\"\napplication_key = \"aaaaaaaaaaaaaaaa\"\n";
    let error = database.apply(&setup(moved), false).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("key acme/three has the same pair as key acme/two, which stays: give it another pair"),
        "{error}"
    );
}

#[test]
fn a_carrier_in_use_by_a_kept_account_is_not_removed() {
    let place = Place::new();
    let database = place.open();
    apply(&database, EXAMPLE);
    let error = database.apply(&setup("[[account]]\nname = \"guest\"\n"), false).unwrap_err();
    let expected = "nothing was changed, the setup contradicts what is kept:\ncarrier operator-one is left out, but account acme \
                    has number 48500100200 on it: name the carrier, or name the account without the number";
    assert_eq!(error.to_string(), expected);
    let claimed = EXAMPLE.replace("name = \"acme\"", "name = \"guest\"");
    assert!(matches!(database.plan(&setup(&claimed)), Err(ControlError::Conflicts(conflicts)) if conflicts.len() == 1));
    assert_eq!(database.snapshot().version, 1);
}

#[test]
fn several_routes_of_one_prefix_keep_the_order_of_the_file() {
    let carriers = "[[carrier]]\nname = \"a\"\nhost = \"h\"\npassword = \"\"\n[[carrier]]\nname = \"b\"\nhost = \"h\"\npassword = \"\"\n";
    let routes = |names: [&str; 2]| {
        let route = |name| format!("[[route]]\nprefix = \"48\"\ncarriers = [\"{name}\"]\n");
        format!("{carriers}{}{}[[route]]\nprefix = \"\"\ncarriers = [\"a\", \"b\"]\n", route(names[0]), route(names[1]))
    };
    let place = Place::new();
    let database = place.open();
    let order = |database: &ControlDb| -> Vec<String> {
        let control = database.snapshot();
        let first =
            |route: &std::sync::Arc<domain::control::Route>| control.carrier(route.carriers[0]).unwrap().name.clone();
        control.routes_to(&subject(&acme())).map(first).collect()
    };
    apply(&database, &routes(["b", "a"]));
    assert_eq!(order(&database), ["b", "a", "a"]);
    let swapped = apply(&database, &routes(["a", "b"]));
    assert_eq!(lines(&swapped), ["~ route prefix 48: carriers b -> a", "~ route prefix 48 (2): carriers a -> b"]);
    assert_eq!(order(&database), ["a", "b", "a"]);
}

#[test]
fn the_audit_tells_before_and_after_and_cannot_be_changed() {
    let place = Place::new();
    let database = place.open();
    apply(&database, EXAMPLE);
    let text = example_with("messages_per_second = 0", "messages_per_second = 50").replace("\"secret\"", "\"other\"");
    apply(&database, &text);
    let raw = place.raw();
    let query = r#"SELECT at_ms || ' ' || action || ' ' || what || ': ' || "before" || ' -> ' || "after" FROM audit WHERE version = 2 ORDER BY id"#;
    let mut statement = raw.prepare(query).unwrap();
    let entries: Vec<String> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert_eq!(
        entries,
        [
            "1800000000000 change carrier operator-one: password = *** -> password = ***",
            "1800000000000 change account acme: messages_per_second = 0 -> messages_per_second = 50",
        ]
    );
    for query in ["UPDATE audit SET what = ''", "DELETE FROM audit"] {
        assert_eq!(raw.execute(query, []).unwrap_err().to_string(), "the audit is append-only");
    }
}

#[test]
fn every_version_keeps_its_content() {
    let place = Place::new();
    let database = place.open();
    apply(&database, EXAMPLE);
    apply(&database, &example_with("window = 100", "window = 10"));
    let window = |version: i64| -> i64 {
        let query = "SELECT json_extract(content, '$.carriers[0].settings.window') FROM versions WHERE version = ?1";
        place.raw().query_row(query, [version], |row| row.get(0)).unwrap()
    };
    assert_eq!((window(1), window(2)), (100, 10));
}

#[test]
fn a_changed_entry_keeps_the_secrets_generated_for_it() {
    let place = Place::new();
    let database = place.open();
    let (authorization, application_key) = generated_pair(&apply(&database, EXAMPLE));
    let endpoint = |control: &Control| control.accounts().next().unwrap().endpoint(EventKind::Status).unwrap().clone();
    let before = endpoint(&database.snapshot());
    let text = example_with("\"sms.send\", \"sms.read\"", "\"sms.read\"").replace("hooks/sms", "hooks/other");
    let applied = apply(&database, &text);
    let expected = [
        "~ key acme/backend: permissions sms.send,sms.read -> sms.read",
        "~ webhook acme/sms.status: url https://example.com/hooks/sms -> https://example.com/hooks/other",
    ];
    assert_eq!(lines(&applied), expected);
    assert!(applied.generated.is_empty());
    let control = database.snapshot();
    let key = control.key(&key_digest(&authorization, &application_key)).unwrap();
    assert!(
        key.settings.permissions.allows(Permission::SmsRead) && !key.settings.permissions.allows(Permission::SmsSend)
    );
    let after = endpoint(&control);
    assert_eq!((&after.secret_key, &after.signing_secret), (&before.secret_key, &before.signing_secret));
    assert!(after.secret_key.reveal().len() == 40 && after.signing_secret.reveal().starts_with("whsec_"));
}
