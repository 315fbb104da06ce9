//! `kill -9` during the delivery of webhooks: every move is told at least once and under one id, and what is told
//! twice is what was on its way.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::Result;
use harness::load::LoadOptions;
use harness::stage::{Between, Stage};
use rand::RngExt;

/// Calls that can be on their way at once: two tenants, each a twentieth of all slots at most.
const CALLS_AT_ONCE: usize = 2 * 25;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn h5_wh_crash() -> Result<()> {
    crash("h5_wh_crash", 5).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nightly_h5_wh_crash() -> Result<()> {
    crash("nightly_h5_wh_crash", 50).await
}

async fn crash(name: &str, kills: usize) -> Result<()> {
    let mut stage = Stage::set(name, Between::default()).await?;
    let mut moments = stage.seed.numbers(1);
    let load = stage.load(&LoadOptions::default());
    for _ in 0..kills {
        // The moment of death is the one thing here that is meant to be a matter of time.
        tokio::time::sleep(Duration::from_millis(moments.random_range(200..1_200))).await;
        stage.kill().await?;
        stage.start(&[]).await?;
    }
    load.stop().await?;
    let evidence = stage.judged().await?;
    assert!(evidence.told.len() > 100, "that was no load: {}", evidence.told.len());

    let mut ids_of_move: BTreeMap<(&str, u64), BTreeSet<&str>> = BTreeMap::new();
    let mut calls_of_event: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for told in &evidence.told {
        ids_of_move.entry((&told.external_id, told.status)).or_default().insert(&told.event_id);
        if told.answered == 200 {
            calls_of_event.entry(&told.event_id).or_default().push(&told.request_id);
        }
    }
    for (of, ids) in &ids_of_move {
        assert_eq!(ids.len(), 1, "the same move under several ids: {of:?} {ids:?}");
    }
    let again: BTreeSet<&str> = calls_of_event.values().filter(|calls| calls.len() > 1).map(|calls| calls[0]).collect();
    assert!(again.len() <= kills * CALLS_AT_ONCE, "{} calls were made again in {kills} crashes", again.len());

    // One name, one array: whatever came under a name came under it every time.
    let mut times: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
    for told in &evidence.told {
        *times.entry(&told.request_id).or_default().entry(&told.event_id).or_default() += 1;
    }
    for (name, events) in times {
        let counts: BTreeSet<usize> = events.values().copied().collect();
        assert_eq!(counts.len(), 1, "call {name} carried different events at different times: {events:?}");
    }
    Ok(())
}
