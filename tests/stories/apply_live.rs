//! A running server takes over what `posthorn apply` changed, within a second and without a restart.

use std::time::Duration;

use anyhow::Result;
use harness::setup::Account;
use harness::stage::{Between, Stage};
use harness::wait;
use serde_json::json;

const TAKEN_OVER_WITHIN: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn apply_live() -> Result<()> {
    let mut stage = Stage::set("apply_live", Between::default()).await?;
    let newcomer = Account::new("initech", "INITECH").told_at(stage.sink.address().port());
    let mut client = stage.connect().await?;
    let body = json!({"sender": "INITECH", "message": "hi", "phoneNumbers": ["48500000004"]}).to_string();
    let before = client.call("POST", "/v2.1/sms/preview", &newcomer.headers(), body.as_bytes()).await?;
    assert_eq!(before.status, 401, "nobody knows this key yet");

    stage.accounts.push(newcomer.clone());
    stage.site.apply(&stage.carrier, &stage.accounts).await?;
    let taken_over = wait::until_asked("the new key is known", TAKEN_OVER_WITHIN, async || {
        let answer = client.call("POST", "/v2.1/sms/preview", &newcomer.headers(), body.as_bytes()).await;
        answer.is_ok_and(|answer| answer.status == 200)
    });
    println!("taken over after {:?}", taken_over.await?);
    let answer = stage.ask(&mut client, 2, "initech-1", "48500000008").await?;
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));

    let again = stage.site.apply(&stage.carrier, &stage.accounts).await?;
    assert!(!again.contains("\n+ ") && !again.contains("\n~ "), "applying twice changes something:\n{again}");
    drop(client);
    stage.judged().await?;
    Ok(())
}
