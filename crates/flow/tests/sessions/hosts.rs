//! Several hosts of one operator.

use std::time::Duration;

use domain::state::Status;
use simulator::operator::Behaviour;
use tokio::time::{Instant, sleep};

use super::proxy::Proxy;
use super::rig::{Rig, carrier, duplicates, operator, phones, plain, until};

/// Two hosts in front of one operator; the first dies for a while.
async fn failover(dead: Duration) {
    let operator = operator(Behaviour { answer_ms: 5, receipt_ms: 3_000, ..plain() }).await;
    let (primary, secondary) = (Proxy::start(operator.address).await, Proxy::start(operator.address).await);
    let lines = format!("hosts = [\"{}\"]\nbinds = 2\nwindow = 50", secondary.address);
    let rig = Rig::start(&[("one", carrier("one", primary.address, &lines))]).await;
    rig.wait_bound("one", 2).await;
    assert_eq!((primary.connections(), secondary.connections()), (1, 1), "binds are spread over the hosts");
    let over_both = rig.send(phones(0, 0, 200)).await;
    rig.wait_status(&over_both, &[Status::Sent]).await;
    primary.down(true);
    let died = Instant::now();
    let ids = rig.send(phones(0, 1_000, 200)).await;
    until("the bind of the dead host is on the other one", || rig.bound("one") == 2 && secondary.connections() == 2)
        .await;
    let moved = died.elapsed();
    assert!(moved <= Duration::from_secs(8), "two seconds by the timers: {moved:?}");
    rig.wait_status(&ids, &[Status::Sent, Status::Delivered]).await;
    sleep(dead).await;
    // Receipts of what went over the dead host come over the other one.
    rig.wait_status(&over_both, &[Status::Delivered]).await;
    rig.wait_status(&ids, &[Status::Delivered]).await;
    assert_eq!(rig.flow.settle.stats().receipts_parked.load(std::sync::atomic::Ordering::Relaxed), 0);
    primary.down(false);
    assert!(duplicates(&operator.ledger().parts()) <= 50);
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c13_failover_pair() {
    failover(Duration::ZERO).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nightly_c13_failover_pair_for_five_minutes() {
    failover(Duration::from_secs(300)).await;
}
