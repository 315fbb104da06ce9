//! Secrets: never in plain on the disk, and a clear word when the master key does not fit.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use domain::control::EventKind;

use super::{EXAMPLE, Place, apply, example_with};
use crate::control::{ControlError, GeneratedSecret};

#[test]
fn no_secret_is_in_plain_in_the_files() {
    let place = Place::new();
    let database = place.open();
    let text = example_with("password = \"secret\"", "password = \"canary-of-carrier\"")
        .replace("basic_user = \"\"", "basic_user = \"user\"")
        .replace("basic_password = \"\"", "basic_password = \"canary-of-basic\"");
    let applied = apply(&database, &text);
    let mut secrets = vec!["canary-of-carrier".to_owned(), "canary-of-basic".to_owned()];
    for generated in &applied.generated {
        match &generated.secret {
            GeneratedSecret::Key { authorization, application_key } => {
                secrets.extend([authorization.reveal().to_owned(), application_key.reveal().to_owned()]);
            }
            GeneratedSecret::SecretKey(secret) | GeneratedSecret::SigningSecret(secret) => {
                secrets.push(secret.reveal().to_owned());
            }
        }
        assert!(!format!("{generated:?}").contains(secrets.last().unwrap()), "Debug hides secrets");
    }
    assert_eq!(secrets.len(), 6);
    let mut octets = Vec::new();
    for entry in fs::read_dir(place.data_dir()).unwrap() {
        octets.extend(fs::read(entry.unwrap().path()).unwrap());
    }
    let holds = |text: &str| octets.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(holds("operator-one"), "what is no secret is readable");
    for secret in &secrets {
        assert!(!holds(secret) && !applied.diff.to_string().contains(secret), "{secret}");
    }
    drop(database);
    let reopened = place.open();
    let control = reopened.snapshot();
    assert_eq!(control.carriers().next().unwrap().password.reveal(), "canary-of-carrier");
    let endpoint = control.accounts().next().unwrap().endpoint(EventKind::Status).unwrap().clone();
    assert_eq!(endpoint.basic_password.reveal(), "canary-of-basic");
    assert!(secrets.iter().any(|secret| secret == endpoint.signing_secret.reveal()));
}

#[test]
fn the_files_are_private() {
    let place = Place::new();
    let database = place.open();
    apply(&database, EXAMPLE);
    let mode = |path: std::path::PathBuf| fs::metadata(path).unwrap().mode() & 0o777;
    for name in ["control.db", "control.db-wal", "control.db-shm"] {
        assert_eq!(mode(place.data_dir().join(name)), 0o600, "{name}");
    }
    assert_eq!(mode(place.master_key_file()), 0o600);
}

#[test]
fn another_master_key_is_refused_before_any_secret_is_needed() {
    let place = Place::new();
    drop(place.open());
    fs::remove_file(place.master_key_file()).unwrap();
    let missing = place.try_open().err().unwrap();
    assert!(matches!(missing, ControlError::MasterKeyMissing { .. }), "{missing}");
    assert!(missing.to_string().ends_with("restore it from your backup"), "{missing}");
    assert!(!place.master_key_file().exists(), "no new key takes the place of a lost one");

    fs::write(place.master_key_file(), [7; 32]).unwrap();
    fs::set_permissions(place.master_key_file(), fs::Permissions::from_mode(0o600)).unwrap();
    let wrong = place.try_open().err().unwrap();
    assert!(matches!(wrong, ControlError::MasterKeyWrong { .. }), "{wrong}");
    assert!(wrong.to_string().contains("is not the one that"), "{wrong}");
}

#[test]
fn a_sealed_value_moved_to_another_row_does_not_open() {
    let place = Place::new();
    let database = place.open();
    let second = "[[carrier]]\nname = \"operator-two\"\nhost = \"127.0.0.1\"\npassword = \"other\"\n";
    apply(&database, &format!("{EXAMPLE}{second}"));
    drop(database);
    let moved = "UPDATE carriers SET password = (SELECT password FROM carriers WHERE name = 'operator-one')";
    place.raw().execute(moved, []).unwrap();
    let error = place.try_open().err().unwrap();
    assert!(matches!(error, ControlError::Sealed { table: "carriers", column: "password", row: 2 }), "{error}");
}
