//! A client sends, the operator gets it, the receipt comes back, the webhook tells, the list shows.

use std::time::Duration;

use anyhow::{Context, Result};
use harness::load::LoadOptions;
use harness::stage::{Between, Stage};
use harness::wait;
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn send_and_read() -> Result<()> {
    let mut stage = Stage::set("send_and_read", Between::default()).await?;
    let acme = stage.accounts[0].clone();
    let mut client = stage.connect().await?;
    let load = stage.load(&LoadOptions { connections: 2, ..LoadOptions::default() });
    wait::until("200 messages kept", Duration::from_secs(20), || stage.ledger.kept_count() >= 200).await?;
    load.stop().await?;

    let asked =
        stage.ledger.copy().into_iter().find(|asked| asked.account == "acme").context("acme asked for nothing")?;
    let path = format!("/v2.1/sms?externalId=C-{}&getFullDate=1", asked.external_id);
    let answer = client.call("GET", &path, &acme.headers(), b"").await?;
    assert_eq!((answer.status, answer.envelope_faults()), (200, vec![]), "{}", String::from_utf8_lossy(&answer.body));
    let item = answer.json()?["data"][0].clone();
    assert_eq!((&item["externalId"], &item["sender"]), (&json!(asked.external_id), &json!("ACME")));

    let nobody = client.call("GET", "/v2.1/sms?externalId=nobody", &acme.headers(), b"").await?;
    assert_eq!((nobody.status, nobody.envelope_faults()), (404, vec![]));
    let globex = stage.accounts[1].clone();
    let foreign = client.call("GET", &path, &globex.headers(), b"").await?;
    assert_eq!(foreign.status, 404, "a neighbour's message must not be found");
    drop(client);

    let evidence = stage.judged().await?;
    assert!(evidence.told.iter().any(|told| told.status == 21) && evidence.told.iter().any(|told| told.status == 22));
    assert!(evidence.submitted.iter().any(|submit| submit.part.1 > 1), "long messages were among them");
    Ok(())
}
