//! How much a message's whole life costs the store: accepted, handed over, reported, told.
//!
//! `life_rate [messages] [recipients per request] [producers] [messages of history]`
//!
//! With `ONLY_ACCEPT` set the messages are left waiting: how long opening and how much memory that takes.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::clock::Clock;
use domain::event::CallId;
use domain::fact::{CallOutcome, EventId, Fact, MessageFact, WebhookCall};
use domain::id::{AccountId, CarrierId, KeyId, MessageId};
use domain::lane::Lane;
use domain::money::Money;
use domain::phone::Phone;
use domain::receipt::ReceiptState;
use domain::request::{NewMessage, Request};
use domain::sender::Sender;
use store::{AcceptOutcome, Options, Store};
use text::Encoding;

const CARRIER: CarrierId = CarrierId(1);
/// Events a webhook call carries, as the platform sends them.
const EVENTS_PER_CALL: usize = 100;

fn main() {
    let argument = |place: usize, default: usize| {
        std::env::args().nth(place).map_or(default, |text| text.parse().expect("a number"))
    };
    let (messages, recipients, producers, history) =
        (argument(1, 200_000), argument(2, 1), argument(3, 64), argument(4, 0));
    let directory = std::env::var_os("DATA_DIR").map_or_else(|| std::env::temp_dir().join("life_rate"), PathBuf::from);
    let _ = std::fs::remove_dir_all(&directory);
    let store = Store::open(options(&directory), Clock::system()).expect("a store");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("threads");
    if history > 0 {
        runtime.block_on(run(&store, history, 1000, 8));
        println!("history: {history} messages");
    }
    let (began, cpu) = (Instant::now(), cpu_time());
    runtime.block_on(run(&store, messages, recipients, producers));
    let (took, used) = (began.elapsed(), cpu_time() - cpu);
    report("alive", messages, took, used);
    while store.health().spans[1] > 0 {
        std::thread::sleep(Duration::from_millis(50));
    }
    report("with sealing", messages, began.elapsed(), cpu_time() - cpu);
    let health = store.health();
    let lane = Lane::Standard.index();
    println!(
        "commits {}, facts per commit {:.1}",
        health.commits[lane],
        health.facts[lane] as f64 / health.commits[lane] as f64
    );
    println!(
        "commit mean {:.0} us, spans {:?}",
        health.commit_microseconds_sum[lane] as f64 / health.commits[lane] as f64,
        health.spans
    );
    for share in [50, 99] {
        let wanted = health.commits[lane] * share / 100;
        let bound =
            health.commit_microseconds[lane].iter().find(|(_, count)| *count >= wanted).map_or(0, |(bound, _)| *bound);
        println!("commit p{share} <= {bound} us");
    }
    println!("resident {} MiB, files {} MiB", resident_mib(), files_mib(&directory));
    let began = Instant::now();
    store.close();
    println!("close {:?}", began.elapsed());
    drop(store);
    let began = Instant::now();
    let store = Store::open(options(&directory), Clock::system()).expect("a store");
    println!("open again {:?}, resident {} MiB", began.elapsed(), resident_mib());
    let began = Instant::now();
    let waiting = runtime
        .block_on(store.waiting(Lane::Standard, (CARRIER, AccountId(1)), MessageId(0), 5000))
        .expect("an answer");
    println!(
        "{} waiting of {:?} fetched in {:?}",
        waiting.len(),
        runtime.block_on(store.lines(Lane::Standard)),
        began.elapsed()
    );
    drop(store);
}

fn options(directory: &Path) -> Options {
    let mut options = Options::new(directory);
    options.disk_reserve_octets = 1024 * 1024;
    if let Some(max) = std::env::var("SPAN").ok().and_then(|text| text.parse().ok()) {
        options.span_messages_max = max;
    }
    options
}

fn report(what: &str, messages: usize, took: Duration, used: Duration) {
    println!(
        "{what}: {:.0} messages/s, {:.1} us of CPU a message",
        messages as f64 / took.as_secs_f64(),
        used.as_secs_f64() * 1e6 / messages as f64
    );
}

async fn run(store: &Store, messages: usize, recipients: usize, producers: usize) {
    let share = messages / producers / recipients;
    let tasks: Vec<_> =
        (0..producers).map(|number| tokio::spawn(produce(store.clone(), number, share, recipients))).collect();
    for task in tasks {
        task.await.expect("no panic");
    }
}

async fn produce(store: Store, number: usize, requests: usize, recipients: usize) {
    let mut told: Vec<EventId> = Vec::new();
    let only_accept = std::env::var_os("ONLY_ACCEPT").is_some();
    for round in 0..requests {
        let request = request(&store, number, round, recipients);
        let Ok(AcceptOutcome::Accepted(request)) = store.accept(Lane::Standard, request).await else {
            panic!("not accepted")
        };
        if only_accept {
            continue;
        }
        let now = store.ids().next(Lane::Standard).created();
        let fact = |index: usize, what| Fact::Message { id: request.message_id(index), at: now, what };
        let submits = (0..recipients).map(|index| {
            let operator_id: Box<str> = request.message_id(index).to_reference().into();
            fact(
                index,
                MessageFact::Submitted {
                    part: 1,
                    carrier: CARRIER,
                    operator_id: operator_id.clone(),
                    canonical_id: operator_id,
                },
            )
        });
        store.record(Lane::Standard, submits.collect()).await.expect("durable");
        let ids: Vec<Box<str>> = vec![request.message_id(0).to_reference().into()];
        let mut found = store.match_receipt(CARRIER, &ids).await.expect("an answer");
        let found = found.pop().flatten().expect("a message");
        assert_eq!(found.id, request.id);
        let receipts = (0..recipients).map(|index| {
            fact(
                index,
                MessageFact::Receipt {
                    part: 1,
                    carrier: CARRIER,
                    state: ReceiptState::Delivered,
                    error: "000".into(),
                    done_at: Some(now),
                    raw: vec![b'x'; 160].into(),
                },
            )
        });
        store.record(Lane::Standard, receipts.collect()).await.expect("durable");
        told.extend((0..recipients).map(|index| EventId { message: request.message_id(index), step: 1 }));
        if told.len() >= EVENTS_PER_CALL || round + 1 == requests {
            let call = call(&store, std::mem::take(&mut told));
            store.record(Lane::Standard, vec![Fact::Called(call)]).await.expect("durable");
        }
    }
}

fn call(store: &Store, events: Vec<EventId>) -> WebhookCall {
    let at = store.ids().next(Lane::Standard).created();
    WebhookCall {
        id: CallId::of(events.iter().copied()),
        attempt: 1,
        at,
        latency_ms: 20,
        http_status: 200,
        failure: "".into(),
        outcome: CallOutcome::Told,
        events,
    }
}

fn request(store: &Store, producer: usize, round: usize, recipients: usize) -> Request {
    let id = store.ids().next_block(Lane::Standard, u32::try_from(recipients).expect("small"));
    let now = id.created();
    let phone = |position: usize| 48_500_000_000 + ((producer * 7919 + round * 104_729 + position) % 90_000_000) as u64;
    let message = |position: usize| NewMessage {
        position: u16::try_from(position).expect("small"),
        phone: Phone::from_u64(phone(position)).expect("a number"),
        price: Money(700),
        carrier: CARRIER,
        delay_ms: 0,
    };
    Request {
        id,
        account: AccountId(1),
        key: KeyId(1),
        uniq_id: id.to_reference().into(),
        external_id: Some(format!("order-{producer}-{round}-{id}").into()),
        idempotency_key: None,
        fingerprint: [1; 16],
        traffic: domain::lane::Traffic::Transactional,
        sender: Sender::parse("ACME").expect("a sender"),
        text: "Your parcel is on its way and will be delivered between 10:00 and 14:00. Reply STOP to opt out.".into(),
        links: None,
        encoding: Encoding::Gsm7,
        parts: 1,
        flash: false,
        webhook_url: Some(Arc::<str>::from("https://example.org/hook").as_ref().into()),
        control_version: 0,
        accepted_at: now,
        due_at: now,
        schedule_time: 0,
        expires_at: now.plus_ms(259_200_000),
        currency: 985,
        messages: (0..recipients).map(message).collect(),
        refused: Vec::new(),
    }
}

/// User and system time of this process so far.
fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("linux");
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
    let ticks: u64 = fields[11].parse::<u64>().expect("a number") + fields[12].parse::<u64>().expect("a number");
    Duration::from_millis(ticks * 10)
}

fn resident_mib() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("linux");
    let pages: u64 = statm.split(' ').nth(1).and_then(|text| text.parse().ok()).unwrap_or(0);
    pages * 4096 / 1024 / 1024
}

fn files_mib(directory: &Path) -> u64 {
    let spans = std::fs::read_dir(directory.join("spans")).expect("spans");
    spans.filter_map(|entry| entry.ok()?.metadata().ok()).map(|metadata| metadata.len()).sum::<u64>() / 1024 / 1024
}
