//! Receipts before their answer, more than once, in the wrong order.

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::random::Random;
use domain::state::Status;
use parking_lot::Mutex;
use simulator::webhook::Received;

use crate::place::{Place, until};
use crate::smsc::{Delivery, Reply, Smsc};

/// Half of the receipts up to 500 ms before the answer to their part.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d3_dlr_before_resp() {
    const COUNT: usize = 400;
    let random = Random::seeded(3);
    let early: Arc<Mutex<Vec<(String, u64)>>> = Arc::default();
    let noted = Arc::clone(&early);
    let smsc = Smsc::start(move |submit| {
        let wait_ms = if submit.count % 2 == 0 { random.below(500) } else { 0 };
        let id = format!("{:x}", 0xa000 + submit.count);
        noted.lock().push((id.clone(), wait_ms));
        Reply::TakeAfter(Duration::from_millis(wait_ms), id)
    })
    .await;
    let place = Place::open(smsc.address, "window = 1000").await;
    let ids = place.send("hello", "485", 0, COUNT).await;
    let mut reported = 0;
    let deadline = Instant::now() + crate::place::WITHIN;
    while reported < COUNT {
        assert!(Instant::now() < deadline, "only {reported} parts came");
        let fresh: Vec<_> = early.lock()[reported..].to_vec();
        reported += fresh.len();
        for (id, _) in fresh {
            smsc.deliver(Delivery::receipt(&id, "DELIVRD"));
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    place.all_are(ids.values(), &[Status::Delivered]).await;
    until("nothing to be parked", || place.store.health().parked_receipts == 0).await;
    let stats = place.flow.settle.stats();
    let parked = stats.receipts_parked.load(std::sync::atomic::Ordering::Relaxed);
    assert!(parked > 50, "receipts must have come before their answers: {parked}");
    assert_eq!(parked, stats.receipts_unparked.load(std::sync::atomic::Ordering::Relaxed));
    until("every receipt to be answered", || smsc.answered() == (COUNT, 0)).await;
    place.flow.stop().await;
}

/// Each receipt one to five times, shuffled, with intermediate ones and lower ones after the final one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d5_dlr_duplicate_reorder() {
    const COUNT: usize = 200;
    let smsc = Smsc::start(|submit| Reply::Take(format!("{:07}", submit.count))).await;
    let place = Place::open(smsc.address, "").await;
    let ids = place.send("hello", "485", 0, COUNT).await;
    until("all submits", || smsc.submit_count() >= COUNT).await;
    let random = Random::seeded(5);
    let below = |bound: u64| usize::try_from(random.below(bound)).unwrap();
    let mut deliveries: Vec<(String, &str)> = Vec::new();
    for submit in smsc.submits() {
        let id = format!("{:07}", submit.count);
        let last = ["DELIVRD", "UNDELIV", "EXPIRED"][usize::try_from(submit.count % 3).unwrap()];
        for stat in ["ENROUTE", "ACCEPTD", "ACCEPTD", "UNKNOWN", last] {
            (0..1 + below(5)).for_each(|_| deliveries.push((id.clone(), stat)));
        }
        // A true late delivery: the handset has it after all.
        if submit.count % 30 == 1 {
            deliveries.push((id, "DELIVRD"));
        }
    }
    for index in (1..deliveries.len()).rev() {
        deliveries.swap(index, below(index as u64 + 1));
    }
    for (id, stat) in &deliveries {
        smsc.deliver(Delivery::receipt(id, stat));
    }
    until("every receipt to be answered", || smsc.answered().0 == deliveries.len()).await;
    for submit in smsc.submits() {
        let (phone, id) = (&submit.destination, format!("{:07}", submit.count));
        let of_it = || deliveries.iter().filter(|(of, _)| *of == id).map(|(_, stat)| *stat);
        let failed = if of_it().any(|stat| stat == "UNDELIV") { 22 } else { 23 };
        let is_delivered = of_it().any(|stat| stat == "DELIVRD");
        let is_failed = of_it().any(|stat| matches!(stat, "UNDELIV" | "EXPIRED"));
        let last = if is_delivered { 21 } else { failed };
        let told = || {
            let of_phone = |received: &Received| received.event["phoneNumber"] == format!("+{phone}").as_str();
            let told: Vec<_> =
                place.sink.received().into_iter().filter(of_phone).filter_map(|told| told.status()).collect();
            told
        };
        until("the last webhook", || told().last() == Some(&last)).await;
        // One for each upward move: batches may overtake each other, so the failure may have come too late to be told.
        let told = told();
        assert!(told == [last] || (is_failed && is_delivered && told == [failed, 21]), "{phone}: {told:?}");
        let message = place.message(ids[phone]).await;
        assert_eq!(i64::from(message.status.code()), last, "{phone}");
        // Everything is in the history, told or not.
        let steps = place.store.history(ids[phone]).await.unwrap();
        let receipts = steps.iter().filter(|step| &*step.kind == "receipt").count();
        assert_eq!(receipts, of_it().count(), "{phone}");
    }
    assert_eq!(place.sink.bad_calls(), 0);
    place.flow.stop().await;
}
