//! Noisy neighbours in real time, over sockets; the same in virtual time is in `isolation.rs`.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::io::AsyncWriteExt;
use tokio::time::sleep;

use super::receiver::{raw_receiver, receiver, status};
use super::support::{MemoryOutbox, Running, account, endpoint, loopback, until};

const GOOD: u32 = 50;
/// Accounts of the bad ones: one says nothing, one drips an octet a second, one resets.
const BAD: [u32; 3] = [GOOD + 1, GOOD + 2, GOOD + 3];
/// Longer than the deadline of a call, so that some end by it and are followed by others.
const NOISE: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(100);
/// Of 500 slots one endpoint may hold a twentieth.
const HUNG_MAX: usize = 500 / 20;
/// Below this a machine's own hiccups are what is measured.
const BASE_MIN: Duration = Duration::from_millis(5);
/// A call's deadline, and what a busy machine takes to notice it.
const TRY_MS_MAX: u32 = 15_000 + 1_000;

type Arrivals = Arc<Mutex<HashMap<String, Instant>>>;

async fn good_receiver(arrivals: &Arrivals) -> String {
    let arrivals = Arc::clone(arrivals);
    let note = move |_, request: &super::receiver::Received| {
        let now = Instant::now();
        for event in request.json().as_array().unwrap() {
            arrivals.lock().entry(event["eventId"].as_str().unwrap().to_owned()).or_insert(now);
        }
        status(200)
    };
    receiver(note).await.0
}

/// Receivers that hold on to a call, octet by octet or in silence, and count how many at a time.
async fn holding(drips: bool, most: &Arc<AtomicUsize>) -> String {
    let (most, held) = (Arc::clone(most), Arc::new(AtomicUsize::new(0)));
    raw_receiver(move |mut stream| {
        let (most, held) = (Arc::clone(&most), Arc::clone(&held));
        async move {
            most.fetch_max(held.fetch_add(1, Relaxed) + 1, Relaxed);
            if drips {
                while stream.write_all(b"H").await.is_ok() {
                    sleep(Duration::from_secs(1)).await;
                }
            } else {
                // Ends when the client hangs up: nothing more is ever sent.
                let _ = stream.readable().await;
                while !matches!(stream.try_read(&mut [0; 4_096]), Ok(0)) {
                    let _ = stream.readable().await;
                }
            }
            held.fetch_sub(1, Relaxed);
        }
    })
    .await
}

/// Waits of the good endpoints' events, ascending.
async fn waits(running: &Running, arrivals: &Arrivals, with_bad: bool) -> Vec<Duration> {
    let mut told_at = HashMap::new();
    let end = Instant::now() + NOISE;
    while Instant::now() < end {
        for number in 1..=GOOD {
            told_at.extend(running.tell(number, 1).into_iter().map(|id| (id.to_string(), Instant::now())));
        }
        if with_bad {
            BAD.iter().for_each(|number| drop(running.tell(*number, 10)));
        }
        sleep(PAUSE).await;
    }
    until(|| told_at.keys().all(|id| arrivals.lock().contains_key(id))).await;
    let arrivals = arrivals.lock();
    let mut waits: Vec<Duration> = told_at.iter().map(|(id, at)| arrivals[id].saturating_duration_since(*at)).collect();
    waits.sort_unstable();
    waits
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nightly_h1_wh_noisy_neighbour_over_sockets() {
    let arrivals = Arrivals::default();
    let most = [Arc::default(), Arc::default()];
    let mut accounts = Vec::new();
    for number in 1..=GOOD {
        accounts.push(account(endpoint(number, &good_receiver(&arrivals).await)));
    }
    let resetting = raw_receiver(|stream| async move { stream.set_zero_linger().unwrap() }).await;
    let bad = [holding(false, &most[0]).await, holding(true, &most[1]).await, resetting];
    accounts.extend(BAD.into_iter().zip(bad).map(|(number, url)| account(endpoint(number, &url))));
    let running = Running::start(MemoryOutbox::new(accounts), loopback());

    let p99 = |waits: Vec<Duration>| waits[waits.len() * 99 / 100];
    let before = p99(waits(&running, &arrivals, false).await);
    let noisy = p99(waits(&running, &arrivals, true).await);
    let base = before.max(BASE_MIN);
    assert!(noisy <= base * 2, "p99 {noisy:?} beside bad ones, {before:?} without");
    for held in most {
        assert!((1..=HUNG_MAX).contains(&held.load(Relaxed)), "{held:?} of 500 slots hung");
    }
    let calls = running.outbox.calls();
    let longest = calls.iter().map(|call| call.latency_ms).max().unwrap();
    assert!((10_000..=TRY_MS_MAX).contains(&longest), "the longest try took {longest} ms");
    running.stop().await;
}
