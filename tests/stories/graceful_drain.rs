//! SIGTERM under load: exit code 0, nothing lost, and not one message submitted twice.

use std::time::Duration;

use anyhow::Result;
use harness::load::LoadOptions;
use harness::seed::nightly;
use harness::stage::{Between, Stage};
use rand::RngExt;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn graceful_drain() -> Result<()> {
    let mut stage = Stage::set("graceful_drain", Between::default()).await?;
    // Slow answers keep the windows full, so that every stop meets messages in flight.
    stage.operator.behave(|behaviour| behaviour.round_trip = Duration::from_millis(100));
    let mut moments = stage.seed.numbers(1);
    let load = stage.load(&LoadOptions::default());
    for _ in 0..if nightly() { 100 } else { 8 } {
        // The moment of the stop is meant to be a matter of time.
        tokio::time::sleep(Duration::from_millis(moments.random_range(200..800))).await;
        stage.stop().await?;
        stage.start(&[]).await?;
    }
    load.stop().await?;
    let evidence = stage.judged().await?;
    assert!(evidence.submitted.len() > 500, "that was no load: {}", evidence.submitted.len());
    Ok(())
}
