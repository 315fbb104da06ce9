//! `kill -9` between "kept" and "answered": no acknowledged message is lost, no answer is lost, and answers beyond one
//! are bounded.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::Result;
use harness::operator::DELIVER_WINDOW;
use harness::stage::{Between, Stage};
use harness::wait;
use rand::RngExt;

/// What is left to be done after the last start, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);
/// People who write in each round.
const PEOPLE: usize = 60;
const TABLES: &str = r#"
[[account.number]]
number = "2424"
kind = "short"
carrier = "operator-one"
bot = "shop"

[[account.bot]]
name = "shop"

[[account.bot.rule]]
words = ["HOURS"]
answer = "We are open 9 to 17."
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_survives_kill9() -> Result<()> {
    killed("an_answer_survives_kill9", 3).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nightly_an_answer_survives_kill9_20_times() -> Result<()> {
    killed("nightly_an_answer_survives_kill9_20_times", 20).await
}

async fn killed(story: &str, rounds: usize) -> Result<()> {
    let mut stage = Stage::set(story, Between { tables: TABLES, ..Between::default() }).await?;
    let mut moments = stage.seed.numbers(1);
    for round in 0..rounds {
        // Half of them first, so that some are answered, some kept and some on their way when the end comes.
        let (answered, acknowledged) = (answers(&stage).len(), acknowledged_count(&stage));
        for person in 0..PEOPLE {
            stage.operator.write(&person_of(round, person), "2424", "Hours?");
        }
        let target = moments.random_range(1..=PEOPLE / 2);
        let by_answers = moments.random_bool(0.5);
        wait::until("the moment to die", PATIENCE, || {
            if by_answers {
                answers(&stage).len() >= answered + target
            } else {
                acknowledged_count(&stage) >= acknowledged + target
            }
        })
        .await?;
        stage.kill().await?;
        stage.start(&[]).await?;
    }
    let total = rounds * PEOPLE;
    wait::until("every message is acknowledged and answered", PATIENCE, || {
        acknowledged_count(&stage) == total && answers(&stage).len() == total
    })
    .await?;
    stage.quiet().await?;
    let answers = answers(&stage);
    assert_eq!(answers.len(), total, "nobody is answered who did not write");
    // A message of one part has nothing to be recognised by: sent again, it is another one. An answer in a window
    // whose submit_sm_resp was lost goes out again.
    let again: usize = answers.values().map(|count| count - 1).sum();
    let binds = stage.carrier.binds;
    let bound = rounds * (stage.carrier.in_flight_max() + binds * DELIVER_WINDOW);
    println!("{total} wrote, {again} answers twice, bound {bound}");
    assert!(again <= bound, "{again} answers came twice, at most {bound} may");
    for written in stage.operator.books().all_written() {
        assert!(written.sent <= rounds + 1, "sent again only after a crash: {written:?}");
    }
    stage.stop().await
}

fn person_of(round: usize, person: usize) -> String {
    // None ends in 8: those numbers are unreachable, which is another story.
    format!("4860{:06}1", round * PEOPLE + person)
}

/// How many answers each person got.
fn answers(stage: &Stage) -> HashMap<String, usize> {
    let mut answers = HashMap::new();
    for submitted in stage.operator.books().copy().0 {
        *answers.entry(submitted.destination).or_default() += 1;
    }
    answers
}

fn acknowledged_count(stage: &Stage) -> usize {
    stage.operator.books().all_written().iter().filter(|written| written.acknowledged).count()
}
