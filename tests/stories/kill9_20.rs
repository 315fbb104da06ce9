//! `kill -9` again and again under load: nothing answered 200 is lost, and it is back within two seconds.

use std::time::Duration;

use anyhow::Result;
use harness::load::LoadOptions;
use harness::seed::nightly;
use harness::stage::{Between, Stage};
use rand::RngExt;

const READY_WITHIN: Duration = Duration::from_secs(2);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill9_20() -> Result<()> {
    let mut stage = Stage::set("kill9_20", Between::default()).await?;
    let mut moments = stage.seed.numbers(1);
    let load = stage.load(&LoadOptions::default());
    for round in 1..=if nightly() { 200 } else { 20 } {
        // The moment of death is the one thing here that is meant to be a matter of time.
        tokio::time::sleep(Duration::from_millis(moments.random_range(200..1_200))).await;
        stage.kill().await?;
        let ready_after = stage.start(&[]).await?;
        assert!(ready_after <= READY_WITHIN, "round {round}: ready after {ready_after:?}");
    }
    load.stop().await?;
    let evidence = stage.judged().await?;
    assert!(evidence.asked.len() > 1_000, "that was no load: {}", evidence.asked.len());
    Ok(())
}
