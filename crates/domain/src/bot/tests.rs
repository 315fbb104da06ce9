//! What bots are refused for, and how they talk.

use super::*;
use crate::person::Position;

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(ToString::to_string).collect()
}

fn exact(of: &[&str], next: &str) -> Expect {
    Expect { words: words(of), next: next.into(), ..Expect::default() }
}

fn step(name: &str, say: &str, expect: Vec<Expect>) -> Step {
    Step { name: name.into(), say: say.into(), expect, ..Step::default() }
}

/// A bot with a table reservation.
fn bistro() -> Bot {
    let ask = step(
        "guests",
        "For how many?",
        vec![
            Expect { kind: MatchKind::Pattern, pattern: "^[1-8]$".into(), next: "day".into(), ..Expect::default() },
            Expect { kind: MatchKind::Prefix, words: words(&["więcej"]), next: "person".into(), ..Expect::default() },
        ],
    );
    let ask = Step { otherwise: "1 to 8, please.".into(), tries: 2, give_up: "person".into(), ..ask };
    let day = Step {
        timeout: "gone".into(),
        ..step("day", "Which day?", vec![Expect { kind: MatchKind::Any, next: "done".into(), ..Expect::default() }])
    };
    let person = Step { hand_over: true, ..step("person", "Somebody will write to you.", vec![]) };
    let done = step("done", "{guests} on {day}. See you!", vec![]);
    let gone = step("gone", "Write TABLE to begin again.", vec![]);
    Bot {
        name: "bistro".into(),
        rules: vec![
            Rule { words: words(&["HOURS", "godziny otwarcia"]), answer: "9 to 17".into(), ..Rule::default() },
            Rule { words: words(&["TABLE"]), flow: "table".into(), ..Rule::default() },
            Rule {
                kind: MatchKind::Pattern,
                pattern: r"^zamówienie (\d+)$".into(),
                answer: "Order {1} is on its way.".into(),
                ..Rule::default()
            },
            Rule {
                kind: MatchKind::Prefix,
                words: words(&["menu"]),
                answer: "Menu of {1}: …".into(),
                ..Rule::default()
            },
        ],
        flows: vec![Flow { name: "table".into(), steps: vec![ask, day, person, done, gone] }],
        otherwise: "Write HOURS or TABLE.".into(),
        ..Bot::default()
    }
}

/// Talks to a bot and returns what it answers, keeping the position.
fn talk(script: &Script, position: &mut Option<Position>, text: &str) -> Vec<String> {
    let reaction = script.react(position.as_ref(), &Said::new(text, "48600100200", "2424"));
    *position = match reaction.next {
        Next::Await { position, .. } => Some(position),
        Next::Idle | Next::HandOver { .. } => None,
    };
    reaction.replies
}

#[test]
fn rules_are_found_without_case_and_accents() {
    let script = Script::of(&bistro()).unwrap();
    let mut nowhere = None;
    assert_eq!(talk(&script, &mut nowhere, "hours!"), ["9 to 17"]);
    assert_eq!(talk(&script, &mut nowhere, "Godziny  OTWARCIA?"), ["9 to 17"]);
    assert_eq!(talk(&script, &mut nowhere, "ZAMOWIENIE 17"), ["Order 17 is on its way."]);
    assert_eq!(talk(&script, &mut nowhere, "Menu today"), ["Menu of today: …"]);
    assert_eq!(talk(&script, &mut nowhere, "what?"), ["Write HOURS or TABLE."]);
}

#[test]
fn a_flow_asks_remembers_and_ends() {
    let script = Script::of(&bistro()).unwrap();
    let mut position = None;
    assert_eq!(talk(&script, &mut position, "table"), ["For how many?"]);
    assert_eq!(talk(&script, &mut position, "HOURS"), ["1 to 8, please."], "within a flow its answers count");
    assert_eq!(talk(&script, &mut position, "4"), ["Which day?"]);
    assert_eq!(talk(&script, &mut position, "Friday 19:00"), ["4 on Friday 19:00. See you!"]);
    assert_eq!(position, None);
}

#[test]
fn too_many_misses_hand_over_and_silence_times_out() {
    let script = Script::of(&bistro()).unwrap();
    let mut position = None;
    talk(&script, &mut position, "table");
    talk(&script, &mut position, "a lot");
    let said = Said::new("really a lot", "48600100200", "2424");
    let reaction = script.react(position.as_ref(), &said);
    assert_eq!(reaction.replies, ["Somebody will write to you."]);
    assert_eq!(reaction.next, Next::HandOver { minutes: 1_440 });

    talk(&script, &mut position, "2");
    let late = script.time_out(position.as_ref().unwrap(), "48600100200", "2424");
    assert_eq!((late.replies, late.next), (words(&["Write TABLE to begin again."]), Next::Idle));
}

#[test]
fn a_position_that_is_no_longer_there_ends_the_talk() {
    let script = Script::of(&bistro()).unwrap();
    let mut lost = Some(Position { flow: "table".into(), step: "removed".into(), ..Position::default() });
    assert_eq!(talk(&script, &mut lost, "hours"), ["9 to 17"]);
}

fn flaws(change: impl FnOnce(&mut Bot)) -> String {
    let mut bot = bistro();
    change(&mut bot);
    let flaws = Script::of(&bot).expect_err("a flaw");
    flaws.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_is_wrong_is_told_with_its_path() {
    let cases: [(&str, String); 9] = [
        (
            "flow table, step guests: an answer leads to step \"dya\", which does not exist",
            flaws(|bot| bot.flows[0].steps[0].expect[0].next = "dya".into()),
        ),
        (
            "rule 2 (TABLE): begins flow \"tabel\", which does not exist",
            flaws(|bot| bot.rules[1].flow = "tabel".into()),
        ),
        ("word \"hours\" is taken by rule 1 (HOURS)", flaws(|bot| bot.rules[1].words.push("Hours".into()))),
        ("is a reserved word", flaws(|bot| bot.rules[1].words.push("Stop".into()))),
        (
            "flow table: done → again → done goes round without an end",
            flaws(|bot| {
                bot.flows[0].steps[3].next = "again".into();
                bot.flows[0].steps.push(Step { next: "done".into(), ..step("again", "", vec![]) });
            }),
        ),
        ("pattern \"(\" can't be read", flaws(|bot| bot.rules[2].pattern = "(".into())),
        ("{2} can't be filled in", flaws(|bot| bot.rules[2].answer = "{2}".into())),
        ("needs a name of its own", flaws(|bot| bot.flows[0].steps[1].name = "guests".into())),
        ("does nothing", flaws(|bot| bot.rules[0].answer.clear())),
    ];
    for (expected, found) in cases {
        assert!(found.contains(expected), "expected {expected}\nfound {found}");
    }
}

#[test]
fn a_circle_with_a_way_out_is_fine_and_one_with_answers_but_no_end_is_not() {
    let flow = |again_leads: &str| Bot {
        rules: vec![Rule { words: words(&["quiz"]), flow: "quiz".into(), ..Rule::default() }],
        flows: vec![Flow {
            name: "quiz".into(),
            steps: vec![
                step("one", "1?", vec![exact(&["a"], "two"), exact(&["b"], "two")]),
                step("two", "2?", vec![exact(&["again"], "one"), exact(&["leave"], again_leads)]),
            ],
        }],
        ..Bot::default()
    };
    assert!(Script::of(&flow("")).is_ok());
    let stuck = Script::of(&flow("one")).expect_err("no end");
    assert_eq!(stuck[0].to_string(), "flow quiz: one → two → one goes round without an end");
}

proptest::proptest! {
    #[test]
    fn no_text_breaks_a_bot(texts in proptest::collection::vec("\\PC{0,60}", 1..12)) {
        let script = Script::of(&bistro()).unwrap();
        let mut position = None;
        for text in texts {
            talk(&script, &mut position, &text);
        }
    }
}
