//! Reports that could not be told survive stops and crashes, and keep their ids.

use std::time::Duration;

use anyhow::Result;
use harness::load::LoadOptions;
use harness::stage::{Between, Stage};
use harness::wait;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn restart_webhooks() -> Result<()> {
    let mut stage = Stage::set("restart_webhooks", Between::default()).await?;
    stage.sink.answer_with(Some(500));
    let load = stage.load(&LoadOptions { connections: 2, ..LoadOptions::default() });
    wait::until("50 messages kept", Duration::from_secs(20), || stage.ledger.kept_count() >= 50).await?;
    load.stop().await?;
    wait::until("some were tried in vain", Duration::from_secs(20), || stage.sink.told().len() >= 10).await?;
    stage.stop().await?;
    let before = stage.sink.told().len();
    stage.start(&[]).await?;
    wait::until("they are tried again", Duration::from_secs(20), || stage.sink.told().len() > before).await?;
    stage.kill().await?;
    stage.sink.answer_with(None);
    stage.start(&[]).await?;
    let evidence = stage.judged().await?;

    // A call in the air when the server is killed leaves no trace there: its events come again in another call.
    // One whose failure was seen is frozen, through stops and crashes.
    let mut told_twice = 0;
    for first in &evidence.told[..before] {
        let again = evidence.told.iter().filter(|told| told.phone == first.phone && told.status == first.status);
        for told in again.filter(|told| told.answered == 200) {
            assert_eq!(
                (&told.event_id, &told.request_id),
                (&first.event_id, &first.request_id),
                "a frozen call changed"
            );
            told_twice += 1;
        }
    }
    assert!(told_twice > 0, "no call was repeated");
    Ok(())
}
