//! More receipts than messages: codes must not wait for them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::state::Status;
use parking_lot::Mutex;
use tokio::time::interval;

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

/// Submits of the page: a second's worth of them, and how many times that many receipts come in a second.
const PER_SECOND: usize = 100;
const FLOOD_FACTOR: usize = 3;

/// Messages are sent steadily while their receipts are held back for `hold`; then they come at three times that rate for
/// `flood`, and what is left at once. Codes are sent before and during the flood.
async fn flood_after(hold: Duration, flood: Duration) {
    const CODES: usize = 200;
    let book: Arc<Mutex<Vec<String>>> = Arc::default();
    let noted = Arc::clone(&book);
    let smsc = Smsc::start(move |submit| {
        let id = format!("{:08}", submit.count);
        noted.lock().push(id.clone());
        Reply::Take(id)
    })
    .await;
    let place = Place::open(smsc.address, "binds = 4").await;
    let base = codes(&place, &smsc, 0, CODES).await;
    let (mut ids, mut second) = (Vec::new(), interval(Duration::from_secs(1)));
    for number in 0..usize::try_from(hold.as_secs()).unwrap() {
        second.tick().await;
        ids.extend(place.send("hello", "485", number * PER_SECOND, PER_SECOND).await.into_values());
    }
    place.all_are(&ids, &[Status::Sent]).await;
    let receipts: Vec<String> = book.lock().clone();
    let flooding = async {
        let mut batch = interval(Duration::from_millis(100));
        let (mut given, begun) = (0, Instant::now());
        for ids in receipts.chunks(PER_SECOND * FLOOD_FACTOR / 10) {
            if begun.elapsed() < flood {
                batch.tick().await;
            }
            ids.iter().for_each(|id| smsc.deliver(Delivery::receipt(id, "DELIVRD")));
            given += ids.len();
        }
        given
    };
    let (given, during) = tokio::join!(flooding, codes(&place, &smsc, CODES, CODES));
    place.all_are(&ids, &[Status::Delivered]).await;
    until("every receipt to be answered", || smsc.answered().0 >= given).await;
    let p99 = |times: &[Duration]| times[times.len() * 99 / 100];
    let allowed = (p99(&base) * 2).max(Duration::from_millis(50));
    println!("codes: p99 {:?} before, {:?} during {given} receipts", p99(&base), p99(&during));
    assert!(p99(&during) <= allowed, "codes took {:?} instead of {:?}", p99(&during), p99(&base));
    place.flow.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nightly_d7_dlr_flood_lag_after_ten_minutes() {
    flood_after(Duration::from_secs(600), Duration::from_secs(60)).await;
}

/// Receipts that were held back come all at once, each three times, while codes are sent.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nightly_d7_dlr_flood_lag() {
    const COUNT: usize = 20_000;
    const CODES: usize = 200;
    let book: Arc<Mutex<Vec<String>>> = Arc::default();
    let noted = Arc::clone(&book);
    let smsc = Smsc::start(move |submit| {
        let id = format!("{:08}", submit.count);
        noted.lock().push(id.clone());
        Reply::Take(id)
    })
    .await;
    let place = Place::open(smsc.address, "binds = 4").await;
    let base = codes(&place, &smsc, 0, CODES).await;
    let ids = place.send("hello", "485", 0, COUNT).await;
    place.all_are(ids.values(), &[Status::Sent]).await;
    for _ in 0..3 {
        for id in book.lock().iter() {
            smsc.deliver(Delivery::receipt(id, "DELIVRD"));
        }
    }
    let during = codes(&place, &smsc, CODES, CODES).await;
    place.all_are(ids.values(), &[Status::Delivered]).await;
    until("every receipt to be answered", || smsc.answered().0 >= COUNT * 3).await;
    let p99 = |times: &[Duration]| times[times.len() * 99 / 100];
    let allowed = (p99(&base) * 2).max(Duration::from_millis(50));
    assert!(p99(&during) <= allowed, "codes took {:?} instead of {:?}", p99(&during), p99(&base));
    place.flow.stop().await;
}
