//! A person talks with a bot and with the customer's own code, says STOP, HELP and START, and writes where nobody is
//! at home.

use std::time::Duration;

use anyhow::{Context, Result};
use harness::http::Connection;
use harness::moment::since_epoch;
use harness::stage::{Between, Stage};
use harness::wait;
use serde_json::{Value, json};

const PERSON: &str = "48600100200";
/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
const TABLES: &str = r#"
[account.reserved_words]
stop_scope = "account"

[[account.number]]
number = "2424"
kind = "short"
carrier = "operator-one"
bot = "shop"

[[account.number]]
number = "48500100200"
carrier = "operator-one"

[[account.bot]]
name = "shop"

[[account.bot.rule]]
words = ["HOURS"]
answer = "We are open 9 to 17."

[[account.bot.rule]]
words = ["TABLE"]
flow = "table"

[[account.bot.flow]]
name = "table"

[[account.bot.flow.step]]
name = "guests"
say = "For how many?"

[[account.bot.flow.step.expect]]
pattern = "^[1-8]$"
next = "done"

[[account.bot.flow.step]]
name = "done"
say = "A table for {guests}."
"#;

async fn set(story: &str) -> Result<Stage> {
    Stage::set(story, Between { tables: TABLES, ..Between::default() }).await
}

/// What the person got from a number, in order.
fn got(stage: &Stage, number: &str) -> Vec<String> {
    let (submitted, _) = stage.operator.books().copy();
    let of_number = submitted.into_iter().filter(|one| one.destination == PERSON && one.source == number);
    of_number.map(|one| one.text).collect()
}

async fn answered(stage: &Stage, number: &str, expected: &[&str]) -> Result<()> {
    let enough = || got(stage, number).len() >= expected.len();
    wait::until(&format!("{number} answers {expected:?}"), PATIENCE, enough).await?;
    assert_eq!(got(stage, number), expected);
    Ok(())
}

async fn send(stage: &Stage, sender: &str, id: &str, schedule_time: i64) -> Result<Value> {
    let account = &stage.accounts[0];
    let body = json!({"sender": sender, "message": "News", "phoneNumbers": [PERSON], "externalId": id,
                      "scheduleTime": schedule_time});
    let mut client = stage.connect().await?;
    client.call("POST", "/v2.1/sms", &account.headers(), body.to_string().as_bytes()).await?.json()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bot_and_a_webhook_hold_conversations() -> Result<()> {
    let mut stage = set("two_way").await?;
    stage.operator.write(PERSON, "2424", "hours?");
    answered(&stage, "2424", &["We are open 9 to 17."]).await?;
    stage.operator.write(PERSON, "2424", "Table");
    answered(&stage, "2424", &["We are open 9 to 17.", "For how many?"]).await?;
    // Where a talk stands is kept with its question, which may be a moment after that is on the air.
    stage.stop().await?;
    stage.start(&[]).await?;
    stage.operator.write(PERSON, "2424", "4");
    answered(&stage, "2424", &["We are open 9 to 17.", "For how many?", "A table for 4."]).await?;

    stage.sink.say(r#"{"reply": "Thank you"}"#);
    stage.operator.write(PERSON, "48500100200", "Zażółć gęślą jaźń");
    answered(&stage, "48500100200", &["Thank you"]).await?;
    stage.sink.say(r#"{"replies": ["First", "Second"]}"#);
    stage.operator.write(PERSON, "48500100200", "More");
    wait::until("both replies", PATIENCE, || got(&stage, "48500100200").len() >= 3).await?;
    let mut replies = got(&stage, "48500100200");
    replies.sort_unstable();
    assert_eq!(replies, ["First", "Second", "Thank you"]);
    let told: Vec<String> =
        stage.sink.told().into_iter().filter(|told| told.account == "acme-incoming").map(|told| told.message).collect();
    assert!(told.contains(&"Zażółć gęślą jaźń".to_owned()) && told.contains(&"Table".to_owned()), "{told:?}");

    stage.operator.write(PERSON, "7070", "Anybody there?");
    wait::until("what nobody owns is acknowledged", PATIENCE, || {
        stage.operator.books().all_written().iter().all(|written| written.acknowledged)
    })
    .await?;
    let metrics = metrics(&stage).await?;
    let of_two_way: Vec<&str> = metrics.lines().filter(|line| line.starts_with("posthorn_two_way_")).collect();
    assert!(of_two_way.contains(&"posthorn_two_way_unowned_total{} 1.0"), "{of_two_way:#?}");
    stage.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stop_help_and_start() -> Result<()> {
    let mut stage = set("stop_help_and_start").await?;
    stage.operator.write(PERSON, "48500100200", "Pomoc");
    wait::until("HELP is answered", PATIENCE, || !got(&stage, "48500100200").is_empty()).await?;
    stage.operator.write(PERSON, "48500100200", "Help");
    wait::until("HELP is answered again", PATIENCE, || got(&stage, "48500100200").len() == 2).await?;
    let help = got(&stage, "48500100200");
    assert_ne!(help[0], help[1], "each in the language of the word");

    // Accepted before the STOP, due after it.
    let later = since_epoch().as_secs() + 15;
    assert_eq!(send(&stage, "ACME", "before", i64::try_from(later)?).await?["meta"]["status"], 200);
    stage.operator.write(PERSON, "48500100200", "STOP");
    wait::until("STOP is confirmed", PATIENCE, || got(&stage, "48500100200").len() == 3).await?;
    let refused = send(&stage, "ACME", "after", 0).await?;
    assert_eq!(refused["errors"][0]["code"], "E-4-026", "{refused}");
    let mut client = stage.connect().await?;
    let ended = wait::until_asked("what waited ends as opted out", PATIENCE, async || {
        matches!(status(&mut client, &stage, "before").await, Ok(9))
    });
    ended.await?;
    assert!(got(&stage, "ACME").is_empty(), "nothing leaves after the STOP");

    stage.operator.write(PERSON, "48500100200", "START");
    wait::until("START is confirmed", PATIENCE, || got(&stage, "48500100200").len() == 4).await?;
    assert_eq!(send(&stage, "ACME", "again", 0).await?["meta"]["status"], 200);
    wait::until("messages arrive again", PATIENCE, || got(&stage, "ACME") == ["News"]).await?;
    stage.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn e5_mo_reassembly_over_kill9() -> Result<()> {
    let mut stage = set("e5_mo_reassembly_over_kill9").await?;
    let parts = [("one, ", 1), ("two, ", 2), ("three.", 3)];
    // The last part first, the server killed after each, and one that comes twice.
    for place in [2, 0, 0, 1] {
        let (text, number) = parts[place];
        stage.operator.write_part(PERSON, "48500100200", text, 7, (number, 3));
        let taken = || stage.operator.books().all_written().iter().all(|written| written.acknowledged);
        wait::until("the part is acknowledged", PATIENCE, taken).await?;
        stage.kill().await?;
        stage.start(&[]).await?;
    }
    let told = || stage.sink.told().into_iter().filter(|told| told.account == "acme-incoming").collect::<Vec<_>>();
    wait::until("the message is told", PATIENCE, || !told().is_empty()).await?;
    let events: std::collections::HashSet<String> = told().into_iter().map(|told| told.event_id).collect();
    assert_eq!(events.len(), 1, "one event for one message: {:?}", told());
    assert_eq!((told()[0].message.as_str(), told()[0].complete), ("one, two, three.", true));
    stage.stop().await
}

async fn status(client: &mut Connection, stage: &Stage, id: &str) -> Result<u64> {
    let path = format!("/v2.1/sms?externalId={id}");
    let listed = client.call("GET", &path, &stage.accounts[0].headers(), b"").await?.json()?;
    listed["data"][0]["status"].as_u64().context("a status")
}

async fn metrics(stage: &Stage) -> Result<String> {
    let operations = stage.server.as_ref().and_then(harness::server::Server::operations).context("no metrics")?;
    let answer = Connection::open(operations).await?.call("GET", "/metrics", &[], b"").await?;
    Ok(String::from_utf8_lossy(&answer.body).into_owned())
}
