//! The checker against a platform that breaks one promise at a time: each lie is found, under its name.

use std::time::Duration;

use anyhow::Result;
use harness::checker::{Breach, Invariant, judge, verdict};
use harness::liars::{ClientLie, OperatorLie};
use harness::load::LoadOptions;
use harness::stage::{Between, Stage};
use harness::wait;

/// A short run with one crash in the middle.
async fn run(story: &str, between: Between) -> Result<Vec<Breach>> {
    let mut stage = Stage::set(story, between).await?;
    let load = stage.load(&LoadOptions::default());
    for enough in [500, 1_000] {
        wait::until("load", Duration::from_secs(20), || stage.ledger.kept_count() >= enough).await?;
        if enough == 500 {
            stage.kill().await?;
            stage.start(&[]).await?;
        }
    }
    load.stop().await?;
    let breaches = judge(&stage.evidence().await?);
    println!("{}", verdict(&breaches).unwrap_or_else(|| "no breach".into()));
    Ok(breaches)
}

fn caught(breaches: &[Breach], invariant: Invariant) -> bool {
    breaches.iter().any(|breach| breach.invariant == invariant)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mutant_none() -> Result<()> {
    let breaches = run("mutant_none", Between { client: Some(ClientLie::None), ..Between::default() }).await?;
    assert_eq!(breaches, []);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mutant_m1_answers_before_it_is_stored() -> Result<()> {
    let between = Between { client: Some(ClientLie::AnswerBeforeStored), ..Between::default() };
    assert!(caught(&run("mutant_m1", between).await?, Invariant::NothingLost));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mutant_m2_drops_every_nth() -> Result<()> {
    let between = Between { operator: Some(OperatorLie::DropEvery(200)), ..Between::default() };
    assert!(caught(&run("mutant_m2", between).await?, Invariant::NothingLost));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mutant_m3_resends_everything_on_reconnect() -> Result<()> {
    let between = Between { operator: Some(OperatorLie::ResendOnReconnect), ..Between::default() };
    assert!(caught(&run("mutant_m3", between).await?, Invariant::DuplicatesBounded));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mutant_m4_swaps_the_ids_of_two_tenants() -> Result<()> {
    let between = Between { client: Some(ClientLie::SwapTenants), ..Between::default() };
    assert!(caught(&run("mutant_m4", between).await?, Invariant::TenantsApart));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mutant_m5_tells_twice_with_a_new_id() -> Result<()> {
    let between = Between { sink_every: Some(20), ..Between::default() };
    assert!(caught(&run("mutant_m5", between).await?, Invariant::StatesMoveUp));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mutant_m6_shows_a_state_that_went_backwards() -> Result<()> {
    let between = Between { client: Some(ClientLie::StateBackwards), ..Between::default() };
    assert!(caught(&run("mutant_m6", between).await?, Invariant::StatesMoveUp));
    Ok(())
}
