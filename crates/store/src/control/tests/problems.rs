//! Every bad input is told with its place and what is allowed instead.

use super::{EXAMPLE, Place, apply, example_with, setup};
use crate::control::Setup;

/// The problems of a text, one per line, without the name of the file.
fn problems(text: &str) -> Vec<String> {
    let problems = Setup::parse("setup.toml", text).err().unwrap_or_else(|| panic!("no problem in {text}"));
    problems.problems.iter().map(ToString::to_string).collect()
}

/// Each bad input stands alone in the example and is its only problem.
fn assert_each(cases: &[(&str, &str, &str)]) {
    for (from, to, expected) in cases {
        assert_eq!(problems(&example_with(from, to)), [*expected], "{from} -> {to}");
    }
}

#[test]
fn syntax() {
    assert_each(&[
        ("window = 100", "window = ", "14:10: this is not TOML: string values must be quoted, expected literal string"),
        ("tls = false", "tls = false\ntls = true", "7:1: this is not TOML: duplicate key"),
    ]);
}

#[test]
fn unknown_keys() {
    assert_each(&[
        (
            "approved = true",
            "approved = true\naproved = 1",
            "37:1: aproved = …: unknown key, allowed here: name, approved",
        ),
        ("[[route]]", "[[routes]]", "21:3: routes: unknown key, allowed here: carrier, route, account"),
        (
            "kind = \"long\"",
            "sort = \"long\"",
            "55:1: sort = …: unknown key, allowed here: number, kind, carrier, keywords, bot",
        ),
    ]);
}

#[test]
fn wrong_types() {
    assert_each(&[
        (
            "window = 100",
            "window = \"100\"",
            "14:10: window = …: wrong type, found a string, expected a whole number from 1 to 10000",
        ),
        (
            "window = 100",
            "window = 1.5",
            "14:10: window = 1.5: wrong type, found a float, expected a whole number from 1 to 10000",
        ),
        ("tls = false", "tls = 0", "6:7: tls = 0: wrong type, found an integer, expected true or false"),
        (
            "price = \"0.0700\"",
            "price = 0.07",
            "25:9: price = 0.07: wrong type, found a float, expected a text in quotation marks",
        ),
        (
            "senders = [\"ACME\"]",
            "senders = \"ACME\"",
            "40:11: senders = …: wrong type, found a string, expected a list of texts such as [\"one\", \"two\"]",
        ),
        (
            "allowed_addresses = []",
            "allowed_addresses = [7]",
            "42:22: allowed_addresses = 7: wrong type, found an integer, expected a list of texts only",
        ),
    ]);
    let table = problems("carrier = 1\n");
    assert_eq!(
        table,
        ["1:11: carrier = 1: wrong type, found an integer, expected entries under a [[carrier]] line each"]
    );
}

#[test]
fn missing_keys() {
    assert_each(&[
        ("host = \"127.0.0.1\"\n", "", "2:1: host: missing key: write it into this entry"),
        ("password = \"secret\"\n", "", "2:1: password: missing key: write it into this entry"),
        ("url = \"https://example.com/hooks/sms\"\n", "", "44:1: url: missing key: write it into this entry"),
        (
            "prefix = \"48\"\n",
            "",
            "21:1: prefix: missing key: write prefix or network; prefix = \"\" is for every number",
        ),
        ("carriers = [\"operator-one\"]\n", "", "21:1: carriers: missing key: name at least one carrier"),
    ]);
}

#[test]
fn numbers_out_of_bounds() {
    assert_each(&[
        ("window = 100", "window = 0", "14:10: window = 0: expected a whole number from 1 to 10000"),
        ("window = 100", "window = 99_999", "14:10: window = 99999: expected a whole number from 1 to 10000"),
        ("window = 100", "window = -1", "14:10: window = -1: expected a whole number from 1 to 10000"),
        ("port = 2775", "port = 65536", "5:8: port = 65536: expected a whole number from 1 to 65535"),
        ("binds = 2", "binds = 0", "12:9: binds = 0: expected a whole number from 1 to 64"),
        (
            "priority_binds = 1",
            "priority_binds = 3",
            "13:18: priority_binds = 3: expected at most the number of binds, which is 2: raise binds or lower this",
        ),
        (
            "rate_per_second = 0",
            "rate_per_second = 340282366920938463463374607431768211456",
            "15:19: rate_per_second = 340282366920938463463374607431768211456: expected a whole number from 0 to 1000000",
        ),
    ]);
}

#[test]
fn carriers() {
    assert_each(&[
        (
            "bind = \"transceiver\"",
            "bind = \"both\"",
            "11:8: bind = \"both\": expected one of \"transceiver\", \"transmitter+receiver\"",
        ),
        (
            "\"127.0.0.1\"",
            "\"127.0.0.1:2775\"",
            "4:8: host = \"127.0.0.1:2775\": expected a host name or an address, without port",
        ),
        (
            "\"posthorn\"",
            "\"posthorn-platform\"",
            "7:13: system_id = \"posthorn-platform\": expected up to 15 printable ASCII characters",
        ),
        (
            "\"secret\"",
            "\"hasło\"",
            "8:12: password = *** (5 characters): expected up to 32 printable ASCII characters",
        ),
    ]);
}

#[test]
fn unknown_carriers() {
    assert_each(&[
        (
            "carriers = [\"operator-one\"]",
            "carriers = [\"operator-one\", \"two\"]",
            "23:29: carriers = \"two\": unknown carrier, the file has: operator-one",
        ),
        (
            "carriers = [\"operator-one\"]",
            "carriers = []",
            "21:1: carriers: the list is empty: name at least one carrier",
        ),
        (
            "carriers = [\"operator-one\"]",
            "carriers = [\"operator-one\", \"operator-one\"]",
            "23:29: carriers = \"operator-one\": named twice in this route: once is enough",
        ),
        (
            "carrier = \"operator-one\"",
            "carrier = \"two\"",
            "56:11: carrier = \"two\": unknown carrier, the file has: operator-one",
        ),
    ]);
}

#[test]
fn duplicates() {
    let after = |addition: &str| problems(&format!("{EXAMPLE}\n{addition}"));
    assert_eq!(
        after("[[carrier]]\nname = \"operator-one\"\nhost = \"h\"\npassword = \"\"\n"),
        ["59:8: name = \"operator-one\": the carrier in line 3 has the same name: give each its own"]
    );
    assert_eq!(
        after("[[account]]\nname = \"acme\"\n"),
        ["59:8: name = \"acme\": the account in line 28 has the same name: give each its own"]
    );
    assert_eq!(
        after("[[account.sender]]\nname = \"ACME\"\n"),
        ["59:8: name = \"ACME\": the sender in line 35 has the same name: give each its own"]
    );
    assert_eq!(
        after("[[account.key]]\nname = \"backend\"\n"),
        ["59:8: name = \"backend\": the key in line 39 has the same name: give each its own"]
    );
    assert_eq!(
        after("[[account.webhook]]\nevent = \"sms.status\"\nurl = \"https://a.example/\"\n"),
        ["59:9: event = \"sms.status\": the webhook in line 45 has the same event: give each its own"]
    );
    assert_eq!(
        after(
            "[[account]]\nname = \"guest\"\n[[account.number]]\nnumber = \"+48500100200\"\ncarrier = \"operator-one\"\n"
        ),
        [
            "61:10: number = \"+48500100200\": the entry in line 54 has the same number without keywords: give one of them keywords"
        ]
    );
    let pair = "authorization = \"aaaaaaaaaaaaaaaa\"\napplication_key = \"aaaaaaaaaaaaaaaa\"\n";
    assert_eq!(
        after(&format!("[[account.key]]\nname = \"a\"\n{pair}[[account.key]]\nname = \"b\"\n{pair}")),
        ["64:17: authorization = *** (16 characters): the key in line 60 has the same pair: give each its own"]
    );
    let one_line = "[[account]]\nname = \"a\"\nsender = [{ name = \"A\" }, { name = \"A\" }]\n";
    assert_eq!(problems(one_line), ["3:36: name = \"A\": the sender in line 3 has the same name: give each its own"]);
}

#[test]
fn routes() {
    assert_each(&[
        (
            "prefix = \"48\"",
            "prefix = \"+48\"",
            "22:10: prefix = \"+48\": expected up to 15 digits beginning with the country code, without + and zeros in front",
        ),
        (
            "prefix = \"48\"",
            "network = \"26\"",
            "22:11: network = \"26\": expected the country and network code, 5 or 6 digits such as \"26001\"",
        ),
        (
            "prefix = \"48\"",
            "prefix = \"48\"\nnetwork = \"26001\"",
            "23:11: network = \"26001\": a route is for a prefix or for a network, not for both: make two routes",
        ),
        (
            "prefix = \"48\"",
            "network = \"\"",
            "21:1: network: expected the country and network code, or a prefix instead",
        ),
        (
            "\"0.0700\"",
            "\"0.07001\"",
            "25:9: price = \"0.07001\": expected an amount from zero up with at most four decimal places, such as \"0.0700\"",
        ),
        (
            "\"0.0700\"",
            "\"-1\"",
            "25:9: price = \"-1\": expected an amount from zero up with at most four decimal places, such as \"0.0700\"",
        ),
    ]);
    let twice = format!("{EXAMPLE}\n[[route]]\nprefix = \"48\"\ncarriers = [\"operator-one\"]\n");
    assert_eq!(
        problems(&twice),
        [
            "59:10: prefix = \"48\": the route in line 21 leads to the same numbers over the same carriers, this one would never be used: remove one"
        ]
    );
}

#[test]
fn accounts() {
    assert_each(&[
        (
            "\"PLN\"",
            "\"pln\"",
            "29:12: currency = \"pln\": unknown currency, expected one of PLN, EUR, USD, GBP, CHF, CZK, HUF, RON, SEK, NOK, DKK, UAH",
        ),
        (
            "\"1000.0000\"",
            "\"1,000\"",
            "30:11: balance = \"1,000\": expected an amount from zero up with at most four decimal places, such as \"0.0700\"",
        ),
        (
            "\"acme\"",
            "\"a,b\"",
            "28:8: name = \"a,b\": expected 1 to 64 letters, digits and \" ._-\", no space at either end",
        ),
        (
            "kind = \"long\"",
            "kind = \"short\"",
            "54:10: number = \"48500100200\": expected a short code of 3 to 8 digits",
        ),
        (
            "\"48500100200\"",
            "\"7055\"",
            "54:10: number = \"7055\": not an E.164 phone number: expected 7 to 15 digits with the country code first, with or without +",
        ),
    ]);
    let sender = example_with("name = \"ACME\"", "name = \"ACME Company Ltd\"");
    assert_eq!(
        problems(&sender),
        [
            "35:8: name = \"ACME Company Ltd\": not a sender id: expected up to 11 letters, digits, spaces or .-_& characters, or up to 14 digits",
            "40:12: senders = \"ACME\": the account has no such sender, it has none: add an [[account.sender]] entry",
        ]
    );
}

#[test]
fn keys() {
    let short = "name = \"backend\"\nauthorization = \"abc\"";
    let expected = "40:17: authorization = *** (3 characters): expected 16 to 128 characters of A-Z, a-z and 0-9; leave the key out to have one generated";
    assert_each(&[
        ("name = \"backend\"", short, expected),
        ("name = \"backend\"", &short.replace("abc", &"a".repeat(129)), &expected.replace("(3 ", "(129 ")),
        ("name = \"backend\"", &short.replace("abc", "abcdefgh-12345678"), &expected.replace("(3 ", "(17 ")),
        (
            "senders = [\"ACME\"]",
            "senders = [\"OTHER\"]",
            "40:12: senders = \"OTHER\": the account has no such sender, it has ACME: add an [[account.sender]] entry",
        ),
        (
            "\"sms.read\"",
            "\"sms.all\"",
            "41:28: permissions = \"sms.all\": unknown permission, expected one of sms.send, sms.read, webhook.write",
        ),
        (
            "allowed_addresses = []",
            "allowed_addresses = [\"10.0.0.0/33\"]",
            "42:22: allowed_addresses = \"10.0.0.0/33\": expected an address or a network such as \"192.0.2.0/24\" or \"2001:db8::/32\"",
        ),
    ]);
}

#[test]
fn webhooks() {
    let address = "expected an address such as \"https://example.com/hooks/sms\", without user, password and fragment";
    assert_each(&[
        ("\"https://example.com/hooks/sms\"", "\"example.com\"", &format!("46:7: url = \"example.com\": {address}")),
        (
            "secondary_url = \"\"",
            "secondary_url = \"ftp://a\"",
            &format!("47:17: secondary_url = \"ftp://a\": {address}"),
        ),
        (
            "\"sms.status\"",
            "\"sms.sent\"",
            "45:9: event = \"sms.sent\": expected one of \"sms.status\", \"sms.incoming\", \"sms.click\"",
        ),
        (
            "signing_secret = \"\"",
            "signing_secret = \"hush\"",
            "49:18: signing_secret = *** (4 characters): expected whsec_ and 24 to 64 octets of base64; leave it out to have one generated",
        ),
        (
            "basic_password = \"\"",
            "basic_password = \"hush\"",
            "51:18: basic_password = *** (4 characters): a password without a user: give basic_user too",
        ),
    ]);
}

#[test]
fn all_problems_are_told_at_once_in_the_order_of_the_file() {
    let text = example_with("window = 100", "window = 0").replace("\"PLN\"", "\"XXX\"").replace("approved", "aproved");
    let message = Setup::parse("setup.toml", &text).unwrap_err().to_string();
    let starts: Vec<&str> = message.lines().map(|line| line.split(" = ").next().unwrap()).collect();
    assert_eq!(
        starts,
        [
            "nothing was applied, setup.toml has 3 problems:",
            "setup.toml:14:10: window",
            "setup.toml:29:12: currency",
            "setup.toml:36:1: aproved",
        ]
    );
}

#[test]
fn columns_count_characters() {
    let text = example_with("senders = [\"ACME\"]", "senders = [\"Żółw\", \"OTHER\"]");
    let found = problems(&text);
    assert!(found[1].starts_with("40:20: senders = \"OTHER\""), "{found:?}");
}

#[test]
fn a_file_that_cannot_be_read_is_told() {
    let place = Place::new();
    let missing = Setup::read(&place.0.path().join("none.toml")).unwrap_err().to_string();
    assert!(missing.contains("none.toml:1:1: cannot read the setup file: No such file"), "{missing}");
    let path = place.0.path().join("setup.toml");
    std::fs::write(&path, [0xff, 0xfe]).unwrap();
    assert!(Setup::read(&path).unwrap_err().to_string().contains("valid UTF-8"));
    std::fs::write(&path, EXAMPLE).unwrap();
    assert_eq!(place.open().apply(&Setup::read(&path).unwrap(), false).unwrap().version, 1);
}

/// What is left out takes the value the documented example gives.
#[test]
fn defaults_are_those_of_the_example() {
    let place = Place::new();
    let database = place.open();
    apply(&database, EXAMPLE);
    let given: Vec<&str> = EXAMPLE.lines().filter(|line| !is_default(line)).collect();
    assert_eq!(given.len(), EXAMPLE.lines().count() - 30);
    let diff = database.plan(&setup(&given.join("\n"))).unwrap();
    assert!(diff.is_empty(), "{diff}");
}

fn is_default(line: &str) -> bool {
    const REQUIRED: [&str; 10] =
        ["name", "host", "password", "prefix", "carriers", "event", "url", "number", "carrier", "#"];
    line.split_once(" = ").is_some_and(|(key, _)| !REQUIRED.contains(&key))
}

/// Everything a route can ask for that can't be meant, each refused whole with its line and reason.
#[test]
fn routes_that_can_t_be_meant() {
    let second = "[[carrier]]\nname = \"grey\"\nhost = \"h\"\npassword = \"\"\ndirect = false\n";
    for (route, expected) in [
        (
            "prefix = \"49\"\ncarriers = [\"nobody\"]",
            "65:13: carriers = \"nobody\": unknown carrier, the file has: operator-one, grey",
        ),
        (
            "prefix = \"49\"\ncarriers = [\"grey\"]",
            "63:1: direct_only: no carrier of this route is direct, so it would never be used: write direct_only = false or name a direct carrier",
        ),
        (
            "prefix = \"48\"\nlane = \"priority\"\ncarriers = [\"operator-one\"]",
            "64:10: prefix = \"48\": the route in line 21 leads to the same numbers over the same carriers, this one would never be used: remove one",
        ),
        (
            "prefix = \"49\"\naccounts = [\"acme\", \"nobody\"]\ncarriers = [\"operator-one\"]",
            "65:21: accounts = \"nobody\": unknown account, the file has: acme",
        ),
        (
            "prefix = \"49\"\nsenders = [\"ACME\", \"ACME\"]\ncarriers = [\"operator-one\"]",
            "65:20: senders = \"ACME\": named twice in this route: once is enough",
        ),
        (
            "prefix = \"49\"\nlane = \"fast\"\ncarriers = [\"operator-one\"]",
            "65:8: lane = \"fast\": expected one of \"any\", \"priority\", \"standard\"",
        ),
        (
            "prefix = \"49\"\nweights = [1]\ncarriers = [\"operator-one\"]",
            "63:1: weights: weights are for choose = \"weight\": remove them or choose by weight",
        ),
        (
            "prefix = \"49\"\nchoose = \"weight\"\ncarriers = [\"operator-one\"]",
            "63:1: weights: choose = \"weight\" needs a weight for each carrier, one of them above 0",
        ),
        (
            "prefix = \"49\"\nchoose = \"weight\"\nweights = [1, 2]\ncarriers = [\"operator-one\"]",
            "63:1: weights: expected one weight for each of the 1 carriers, found 2",
        ),
        (
            "prefix = \"49\"\nchoose = \"weight\"\nweights = \"1\"\ncarriers = [\"operator-one\"]",
            "66:11: weights = …: wrong type, found a string, expected a list of at most 32 whole numbers from 0 to 1000",
        ),
        (
            "prefix = \"49\"\nchoose = \"least-price\"\ncosts = [\"0,03\"]\ncarriers = [\"operator-one\"]",
            "66:10: costs = \"0,03\": expected amounts from zero up with at most four decimal places, such as \"0.0300\"",
        ),
    ] {
        let found = problems(&format!("{EXAMPLE}\n{second}[[route]]\n{route}\n"));
        assert!(found.iter().any(|problem| problem == expected), "{route}: {found:#?}");
    }
    assert_each(&[
        ("window = 100", "window = 0", "14:10: window = 0: expected a whole number from 1 to 10000"),
        (
            "direct = true",
            "sender_kinds = [\"letters\"]",
            "16:17: sender_kinds = \"letters\": unknown kind of sender, expected some of \"alphanumeric\", \"short\", \"long\"",
        ),
        (
            "direct = true",
            "alphanumeric_ton_npi = \"9/0\"",
            "16:24: alphanumeric_ton_npi = \"9/0\": expected type of number (0 to 6) and numbering plan (0 to 18), such as \"5/0\"",
        ),
    ]);
}
