//! More receipts than messages: codes must not wait for them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::state::Status;

use crate::place::{Place, until};
use crate::smsc::{Delivery, Reply, Smsc};

/// Times from an order in the Priority lane until its part is at the operator, sorted.
async fn codes(place: &Place, smsc: &Smsc, first: usize, count: usize) -> Vec<Duration> {
    let mut times = Vec::with_capacity(count);
    for number in first..first + count {
        let phone = format!("489{number:08}");
        let mut order = place.order("your code is 123456", vec![phone.clone()]);
        order.priority = Some(true);
        let started = Instant::now();
        place.flow.accept.send(order).await.unwrap();
        until("the code", || smsc.has_come(&phone)).await;
        times.push(started.elapsed());
    }
    times.sort();
    times
}

/// Receipts that were held back come three times as fast as messages were sent, for twenty seconds, while codes are sent.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nightly_d7_dlr_flood_lag() {
    /// Messages per second before the flood, and receipts per second in it.
    const RATE: u64 = 300;
    const FLOOD: u64 = 3 * RATE;
    const COUNT: usize = 20 * FLOOD as usize / 3;
    const CODES: usize = 200;
    let smsc = Arc::new(Smsc::start(|submit| Reply::Take(format!("{:08}", submit.count))).await);
    let place = Place::open(smsc.address, &format!("binds = 4\nrate_per_second = {}", 10 * RATE)).await;
    let base = codes(&place, &smsc, 0, CODES).await;
    let ids = place.send("hello", "485", 0, COUNT).await;
    place.all_are(ids.values(), &[Status::Sent]).await;
    let held: Vec<String> = smsc.submits().iter().skip(CODES).map(|submit| format!("{:08}", submit.count)).collect();
    let flooding = Arc::clone(&smsc);
    let flood = tokio::spawn(async move {
        let mut turn = tokio::time::interval(Duration::from_millis(10));
        for receipts in held.iter().cycle().take(3 * COUNT).collect::<Vec<_>>().chunks(FLOOD as usize / 100) {
            turn.tick().await;
            receipts.iter().for_each(|id| flooding.deliver(Delivery::receipt(id, "DELIVRD")));
        }
    });
    let during = codes(&place, &smsc, CODES, CODES).await;
    assert!(!flood.is_finished(), "the codes must meet the flood");
    flood.await.unwrap();
    place.all_are(ids.values(), &[Status::Delivered]).await;
    until("every receipt to be answered", || smsc.answered().0 >= COUNT * 3).await;
    let p99 = |times: &[Duration]| times[times.len() * 99 / 100];
    let allowed = (p99(&base) * 2).max(Duration::from_millis(50));
    assert!(p99(&during) <= allowed, "codes took {:?} instead of {:?}", p99(&during), p99(&base));
    place.flow.stop().await;
}
