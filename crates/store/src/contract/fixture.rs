//! What the cases stand on.

use std::future::Future;
use std::sync::Arc;

use domain::clock::{Clock, UnixMillis};
use domain::event::Event;
use domain::fact::{Fact, MessageFact};
use domain::id::{AccountId, CarrierId, KeyId, MessageId};
use domain::lane::{Lane, Traffic};
use domain::money::Money;
use domain::phone::Phone;
use domain::receipt::ReceiptState;
use domain::request::{NewMessage, Request};
use domain::sender::Sender;
use parking_lot::Mutex;
use text::Encoding;
use tokio::runtime::{Builder, Runtime};

use crate::handle::{AcceptOutcome, Store};
use crate::question::{OrderBy, SearchQuery};
use crate::watcher::{Committed, Moved, Watcher};

/// One case: stores and asks, and panics when an answer is wrong.
pub type Case = fn(&Place);

/// Where a case stores: what was stored before is there again after [`Place::reopen`].
pub struct Place {
    /// The clock of the store; it stands still unless the case moves it.
    pub clock: Clock,
    open: Box<dyn Fn(&Clock) -> Store>,
    rest: Box<dyn Fn(&Store)>,
    runtime: Runtime,
}

/// Price of every message in the cases.
pub const PRICE: Money = Money(700);
/// The account most cases use.
pub const ACCOUNT: AccountId = AccountId(1);
/// The carrier most cases use.
pub const CARRIER: CarrierId = CarrierId(3);
/// Validity of every message in the cases.
pub const VALIDITY_MS: i64 = 600_000;

impl Place {
    /// A place whose store is opened by `open`; `rest` waits until the backend has done what it does in
    /// the background.
    ///
    /// # Panics
    /// When the system gives no threads.
    #[must_use]
    pub fn new(clock: Clock, open: Box<dyn Fn(&Clock) -> Store>, rest: Box<dyn Fn(&Store)>) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("threads");
        Self { clock, open, rest, runtime }
    }

    /// Opens the store.
    #[must_use]
    pub fn open(&self) -> Store {
        (self.open)(&self.clock)
    }

    /// Closes the store and opens it again.
    #[must_use]
    pub fn reopen(&self, store: Store) -> Store {
        store.close();
        drop(store);
        self.open()
    }

    /// Lets the backend do what it does in the background.
    pub fn rest(&self, store: &Store) {
        (self.rest)(store);
    }

    /// Waits for a future.
    pub fn run<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// Moves the clock on.
    pub fn pass_ms(&self, milliseconds: i64) {
        self.clock.set(self.clock.now().plus_ms(milliseconds));
    }

    /// A request of `count` recipients with numbers from `first_phone` on.
    pub fn request(&self, store: &Store, lane: Lane, first_phone: u64, count: u16) -> Request {
        let now = self.clock.now();
        Request {
            id: store.ids().next_block(lane, u32::from(count)),
            account: ACCOUNT,
            key: KeyId(2),
            uniq_id: "u1".into(),
            external_id: None,
            idempotency_key: None,
            fingerprint: [7; 16],
            traffic: if lane == Lane::Priority { Traffic::Code } else { Traffic::Transactional },
            sender: Sender::parse("ACME").expect("a sender"),
            text: "Żółw".into(),
            links: None,
            encoding: Encoding::Ucs2,
            parts: 1,
            flash: false,
            webhook_url: Some("https://example.org/reports".into()),
            control_version: 5,
            accepted_at: now,
            due_at: now,
            schedule_time: 0,
            expires_at: now.plus_ms(VALIDITY_MS),
            currency: 985,
            messages: (0..count).map(|position| message(first_phone + u64::from(position), position)).collect(),
            refused: Vec::new(),
        }
    }

    /// Accepts a request that must be new.
    pub fn accept(&self, store: &Store, request: Request) -> Arc<Request> {
        match self.run(store.accept(request.id.lane(), request)) {
            Ok(AcceptOutcome::Accepted(request)) => request,
            other => panic!("expected a new request, got {other:?}"),
        }
    }

    /// Accepts a request of one recipient.
    pub fn accept_one(&self, store: &Store, lane: Lane, phone: u64) -> MessageId {
        self.accept(store, self.request(store, lane, phone, 1)).id
    }

    /// Records one fact about a message.
    pub fn fact(&self, store: &Store, id: MessageId, what: MessageFact) {
        let fact = Fact::Message { id, at: self.clock.now(), what };
        self.run(store.record(id.lane(), vec![fact])).expect("a durable fact");
    }
}

/// A message to `phone`.
pub fn message(phone: u64, position: u16) -> NewMessage {
    NewMessage {
        position,
        phone: Phone::from_u64(phone).expect("a number"),
        price: PRICE,
        carrier: CARRIER,
        delay_ms: 0,
    }
}

/// The operator took a part and called it `operator_id`.
pub fn submitted(part: u8, operator_id: &str) -> MessageFact {
    MessageFact::Submitted { part, carrier: CARRIER, operator_id: operator_id.into(), canonical_id: operator_id.into() }
}

/// The operator reported on a part.
pub fn receipt(part: u8, state: ReceiptState) -> MessageFact {
    let raw: Box<[u8]> = Box::from(*b"id:1 stat:DELIVRD");
    MessageFact::Receipt { part, carrier: CARRIER, state, error: "000".into(), done_at: None, raw }
}

/// A list of everything of an account, newest first.
pub fn everything(account: AccountId) -> SearchQuery {
    SearchQuery {
        account,
        external_id: None,
        phone: None,
        senders: Vec::new(),
        status: None,
        from: None,
        to: None,
        order_by: OrderBy::CreateTime,
        descending: true,
        offset: 0,
        limit: 1000,
        after: None,
    }
}

/// Remembers what it is told.
#[derive(Default)]
pub struct Notes {
    seen: Mutex<Vec<(Lane, Committed)>>,
}

impl Watcher for Notes {
    fn committed(&self, lane: Lane, committed: Vec<Committed>) {
        self.seen.lock().extend(committed.into_iter().map(|one| (lane, one)));
    }
}

impl Notes {
    /// The moves it was told of, in order.
    pub fn moves(&self) -> Vec<Moved> {
        let is_move = |(_, one): &(Lane, Committed)| match one {
            Committed::Moved(moved) => Some(moved.clone()),
            Committed::Accepted(_) | Committed::Event(_) => None,
        };
        self.seen.lock().iter().filter_map(is_move).collect()
    }

    /// Events with a row of their own that it was told of.
    pub fn events(&self) -> Vec<Arc<Event>> {
        let is_event = |(_, one): &(Lane, Committed)| match one {
            Committed::Event(event) => Some(Arc::clone(event)),
            Committed::Accepted(_) | Committed::Moved(_) => None,
        };
        self.seen.lock().iter().filter_map(is_event).collect()
    }

    /// Requests it was told of.
    pub fn accepted(&self) -> Vec<MessageId> {
        let is_request = |(_, one): &(Lane, Committed)| match one {
            Committed::Accepted(request) => Some(request.id),
            Committed::Moved(_) | Committed::Event(_) => None,
        };
        self.seen.lock().iter().filter_map(is_request).collect()
    }
}

/// A moment far enough from the zero of ids.
pub const START: UnixMillis = UnixMillis(1_800_000_000_000);

impl Place {
    /// The moment at which backends should start the clock of a place.
    #[must_use]
    pub fn start() -> UnixMillis {
        START
    }
}
