//! Opens, runs and closes the embedded backend.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64};
use std::sync::{Arc, OnceLock};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use domain::clock::Clock;
use domain::id::{AccountId, IdGenerator, MessageId};
use domain::lane::Lane;
use domain::limits::PARKED_RECEIPT_LIFE_MS;
use domain::money::Money;
use parking_lot::{Condvar, Mutex};
use tokio::sync::mpsc;

use super::connections::Connections;
use super::database::create_span;
use super::dedup::InFlight;
use super::disk::Disk;
use super::files::{Layout, Lock, SpanName, io_error, sync_directory, with_suffix};
use super::filter::{FilterBudget, Filters};
use super::index::HotIndex;
use super::keeper::Keeper;
use super::late_keys::LateKeys;
use super::limits::{PATIENT_READERS, PROMPT_READERS};
use super::parked::ParkedIndex;
use super::people::{self, People, PeopleOrders};
use super::queue::Order;
use super::readers::Readers;
use super::recover::recover_all;
use super::retention::{read_archive, remove_files};
use super::sealer::Sealer;
use super::shared::{LaneMetrics, Shared};
use super::span::{Counts, Span, Spans};
use super::writer::Writer;
use crate::control::{ControlDb, Follower};
use crate::error::OpenError;
use crate::late::Patience;
use crate::options::Options;
use crate::webhooks::{Room, WebhookDb};

/// The node number in ids: the embedded backend is alone.
const NODE: u8 = 0;

/// The embedded backend at work.
pub(crate) struct Engine {
    pub shared: Arc<Shared>,
    pub orders: [mpsc::Sender<Order>; 2],
    pub people: Mutex<Option<PeopleOrders>>,
    pub prompt: Readers,
    pub patient: Readers,
    threads: Mutex<Vec<JoinHandle<()>>>,
    writers: Mutex<Vec<JoinHandle<()>>>,
    follower: Mutex<Option<Follower>>,
    lock: Mutex<Option<Lock>>,
}

impl Engine {
    /// Opens the data directory and starts the threads.
    pub fn open(options: Options, clock: Clock) -> Result<Self, OpenError> {
        let layout = Layout { data_dir: options.data_dir.clone() };
        layout.create()?;
        let lock = Lock::take(&options.data_dir)?;
        let control = ControlDb::open(&options.data_dir, &options.master_key_file);
        let control = Arc::new(control.map_err(|error| OpenError::Control(error.to_string()))?);
        let follower = control.follow().map_err(|error| OpenError::Control(error.to_string()))?;
        let (people, people_writer, people_orders) = people::open(&options.data_dir)?;
        let shared = Arc::new(load(options, clock, layout, control, people)?);

        let started = |source| io_error("start the threads of", &shared.layout.data_dir, source);
        let prompt = Readers::start("store-prompt", PROMPT_READERS, &shared).map_err(started)?;
        let patient = Readers::start("store-list", PATIENT_READERS, &shared).map_err(started)?;
        let mut writers = Vec::new();
        let mut threads = Vec::new();
        let orders = Lane::ALL.map(|lane| {
            let (writer, sender) = Writer::new(lane, Arc::clone(&shared));
            writers.push((lane, writer));
            threads.push(Keeper::new(lane, Arc::clone(&shared), sender.clone()));
            sender
        });
        let writers = writers.into_iter().map(|(lane, writer)| {
            Builder::new().name(format!("store-write-{}", lane.index())).spawn(move || writer.run())
        });
        let writers: Vec<_> = writers.collect::<Result<_, _>>().map_err(started)?;
        let of_people = Arc::clone(&shared);
        let people_writer =
            Builder::new().name("store-people".into()).spawn(move || people_writer.run(&of_people)).map_err(started)?;
        let mut keepers =
            threads.into_iter().map(|keeper| Builder::new().name("store-keep".into()).spawn(move || keeper.run()));
        let mut threads: Vec<_> = keepers.by_ref().collect::<Result<_, _>>().map_err(started)?;
        threads.push(people_writer);
        let sealer = Sealer::new(Arc::clone(&shared), orders.clone());
        threads.push(Builder::new().name("store-seal".into()).spawn(move || sealer.run()).map_err(started)?);
        let watched = Arc::clone(&shared);
        threads.push(Builder::new().name("store-disk".into()).spawn(move || watch_disk(&watched)).map_err(started)?);
        let timed = Arc::clone(&shared);
        threads.push(Builder::new().name("store-time".into()).spawn(move || watch_time(&timed)).map_err(started)?);
        Ok(Self {
            orders,
            people: Mutex::new(Some(people_orders)),
            prompt,
            patient,
            threads: Mutex::new(threads),
            writers: Mutex::new(writers),
            follower: Mutex::new(Some(follower)),
            lock: Mutex::new(Some(lock)),
            shared,
        })
    }

    /// Finishes the queues, copies the logs back and closes the files. Blocking; later calls do nothing.
    pub fn close(&self) {
        if !self.shared.begin_closing() {
            return;
        }
        for orders in &self.orders {
            while let Err(mpsc::error::TrySendError::Full(_)) = orders.try_send(Order::Close) {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        // The writer ends when nobody can hand anything in any more.
        *self.people.lock() = None;
        join(&self.writers);
        self.prompt.stop();
        self.patient.stop();
        join(&self.threads);
        self.shared.connections.clear();
        *self.follower.lock() = None;
        *self.lock.lock() = None;
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.close();
    }
}

fn join(threads: &Mutex<Vec<JoinHandle<()>>>) {
    for thread in threads.lock().drain(..) {
        // A panic there has been reported by the thread itself.
        let _ = thread.join();
    }
}

/// How far ids jump ahead when the largest stored one cannot be read.
const DAMAGED_IDS_AHEAD_MS: i64 = 1_000;

/// How often the free room on the disk is looked up.
const DISK_LOOK: Duration = Duration::from_millis(200);

/// On a thread that never touches the disk: it goes on when the disk does not answer.
fn watch_time(shared: &Shared) {
    while shared.pause(shared.patience.tick()) {
        shared.patience.look();
    }
}

fn watch_disk(shared: &Shared) {
    while shared.pause(DISK_LOOK) {
        shared.disk.look();
    }
}

/// Reads everything back and makes sure that each lane has a span that takes new messages.
fn load(
    options: Options,
    clock: Clock,
    layout: Layout,
    control: Arc<ControlDb>,
    people: People,
) -> Result<Shared, OpenError> {
    let spans_dir = layout.spans();
    remove_spares(&layout);
    let archive = read_archive(&layout).map_err(|fault| OpenError::Io {
        action: "read",
        path: layout.archive(),
        source: std::io::Error::other(format!("{fault:?}")),
    })?;
    let mut names = layout.list_spans().map_err(|source| io_error("list", &spans_dir, source))?;
    names.retain(|name| {
        let is_deleted = archive.deleted.contains(&name.file_name());
        if is_deleted {
            remove_files(&layout, &layout.span(*name));
        }
        !is_deleted
    });
    let parked_since = MessageId::first_at(clock.now().plus_ms(-PARKED_RECEIPT_LIFE_MS));
    let recovered = recover_all(&layout, &names, parked_since)?;
    let spans = Spans::default();
    let parked = ParkedIndex::default();
    let mut spent: HashMap<AccountId, Money> = archive.spent;
    let mut last_seen = MessageId(0);
    for one in recovered {
        last_seen = last_seen.max(one.last_id);
        if one.span.damage().is_some() {
            // Which ids it holds cannot be read; they were all made before now.
            last_seen = last_seen.max(MessageId::first_at(clock.now().plus_ms(DAMAGED_IDS_AHEAD_MS)));
        }
        for (account, money) in one.spent {
            let sum = spent.entry(account).or_default();
            *sum = sum.plus(money);
        }
        one.parked.iter().filter(|receipt| receipt.id >= parked_since).for_each(|receipt| parked.add(receipt));
        spans.add(Arc::new(one.span));
    }
    let ids = IdGenerator::new(clock.clone(), NODE, last_seen);
    let disk = Disk::new(&layout.data_dir, layout.reserve(), options.disk_reserve_octets);
    for lane in Lane::ALL {
        let takes_new = spans.newest(lane).is_some_and(|span| !span.is_sealed() && span.damage().is_none());
        if !takes_new {
            spans.add(Arc::new(first_span(&layout, SpanName { lane, first: ids.next(lane) })?));
        }
    }
    let webhooks = WebhookDb::open(&layout.data_dir, Room::of(&options))
        .map_err(|source| OpenError::Database { file: layout.data_dir.join("webhooks.db"), source })?;
    // Nothing is being written yet: all there is can be found.
    let log_ends = Lane::ALL.map(|lane| AtomicI64::new(ids.next(lane).0));
    Ok(Shared {
        clock,
        ids,
        control,
        spans,
        watcher: OnceLock::new(),
        in_flight: InFlight::default(),
        parked,
        people,
        late_keys: LateKeys::default(),
        orphans_expired: AtomicU64::new(0),
        operator_ids_reused: AtomicU64::new(0),
        disk,
        filter_budget: FilterBudget::default(),
        connections: Connections::default(),
        metrics: [LaneMetrics::default(), LaneMetrics::default()],
        patience: Patience::new(Duration::from_millis(options.hooks.accept_durable_ms)),
        spent: Mutex::new(spent),
        log_ends,
        webhooks,
        closing: Mutex::new(false),
        closed: Condvar::new(),
        failed: AtomicBool::new(false),
        layout,
        options,
    })
}

/// Makes a span under a passing name, so that a half-made one is never taken for a span.
fn first_span(layout: &Layout, name: SpanName) -> Result<Span, OpenError> {
    let (spare, path) = (layout.spare(name.lane), layout.span(name));
    create_span(&spare)?;
    std::fs::rename(&spare, &path).map_err(|source| io_error("create", &path, source))?;
    sync_directory(&layout.spans())?;
    let filters = Filters::new(path.with_extension("filter"), false);
    Ok(Span::new(name, path, Some(HotIndex::default()), Counts::default(), filters))
}

fn remove_spares(layout: &Layout) {
    for lane in Lane::ALL {
        for suffix in ["", "-wal", "-shm", "-journal"] {
            let _ = std::fs::remove_file(with_suffix(&layout.spare(lane), suffix));
        }
    }
}
