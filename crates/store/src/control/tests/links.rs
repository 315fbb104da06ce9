//! What a carrier says about its sessions: kept as written, and told when it can't be.

use std::sync::Arc;

use domain::control::{Carrier, Link, StatusAction, StatusRule, SubmitWith};

use super::{Place, apply, example_with};
use crate::control::Setup;

/// Keys of a carrier that uses TLS, and what comes after them.
fn with(lines: &str) -> String {
    example_with("tls = false", "tls = true").replacen("long_messages", &format!("{lines}\nlong_messages"), 1)
}

/// The only thing that is wrong with these lines, without its place.
fn problem(lines: &str) -> String {
    let problems = Setup::parse("setup.toml", &with(lines)).err().unwrap_or_else(|| panic!("no problem in {lines}"));
    let told: Vec<String> = problems.problems.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    told[0].split_once(": ").map(|(_, problem)| problem.to_owned()).unwrap_or_default()
}

/// The carrier as it is stored and read again.
fn kept(text: &str) -> Arc<Carrier> {
    let place = Place::new();
    apply(&place.open(), text);
    let control = place.open().snapshot();
    Arc::clone(control.carriers().next().expect("the example has one"))
}

#[test]
fn what_is_left_out_is_as_documented() {
    let carrier = kept(super::EXAMPLE);
    assert_eq!((&carrier.link, carrier.status.len()), (&Link::default(), 0));
}

#[test]
fn what_is_written_is_kept() {
    let fingerprint = "AB:".repeat(31) + "AB";
    let carrier = kept(
        &with(&format!(
            "hosts = [\"smpp2.example:2776\", \"[2001:db8::1]:2775\"]\ntls_pinned_sha256 = \"{fingerprint}\"\n\
             enquire_link_seconds = 5\nreconnect_max_seconds = 30\nsubmit_with = \"data_sm\"\n\
             outbind_listen = \"0.0.0.0:2776\"\noutbind_allowed_addresses = [\"192.0.2.0/24\"]\noutbind_password = \"agreed\"\n\
             outbind_certificate_file = \"/etc/certificate.pem\"\noutbind_private_key_file = \"/etc/key.pem\""
        ))
        .replacen(
            "[[route]]",
            "[[carrier.status]]\ncode = \"0x0400-0x04FF\"\naction = \"retry-later\"\ntries = 3\npause_seconds = 60\nother_route = false\n\n\
             [[carrier.status]]\ncode = \"1061\"\naction = \"stop\"\n\n[[route]]",
            1,
        ),
    );
    let link = Link {
        hosts: vec!["smpp2.example:2776".into(), "[2001:db8::1]:2775".into()],
        tls_pinned_sha256: fingerprint,
        enquire_link_seconds: 5,
        reconnect_max_seconds: 30,
        submit_with: SubmitWith::DataSm,
        outbind_listen: "0.0.0.0:2776".into(),
        outbind_allowed_addresses: vec!["192.0.2.0/24".parse().unwrap()],
        outbind_certificate_file: "/etc/certificate.pem".into(),
        outbind_private_key_file: "/etc/key.pem".into(),
        ..Link::default()
    };
    assert_eq!((&carrier.link, carrier.outbind_password.reveal()), (&link, "agreed"));
    let rule = |code: &str, action, tries, pause_seconds| StatusRule {
        code: code.into(),
        action,
        tries,
        pause_seconds,
        other_route: None,
    };
    let later = rule("0x0400-0x04FF", StatusAction::RetryLater, 3, 60);
    let later = StatusRule { other_route: Some(false), ..later };
    assert_eq!(carrier.status, [later, rule("1061", StatusAction::Stop, 0, 30)]);
}

#[test]
fn what_can_not_be_is_told() {
    let cases = [
        (
            "hosts = [\"smpp2.example\"]",
            "hosts = \"smpp2.example\": expected a host name or an address with its port, such as \"smpp2.example:2775\"",
        ),
        (
            "tls_pinned_sha256 = \"abc\"",
            "tls_pinned_sha256 = \"abc\": expected the SHA-256 of the operator's certificate as 64 hexadecimal digits; \
             `openssl x509 -noout -fingerprint -sha256` shows it",
        ),
        (
            "outbind_listen = \"0.0.0.0:2776\"",
            "outbind_listen = \"0.0.0.0:2776\": give outbind_allowed_addresses too: whoever connects there is told the \
             login of this carrier",
        ),
        (
            "outbind_password = \"secret\"",
            "outbind_password = *** (6 characters): without outbind_listen no operator connects: give that too or leave this out",
        ),
        (
            "outbind_private_key_file = \"/etc/key.pem\"",
            "outbind_private_key_file = \"/etc/key.pem\": without tls = true and outbind_listen nobody is shown a certificate",
        ),
        (
            "reconnect_min_seconds = 61",
            "reconnect_min_seconds = 61: expected at most reconnect_max_seconds, which is 60",
        ),
        (
            "enquire_link_seconds = 110",
            "inactivity_timeout_seconds = 120: expected more than enquire_link_seconds and enquire_link_timeout_seconds \
             together, which are 120: a silent operator is asked whether it lives before its session is ended",
        ),
        ("response_timeout_seconds = 0", "response_timeout_seconds = 0: expected a whole number from 1 to 3600"),
    ];
    for (lines, expected) in cases {
        assert_eq!(problem(lines), expected, "{lines}");
    }
    let pinned = example_with("tls = false", "tls = false\ntls_ca_file = \"/etc/ca.pem\"");
    let problems = Setup::parse("setup.toml", &pinned).expect_err("nothing would be checked").to_string();
    assert!(problems.contains("without tls = true nothing is checked"), "{problems}");
    let listens = "tls = true\noutbind_listen = \"0.0.0.0:2776\"\noutbind_allowed_addresses = [\"192.0.2.0/24\"]";
    let bare = example_with("tls = false", listens);
    let problems = Setup::parse("setup.toml", &bare).expect_err("the login would go in the clear").to_string();
    assert!(problems.contains("with tls = true the operator expects a certificate"), "{problems}");
}

#[test]
fn statuses_that_can_not_be_are_told() {
    let told = |entry: &str| {
        let text = example_with("[[route]]", &format!("[[carrier.status]]\n{entry}\n\n[[route]]"));
        Setup::parse("setup.toml", &text).expect_err(entry).to_string()
    };
    assert!(told("code = \"0\"\naction = \"fail\"").contains("expected a command_status other than 0"));
    assert!(told("code = \"0x400\"\naction = \"panic\"").contains("expected one of \"retry-now\", \"slow-down\""));
    assert!(told("code = \"0x400\"\naction = \"fail\"\ntries = 3").contains("only action \"retry-later\" has tries"));
    assert!(told("action = \"fail\"").contains("missing key"));
}
