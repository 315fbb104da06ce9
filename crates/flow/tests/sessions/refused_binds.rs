//! Binds that the operator refuses.

use std::time::Duration;

use domain::state::Status;
use flow::send::BindState;
use simulator::operator::{Behaviour, Operator};
use tokio::time::{Instant, sleep};

use super::rig::{Rig, carrier, operator, phones, plain, until};

/// Tries of each bind that answer by answer are allowed within a few seconds.
const AGAIN_SOON: [u32; 6] = [0x04, 0x08, 0x0d, 0x45, 0x58, 0x411];
const CREDENTIALS: [u32; 3] = [0x0e, 0x0f, 0x53];
const BINDS: usize = 2;

async fn refusing(status: u32) -> Operator {
    operator(Behaviour { bind_refusal: status, ..plain() }).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c6_bind_refused_matrix() {
    let statuses: Vec<u32> = AGAIN_SOON.into_iter().chain(CREDENTIALS).chain([0x05]).collect();
    let mut operators = vec![operator(plain()).await];
    for &status in &statuses {
        operators.push(refusing(status).await);
    }
    let names: Vec<String> = (0..operators.len()).map(|index| format!("operator-{index}")).collect();
    let entries = names.iter().zip(&operators).map(|(name, operator)| {
        (name.as_str(), carrier(name, operator.address, "binds = 2\nreconnect_max_seconds = 2"))
    });
    let entries: Vec<(&str, String)> = entries.collect();
    let (rig, started) = (Rig::start(&entries).await, Instant::now());
    rig.wait_bound("operator-0", BINDS).await;
    let good = rig.send(phones(0, 0, 50)).await;
    rig.wait_status(&good, &[Status::Delivered]).await;
    until("all have tried", || operators[1..].iter().all(|operator| !operator.ledger().bind_attempts().is_empty()))
        .await;
    sleep(Duration::from_secs(5)).await;
    let seconds = usize::try_from(started.elapsed().as_secs()).unwrap() + 1;
    for ((status, operator), name) in statuses.iter().zip(&operators[1..]).zip(&names[1..]) {
        let tries = operator.ledger().bind_attempts().len();
        if CREDENTIALS.contains(status) {
            assert_eq!(tries, 1, "{status:#x}: one try in five minutes, however many binds there are");
            let stopped = |state: &BindState| matches!(state, BindState::Stopped(_));
            assert!(rig.carrier(name).binds().iter().any(|bind| stopped(&bind.state)), "{status:#x}");
        } else if *status == 0x05 {
            assert!((1..=BINDS * (1 + seconds / 10)).contains(&tries), "RALYBND: {tries} in {seconds} s");
        } else {
            assert!((2..=BINDS * seconds).contains(&tries), "{status:#x}: {tries} in {seconds} s");
        }
    }
    assert_eq!(rig.bound("operator-0"), BINDS, "other binds are not affected");
    operators[1].behave(plain());
    rig.wait_bound(&names[1], BINDS).await;
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bind_too_many_leaves_the_others_alone() {
    let operator = operator(Behaviour { binds_max: 1, ..plain() }).await;
    let rig = Rig::start(&[("one", carrier("one", operator.address, "binds = 2"))]).await;
    rig.wait_bound("one", 1).await;
    until("the second was refused", || operator.ledger().bind_attempts().len() >= 2).await;
    let ids = rig.send(phones(0, 0, 50)).await;
    rig.wait_status(&ids, &[Status::Delivered]).await;
    assert!(operator.ledger().bind_attempts().len() <= 3, "RALYBND is left alone for ten seconds");
    rig.stop().await;
}
