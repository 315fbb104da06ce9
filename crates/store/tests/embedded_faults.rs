//! What breaks, and what is promised all the same.
#![allow(clippy::unwrap_used, reason = "a test ends where its ground gives way")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use domain::clock::Clock;
use domain::event::CallId;
use domain::fact::{CallOutcome, EventId, Fact, MessageFact, WebhookCall};
use domain::id::MessageId;
use domain::lane::Lane;
use domain::receipt::ReceiptState;
use domain::state::Status;
use store::contract::fixture::{ACCOUNT, CARRIER, PRICE, Place, everything, message, receipt, submitted};
use store::{AcceptOutcome, OpenError, QuestionError, RecordError, Store, check};
use support::{fill, options, place, spans, wait_until, wait_until_sealed};

#[test]
fn a_second_process_is_refused_and_a_dead_ones_lock_is_taken() {
    let directory = tempfile::tempdir().unwrap();
    let place = place(directory.path(), 100);
    let store = place.open();
    let second = Store::open(options(directory.path(), 100), place.clock.clone());
    assert!(matches!(second, Err(OpenError::InUse { .. })), "{second:?}");
    assert!(matches!(check(directory.path(), |_| ()), Err(OpenError::InUse { .. })));
    store.close();
    assert_eq!(place.run(store.record(Lane::Standard, Vec::new())), Err(RecordError::Closed));
    assert_eq!(place.run(store.message(MessageId(1))), Err(QuestionError::Closed));
    let _again = place.open();
}

#[test]
fn a_newer_format_is_refused_and_a_stranger_is_not_served() {
    let directory = tempfile::tempdir().unwrap();
    let place = place(directory.path(), 100);
    let store = place.open();
    let id = place.accept_one(&store, Lane::Standard, 48_600_000_000);
    store.close();
    let standard =
        spans(directory.path()).into_iter().find(|path| path.to_string_lossy().contains("standard")).unwrap();
    let connection = rusqlite::Connection::open(&standard).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    let newer = Store::open(options(directory.path(), 100), place.clock.clone());
    assert!(matches!(newer, Err(OpenError::Newer { found: 99, .. })), "{newer:?}");
    fs::write(&standard, vec![0_u8; 8192]).unwrap();
    let store = place.open();
    let found = place.run(store.message(id));
    assert!(matches!(found, Err(QuestionError::Damaged(_))), "{found:?}");
    place.accept_one(&store, Lane::Standard, 48_600_000_001);
}

/// In the child: accepts and reports without end, printing each id once it is answered for.
fn child_writes(directory: &Path) -> ! {
    let place = place(directory, 40);
    let store = place.open();
    let mut number = 0;
    loop {
        let accepted: Vec<_> = place.run(async {
            let tasks = (0..8).map(|task| {
                let store = store.clone();
                let mut request = place.request(&store, Lane::Standard, 48_600_000_000 + number * 8 + task, 3);
                request.external_id = Some(format!("r{}", request.id).into());
                tokio::spawn(async move {
                    let outcome = store.accept(Lane::Standard, request).await;
                    let Ok(AcceptOutcome::Accepted(request)) = outcome else { panic!("{outcome:?}") };
                    let facts = [submitted(1, &request.id.to_string()), receipt(1, ReceiptState::Delivered)];
                    let facts = facts.map(|what| Fact::Message { id: request.id, at: request.accepted_at, what });
                    store.record(Lane::Standard, facts.to_vec()).await.unwrap();
                    request.id
                })
            });
            let tasks: Vec<_> = tasks.collect();
            let mut ids = Vec::new();
            for task in tasks {
                ids.push(task.await.unwrap());
            }
            ids
        });
        let lines: String = accepted.iter().map(|id| format!("{id}\n")).collect();
        use std::io::Write;
        std::io::stdout().lock().write_all(lines.as_bytes()).unwrap();
        number += 1;
        place.pass_ms(1);
    }
}

fn child(test: &str, directory: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([test, "--exact", "--nocapture", "--test-threads=1"]).env("CHILD_DIRECTORY", directory);
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

fn child_directory() -> Option<PathBuf> {
    std::env::var_os("CHILD_DIRECTORY").map(PathBuf::from)
}

#[test]
fn whatever_was_answered_survives_kill_9() {
    if let Some(directory) = child_directory() {
        child_writes(&directory);
    }
    let directory = tempfile::tempdir().unwrap();
    let mut promised: Vec<MessageId> = Vec::new();
    for round in 0..40_u64 {
        let mut child = child("whatever_was_answered_survives_kill_9", directory.path()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(60 + round * 37 % 300));
        child.kill().unwrap();
        let output = child.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        promised.extend(text.lines().filter_map(MessageId::from_reference));
    }
    assert!(promised.len() > 100, "only {} requests were answered", promised.len());
    let place = place(directory.path(), 40);
    let store = place.open();
    for id in &promised {
        let found = place.run(store.message(*id)).unwrap().expect("a promised message");
        assert_eq!(found.status, Status::Delivered);
        assert_eq!(place.run(store.find(ACCOUNT, &format!("r{id}"))).unwrap().len(), 3, "no half request");
    }
    let mut all = 0;
    let mut query = everything(ACCOUNT);
    loop {
        let page = place.run(store.search(query.clone())).unwrap();
        all += page.rows.len();
        query.after = page.next;
        if page.next.is_none() {
            break;
        }
    }
    assert_eq!(all % 3, 0, "no half request");
    let delivered = i64::try_from(all).unwrap();
    assert_eq!(place.run(store.spent()), Ok(vec![(ACCOUNT, domain::money::Money(PRICE.0 * delivered))]));
    wait_until_sealed(&store);
    store.close();
    let report = check(directory.path(), |_| ()).unwrap();
    assert!(report.is_sound(), "{report:?}");
}

/// Steps of the background work, each of which a crash must not spoil.
const STEPS: [&str; 9] = [
    "rotate: prepare",
    "rotate: rename",
    "seal: message_phone",
    "seal: step_untold",
    "seal: filter",
    "seal: mark",
    "seal: copy back",
    "seal: sums",
    "checkpoint: finish",
];

#[test]
fn a_crash_at_any_step_of_the_background_work_is_made_good() {
    if let Some(directory) = child_directory() {
        let step = std::env::var("CHILD_STEP").unwrap();
        let mut options = options(&directory, 20);
        options.hooks.step = Arc::new(move |name| {
            if name == step {
                std::process::abort()
            }
        });
        let place = Place::new(
            Clock::manual(Place::start()),
            Box::new(move |clock| Store::open(options.clone(), clock.clone()).unwrap()),
            Box::new(|_| ()),
        );
        let store = place.open();
        fill(&place, &store, 60);
        wait_until_sealed(&store);
        store.close();
        std::process::exit(7);
    }
    for step in STEPS {
        let directory = tempfile::tempdir().unwrap();
        let mut command = child("a_crash_at_any_step_of_the_background_work_is_made_good", directory.path());
        let status = command.env("CHILD_STEP", step).status().unwrap();
        assert_eq!(status.code(), None, "{step} was not reached");
        let place = place(directory.path(), 20);
        let store = place.open();
        place.pass_ms(1000);
        let before = place.run(store.search(everything(ACCOUNT))).unwrap().rows.len();
        fill_more(&place, &store);
        wait_until_sealed(&store);
        let store = place.reopen(store);
        assert_eq!(place.run(store.search(everything(ACCOUNT))).unwrap().rows.len(), before + 60, "{step}");
        assert!(store.health().spans[2] >= 1, "{step}: {:?}", store.health().spans);
        store.close();
        let report = check(directory.path(), |_| ()).unwrap();
        assert!(report.is_sound(), "{step}: {report:?}");
    }
}

fn fill_more(place: &Place, store: &Store) {
    for number in 0..60 {
        place.accept_one(store, Lane::Standard, 48_700_000_000 + number);
        place.pass_ms(1);
    }
}

#[test]
fn commits_go_on_while_another_span_is_being_sealed() {
    let directory = tempfile::tempdir().unwrap();
    let (reached, is_reached) = mpsc::sync_channel::<()>(1);
    let go_on = Arc::new(AtomicBool::new(false));
    let mut options = options(directory.path(), 20);
    let may_go_on = Arc::clone(&go_on);
    options.hooks.step = Arc::new(move |name| {
        if name == "seal: message_phone" && !may_go_on.load(Ordering::Acquire) {
            let _ = reached.try_send(());
            while !may_go_on.load(Ordering::Acquire) {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    });
    let place = Place::new(
        Clock::manual(Place::start()),
        Box::new(move |clock| Store::open(options.clone(), clock.clone()).unwrap()),
        Box::new(|_| ()),
    );
    let store = place.open();
    let mut ids = Vec::new();
    while is_reached.try_recv().is_err() {
        ids.push(place.accept_one(&store, Lane::Standard, 48_600_000_000));
    }
    // The first span is locked now. Facts about its messages wait, in order; everything else goes on.
    let locked = ids[0];
    let waiting = place.run(async {
        let record = |what| {
            let (store, at) = (store.clone(), place.clock.now());
            tokio::spawn(
                async move { store.record(Lane::Standard, vec![Fact::Message { id: locked, at, what }]).await },
            )
        };
        let first = record(submitted(1, "aside"));
        tokio::task::yield_now().await;
        [first, record(receipt(1, ReceiptState::Delivered))]
    });
    for number in 0..50 {
        let id = place.accept_one(&store, Lane::Standard, 48_700_000_000 + number);
        place.fact(&store, id, submitted(1, &format!("hot{number}")));
    }
    assert!(waiting.iter().all(|task| !task.is_finished()), "nothing is promised before it is kept");
    go_on.store(true, Ordering::Release);
    for task in waiting {
        assert_eq!(place.run(task).unwrap(), Ok(()));
    }
    assert_eq!(place.run(store.message(locked)).unwrap().unwrap().status, Status::Delivered);
}

#[test]
fn what_is_too_old_is_deleted_and_its_money_is_remembered() {
    let directory = tempfile::tempdir().unwrap();
    let place = place(directory.path(), 20);
    let mut store = place.open();
    let ids = fill(&place, &store, 50);
    place.fact(&store, ids[0], MessageFact::Cancelled);
    wait_until_sealed(&store);
    let spent = place.run(store.spent()).unwrap();
    assert_eq!(spent, [(ACCOUNT, PRICE.times(49))]);
    // Spans of their own, without anything to be told.
    let sealed = store.health().spans[2];
    let quiet: Vec<_> =
        (0..30).map(|number| place.accept_one(&store, Lane::Standard, 48_700_000_000 + number)).collect();
    wait_until("the next span is sealed", || store.health().spans[2] > sealed);
    wait_until_sealed(&store);
    let first = EventId { message: MessageId(0), step: 0 };
    let call = |events: Vec<EventId>, outcome| WebhookCall {
        id: CallId::of(events.iter().copied()),
        attempt: 12,
        at: place.clock.now(),
        latency_ms: 1,
        http_status: 500,
        failure: "busy".into(),
        outcome,
        events,
    };
    let untold = place.run(store.untold(Lane::Standard, first, 100)).unwrap();
    let (kept, told): (Vec<_>, Vec<_>) = untold.iter().map(|event| event.id).partition(|id| id.message == ids[0]);
    let told = call(told, CallOutcome::Told);
    place.run(store.record(Lane::Standard, vec![Fact::Called(told)])).unwrap();
    place.pass_ms(397 * 86_400_000);
    place.accept_one(&store, Lane::Standard, 48_600_000_000);
    wait_until("old spans are deleted", || place.run(store.message(quiet[0])) == Ok(None));
    assert!(matches!(place.run(store.message(ids[0])), Ok(Some(_))), "somebody is still to be told of it");
    let dead = call(kept, CallOutcome::Dead);
    place.run(store.record(Lane::Standard, vec![Fact::Called(dead)])).unwrap();
    place.pass_ms(13 * 86_400_000);
    let letters = || place.run(store.dead_letters(ACCOUNT, first, 10)).unwrap();
    assert_eq!(letters().len(), 1, "given up less than 14 days ago");
    place.pass_ms(2 * 86_400_000);
    wait_until("its span is deleted", || place.run(store.message(ids[0])) == Ok(None));
    assert!(letters().is_empty());
    for _ in 0..2 {
        assert_eq!(place.run(store.message(ids[0])), Ok(None));
        assert_eq!(place.run(store.spent()), Ok(vec![(ACCOUNT, PRICE.times(80))]));
        store = place.reopen(store);
    }
    // Late facts about what is gone are harmless.
    place.fact(&store, ids[1], submitted(1, "late"));
}

#[test]
fn a_full_disk_refuses_accepts_keeps_facts_and_recovers_by_itself() {
    let directory = tempfile::tempdir().unwrap();
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=24m", "tmpfs"]).arg(directory.path()).status();
    if !mounted.is_ok_and(|status| status.success()) {
        println!("not allowed to mount a small disk here: nothing shown");
        return;
    }
    let failures = Arc::new(AtomicI32::new(0));
    let mut options = options(directory.path(), 100_000);
    options.disk_reserve_octets = 8 * 1024 * 1024;
    let seen = Arc::clone(&failures);
    options.hooks.exit = Arc::new(move |code| seen.store(code, Ordering::Release));
    let place = Place::new(
        Clock::manual(Place::start()),
        Box::new(move |clock| Store::open(options.clone(), clock.clone()).unwrap()),
        Box::new(|_| ()),
    );
    let store = place.open();
    let filler = directory.path().join("filler");
    let mut ids = vec![place.accept_one(&store, Lane::Standard, 48_600_000_000)];
    for rest_kib in [9 * 1024, 40, 0] {
        let began = Instant::now();
        fill_disk(&filler, directory.path(), rest_kib);
        loop {
            let mut request = place.request(&store, Lane::Standard, 48_600_000_000, 200);
            request.messages = (0..200).map(|position| message(48_600_000_000, position)).collect();
            match place.run(store.accept(Lane::Standard, request)) {
                Ok(AcceptOutcome::Accepted(request)) => ids.push(request.id),
                Err(RecordError::StorageFull) => break,
                other => panic!("unexpected {other:?}"),
            }
            assert!(began.elapsed() < Duration::from_secs(30));
        }
        assert!(!store.health().accepts);
        for id in &ids {
            place.fact(&store, *id, MessageFact::Unanswered { part: 1, carrier: CARRIER, is_repeated: true });
        }
        fs::remove_file(&filler).unwrap();
        let freed = Instant::now();
        wait_until("accepts again", || store.health().accepts);
        assert!(freed.elapsed() < Duration::from_secs(5));
        ids.push(place.accept_one(&store, Lane::Standard, 48_600_000_000));
    }
    assert_eq!(failures.load(Ordering::Acquire), 0);
    let store = place.reopen(store);
    for id in &ids {
        assert!(place.run(store.message(*id)).unwrap().is_some(), "what was answered is kept");
    }
    store.close();
    let _ = Command::new("umount").arg("-l").arg(directory.path()).status();
}

/// Writes zeroes until only `rest_kib` are free.
fn fill_disk(filler: &Path, directory: &Path, rest_kib: u64) {
    use std::io::Write;
    let mut file = fs::File::create(filler).unwrap();
    loop {
        let free = rustix::fs::statvfs(directory).unwrap();
        let free_kib = free.f_bavail * free.f_frsize / 1024;
        if free_kib <= rest_kib || file.write_all(&[0; 4096]).is_err() {
            return;
        }
    }
}
