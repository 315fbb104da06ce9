//! The same request many times at once, and again after a crash: one message, whatever happens.

use std::time::Duration;

use anyhow::{Context, Result};
use harness::http::{Answer, Connection};
use harness::ledger::{Asked, Outcome};
use harness::setup::Account;
use harness::stage::{Between, Stage};
use harness::wait;
use serde_json::json;

const AT_ONCE: usize = 64;

fn body(account: &Account, id: &str, phone: &str, text: &str) -> Vec<u8> {
    let body = json!({"sender": account.sender, "message": text, "phoneNumbers": [phone], "externalId": id});
    body.to_string().into_bytes()
}

async fn race(stage: &Stage, body: &[u8]) -> Result<Vec<Result<Answer>>> {
    let mut racing = Vec::new();
    for _ in 0..AT_ONCE {
        let mut connection = Connection::open(stage.address()).await?;
        let (account, body) = (stage.accounts[0].clone(), body.to_vec());
        racing.push(tokio::spawn(async move { connection.call("POST", "/v2.1/sms", &account.headers(), &body).await }));
    }
    let mut answers = Vec::new();
    for one in racing {
        answers.push(one.await?);
    }
    Ok(answers)
}

fn enter(stage: &Stage, id: &str, phone: &str, text: &str) {
    let end = stage.ledger.enter(vec![Asked {
        account: "acme".into(),
        external_id: id.into(),
        phone: phone.into(),
        text: text.into(),
        outcome: Outcome::Unanswered,
        answered_id: None,
    }]);
    stage.ledger.answered(end, 1, Outcome::Kept, &[id.to_owned()]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idempotent_race() -> Result<()> {
    let mut stage = Stage::set("idempotent_race", Between::default()).await?;
    let acme = stage.accounts[0].clone();
    let first = body(&acme, "acme-race", "48500000004", "once");
    let answers = race(&stage, &first).await?;
    let mut kept = 0;
    for answer in answers {
        let answer = answer?;
        let json = answer.json()?;
        match answer.status {
            200 => {
                kept += 1;
                assert_eq!(json["data"][0]["externalId"], "acme-race");
            }
            409 => assert_eq!(json["errors"][0]["code"], "E-6-003", "{json}"),
            other => panic!("{other} {json}"),
        }
    }
    assert!(kept >= 1);
    enter(&stage, "acme-race", "48500000004", "once");

    let mut client = stage.connect().await?;
    let other = body(&acme, "acme-race", "48500000004", "another text");
    let conflict = client.call("POST", "/v2.1/sms", &acme.headers(), &other).await?;
    assert_eq!((conflict.status, &conflict.json()?["errors"][0]["code"]), (409, &json!("E-6-001")));
    drop(client);

    // The server dies while the same request is in the air; the client repeats it afterwards.
    for round in 0..5 {
        let (id, phone) = (format!("acme-crash-{round}"), format!("48500001{round:03}"));
        let request = body(&acme, &id, &phone, "once more");
        let mut connection = Connection::open(stage.address()).await?;
        let (account, sent) = (acme.clone(), request.clone());
        let in_the_air =
            tokio::spawn(async move { connection.call("POST", "/v2.1/sms", &account.headers(), &sent).await });
        tokio::task::yield_now().await;
        stage.kill().await?;
        drop(in_the_air.await?);
        stage.start(&[]).await?;
        let mut answered = race(&stage, &request).await?.into_iter().flatten().filter(|answer| answer.status == 200);
        answered.next().context("no repeat was answered 200")?;
        enter(&stage, &id, &phone, "once more");
    }
    let submitted = || stage.operator.books().submitted_count() >= 6;
    wait::until("all are submitted", Duration::from_secs(10), submitted).await?;
    stage.judged().await?;
    Ok(())
}
