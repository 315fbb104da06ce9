//! Receipts through a crash and through a disk that takes nothing.

use std::time::{Duration, Instant};

use anyhow::Result;
use harness::load::LoadOptions;
use harness::small_disk::SmallDisk;
use harness::stage::{Between, Stage};
use harness::wait;
use rand::RngExt;

/// Half of the receipts come up to 300 ms before their answer, and the server is killed in between.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nightly_d4_dlr_before_resp_crash() -> Result<()> {
    let mut stage = Stage::set("d4_dlr_before_resp_crash", Between::default()).await?;
    stage.operator.behave(|behaviour| {
        behaviour.round_trip = Duration::from_millis(300);
        behaviour.early = true;
    });
    let mut moments = stage.seed.numbers(1);
    let load = stage.load(&LoadOptions { connections: 4, ..LoadOptions::default() });
    for _ in 0..10 {
        // The moment of death is meant to be a matter of time.
        tokio::time::sleep(Duration::from_millis(moments.random_range(400..1_200))).await;
        stage.kill().await?;
        stage.start(&[]).await?;
    }
    load.stop().await?;
    let evidence = stage.judged().await?;
    assert!(evidence.asked.len() > 500, "that was no load: {}", evidence.asked.len());
    Ok(())
}

/// How long the disk takes nothing.
const DOWN: Duration = Duration::from_secs(10);

/// No fact can be stored for ten seconds: receipts are answered "try again", and taken when there is room.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nightly_d8_dlr_store_down() -> Result<()> {
    let disk = SmallDisk::mount(96)?;
    let between =
        Between { data: Some(disk.path().join("data")), store_keys: "disk_reserve_mib = 1", ..Between::default() };
    let mut stage = Stage::set("d8_dlr_store_down", between).await?;
    stage.operator.behave(|behaviour| behaviour.receipts = false);
    let load = stage.load(&LoadOptions { connections: 4, ..LoadOptions::default() });
    wait::until("1000 messages kept", Duration::from_secs(60), || stage.ledger.kept_count() >= 1_000).await?;
    load.stop().await?;
    let kept = stage.ledger.kept_count();
    wait::until("receipts due", Duration::from_secs(60), || stage.operator.receipts_waiting() >= kept).await?;
    disk.fill()?;
    stage.operator.behave(|behaviour| behaviour.receipts = true);
    let down_since = Instant::now();
    while down_since.elapsed() < DOWN || stage.operator.books().refused_count() == 0 {
        // What the server gives up of its reserve is taken as well.
        disk.fill()?;
        assert!(down_since.elapsed() < 6 * DOWN, "receipts are still stored on a disk that is full");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    disk.free()?;
    let due = stage.operator.books().submitted_count();
    let all_stored = || stage.operator.books().acknowledged_count() >= due;
    wait::until("every receipt to be stored after all", Duration::from_secs(60), all_stored).await?;
    stage.judged().await?;
    Ok(())
}
