//! Numbers shared by keywords, bots and reserved words.

use domain::control::Control;
use domain::id::CarrierId;

use super::{Place, apply, lines};
use crate::control::Setup;

const CARRIER: &str = "[[carrier]]\nname = \"one\"\nhost = \"127.0.0.1\"\npassword = \"secret\"\n";

fn account(name: &str, rest: &str) -> String {
    format!("[[account]]\nname = \"{name}\"\n{rest}\n")
}

fn number(keys: &str) -> String {
    format!("[[account.number]]\nnumber = \"2424\"\nkind = \"short\"\ncarrier = \"one\"\n{keys}\n")
}

fn problems(accounts: &[String]) -> String {
    let text = format!("{CARRIER}{}", accounts.concat());
    Setup::parse("setup.toml", &text).expect_err("a problem").to_string()
}

fn applied(accounts: &[String]) -> std::sync::Arc<Control> {
    let (place, text) = (Place::new(), format!("{CARRIER}{}", accounts.concat()));
    let database = place.open();
    apply(&database, &text);
    assert_eq!(lines(&apply(&database, &text)), Vec::<String>::new(), "applying twice changes nothing");
    database.snapshot()
}

#[test]
fn a_number_is_shared_by_keywords_and_the_longest_wins() {
    let control = applied(&[
        account("acme", &number("keywords = [\"ACME\", \"Żółw\"]")),
        account("globex", &number("keywords = [\"ACMEPLUS\"]")),
        account("rest", &number("")),
    ]);
    let carrier = control.carriers().next().unwrap().id;
    let owner = |text: &str| {
        let owner = control.owner_of_text(carrier, "2424", text).unwrap();
        (owner.account.name.clone(), owner.keyword.to_owned())
    };
    assert_eq!(owner("acme hours"), ("acme".into(), "ACME".into()));
    assert_eq!(owner("AcmePlus!"), ("globex".into(), "ACMEPLUS".into()));
    assert_eq!(owner("«zolw»"), ("acme".into(), "Żółw".into()));
    assert_eq!(owner("something acme"), ("rest".into(), String::new()));
    assert_eq!(owner(""), ("rest".into(), String::new()));
    assert!(control.owner_of_text(CarrierId(99), "2424", "acme").is_none(), "another connection");
    assert!(control.owner_of_text(carrier, "7070", "acme").is_none());
    assert_eq!(control.owners_of_number(carrier, "2424").len(), 4);
}

#[test]
fn what_is_taken_twice_is_refused_with_its_line() {
    let twice = problems(&[
        account("acme", &number("keywords = [\"ACME\"]")),
        account("globex", &number("keywords = [\"other\", \"Acme.\"]")),
    ]);
    assert!(twice.contains("setup.toml:19:22: keywords = \"Acme.\": taken in line 11 on the same number"), "{twice}");
    let both = problems(&[account("acme", &number("")), account("globex", &number(""))]);
    assert!(both.contains("the entry in line 8 has the same number without keywords"), "{both}");
    let reserved = problems(&[account("acme", &number("keywords = [\"Stop\"]"))]);
    assert!(reserved.contains("this word is reserved"), "{reserved}");
    let two_words = problems(&[account("acme", &number("keywords = [\"two words\"]"))]);
    assert!(two_words.contains("expected one word"), "{two_words}");
}

#[test]
fn a_flawed_bot_is_refused_with_the_path() {
    let unknown = problems(&[account("acme", &number("bot = \"shop\""))]);
    assert!(unknown.contains("the account has no such bot, it has none"), "{unknown}");
    let round = "[[account.bot]]\nname = \"shop\"\n[[account.bot.rule]]\nwords = [\"a\"]\nflow = \"f\"\n\
        [[account.bot.flow]]\nname = \"f\"\n[[account.bot.flow.step]]\nname = \"one\"\nnext = \"two\"\n\
        [[account.bot.flow.step]]\nname = \"two\"\nnext = \"one\"\n";
    let found = problems(&[account("acme", round)]);
    assert!(
        found.contains("setup.toml:8:8: bot = \"shop\": flow f: one → two → one goes round without an end"),
        "{found}"
    );
    let key = problems(&[account("acme", "[[account.bot]]\nname = \"shop\"\n[[account.bot.rule]]\nword = \"a\"\n")]);
    assert!(key.contains("word = …: unknown key"), "{key}");
}

#[test]
fn reserved_words_are_read_and_checked() {
    let words = "[account.reserved_words]\nlanguages = [\"pl\"]\nstop_words = [\"dosc\"]\nstop_answer = \"\"\n\
        stop_scope = \"account\"\n";
    let control = applied(&[account("acme", words)]);
    let account_with = control.accounts().next().unwrap();
    let settings = &account_with.settings.reserved_words;
    assert_eq!(settings.extra("dosc"), Some(domain::reserved::Wish::Stop));
    assert_eq!((settings.stop_answer.as_deref(), &settings.help_answer), (Some(""), &None));
    let wrong = problems(&[account("acme", "[account.reserved_words]\nlanguages = [\"xx\"]\nstop_words = [\"!\"]\n")]);
    assert!(
        wrong.contains("unknown language, expected some of en, pl") && wrong.contains("a letter or digit"),
        "{wrong}"
    );
}
