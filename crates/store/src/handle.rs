//! The way in.

use std::sync::Arc;

use domain::clock::{Clock, UnixMillis};
use domain::control::Control;
use domain::fact::{Fact, ParkedReceipt};
use domain::id::{AccountId, CarrierId, IdGenerator, MessageId};
use domain::lane::Lane;
use domain::link::{LinkCodes, LinkId};
use domain::money::Money;
use domain::request::{Request, Waiting};
use smallvec::SmallVec;
use tokio::sync::mpsc::error::TrySendError;

use crate::embedded::engine::Engine;
use crate::embedded::filter::KeyKind;
use crate::embedded::hash::{Reference, reference_key};
use crate::embedded::publish::references;
use crate::embedded::queue::Order;
use crate::embedded::{ask_lines, ask_message, ask_receipts, clicks, search};
use crate::error::{OpenError, QuestionError, RecordError};
use crate::late::{Late, Turn};
use crate::options::Options;
use crate::question::{
    ClickPage, ClickQuery, ClickSum, Health, LinkTarget, MessageRecord, Overdue, ReceiptMatch, SearchPage, SearchQuery,
    Step,
};
use crate::watcher::Watcher;

/// What became of a request to accept.
#[derive(Debug, PartialEq, Eq)]
pub enum AcceptOutcome {
    /// It is on stable storage.
    Accepted(Arc<Request>),
    /// It was accepted before; this is what was accepted then.
    Repeated(Arc<Request>),
    /// Its reference was used for another request.
    Conflict {
        /// The reference is the externalId, not the Idempotency-Key.
        by_external_id: bool,
    },
    /// A request with the same reference is being accepted right now.
    InProgress,
    /// The disk has it and does not answer: it may be kept, or may yet be.
    Unconfirmed(Late),
}

/// Everything remembered. Cheap to clone; closed when the last clone is gone, or by [`Store::close`].
#[derive(Clone)]
pub struct Store {
    pub(crate) engine: Arc<Engine>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Store").field("data_dir", &self.engine.shared.options.data_dir).finish_non_exhaustive()
    }
}

impl Store {
    /// Opens the data directory, making it if there is none. Blocking.
    ///
    /// # Errors
    /// [`OpenError`] when another process has the directory, a newer version wrote it, or the disk refuses.
    /// A damaged span does not keep the store from opening; it is just not served from.
    pub fn open(options: Options, clock: Clock) -> Result<Self, OpenError> {
        Ok(Self { engine: Arc::new(Engine::open(options, clock)?) })
    }

    /// Sets who learns of every commit; once, before the first fact.
    pub fn watch(&self, watcher: Arc<dyn Watcher>) {
        if self.engine.shared.watcher.set(watcher).is_err() {
            tracing::error!(target: "store", "a second watcher was ignored");
        }
    }

    /// Writes and reads the codes of short links.
    #[must_use]
    pub fn link_codes(&self) -> &LinkCodes {
        self.engine.shared.control.link_codes()
    }

    /// Makes the ids of messages.
    #[must_use]
    pub fn ids(&self) -> &IdGenerator {
        &self.engine.shared.ids
    }

    /// The control data in force.
    #[must_use]
    pub fn control(&self) -> Arc<Control> {
        self.engine.shared.control.snapshot()
    }

    /// Notes in the audit something that changes no control data. Blocking.
    ///
    /// # Errors
    /// [`crate::control::ControlError`] when it can't be written.
    pub fn note(&self, note: &crate::control::Note) -> Result<(), crate::control::ControlError> {
        self.engine.shared.control.note(note)
    }

    /// Tells when the control data changed, here or by another process.
    #[must_use]
    pub fn control_versions(&self) -> tokio::sync::watch::Receiver<u64> {
        self.engine.shared.control.versions()
    }

    /// Accepts a request with all its messages; they are on stable storage when this says so.
    ///
    /// A request whose `external_id` or `idempotency_key` was seen on the account within the configured
    /// life, on either lane, is not accepted again. Dropping the future does not take the request back.
    ///
    /// What is not on stable storage after [`domain::limits::ACCEPT_DURABLE_MS`] is taken back, unless it is on its way
    /// to the disk already: then it is [`AcceptOutcome::Unconfirmed`].
    ///
    /// # Errors
    /// [`RecordError::Overloaded`] when the queue is full or the disk too slow, [`RecordError::StorageFull`] below the disk
    /// reserve; nothing is kept then.
    pub async fn accept(&self, lane: Lane, request: Request) -> Result<AcceptOutcome, RecordError> {
        let shared = &self.engine.shared;
        debug_assert_eq!(lane, request.id.lane(), "the id decides the lane");
        if !shared.disk.accepts() {
            return Err(RecordError::StorageFull);
        }
        let lane = request.id.lane();
        let request = Arc::new(request);
        let mut claims = SmallVec::new();
        for (kind, text) in references(&request) {
            let Some(claim) = shared.in_flight.claim(reference_key(request.account, kind, text)) else {
                return Ok(AcceptOutcome::InProgress);
            };
            claims.push(claim);
        }
        if let Some(outcome) = self.known(&request).await? {
            return Ok(outcome);
        }
        let turn = Turn::default();
        let (order, mut told) = Order::accept(Arc::clone(&request), claims, turn.clone());
        self.engine.orders[lane.index()].try_send(order).map_err(|error| match error {
            TrySendError::Full(_) => RecordError::Overloaded,
            TrySendError::Closed(_) => RecordError::Closed,
        })?;
        match shared.patience.wait(&mut told).await {
            Some(result) => result.unwrap_or(Err(RecordError::Closed)).map(|()| AcceptOutcome::Accepted(request)),
            None if turn.withdraw() => Err(RecordError::Overloaded),
            None => Ok(AcceptOutcome::Unconfirmed(Late::new(request, told))),
        }
    }

    /// What [`Store::accept`] would say of a request whose references were used before:
    /// [`AcceptOutcome::Repeated`], [`AcceptOutcome::Conflict`] or [`AcceptOutcome::InProgress`], and
    /// `None` when they are new. Nothing is kept.
    ///
    /// # Errors
    /// [`RecordError`] when the store can't be asked.
    pub async fn repeated(&self, request: &Request) -> Result<Option<AcceptOutcome>, RecordError> {
        let in_flight = &self.engine.shared.in_flight;
        let is_claimed = |(kind, text)| in_flight.is_claimed(reference_key(request.account, kind, text));
        if references(request).any(is_claimed) {
            return Ok(Some(AcceptOutcome::InProgress));
        }
        self.known(request).await
    }

    async fn known(&self, request: &Request) -> Result<Option<AcceptOutcome>, RecordError> {
        for (kind, text) in references(request) {
            if let Some(first) = self.first_with(request.account, kind, text).await? {
                let same = first.fingerprint == request.fingerprint;
                let conflict = AcceptOutcome::Conflict { by_external_id: kind == Reference::External };
                return Ok(Some(if same { AcceptOutcome::Repeated(first) } else { conflict }));
            }
        }
        Ok(None)
    }

    /// The request that used a reference before, if that is not too long ago.
    async fn first_with(
        &self,
        account: AccountId,
        kind: Reference,
        text: &str,
    ) -> Result<Option<Arc<Request>>, RecordError> {
        let shared = &self.engine.shared;
        let since = shared.clock.now().plus_ms(-shared.options.idempotency_life_ms);
        let key = reference_key(account, kind, text);
        let may_be_known = shared.spans.newest_first().iter().any(|span| match span.hot.read().as_ref() {
            Some(index) => index.reference(key).is_some(),
            None if shared.spans.end_of(span).is_some_and(|end| end.created() < since) => false,
            None => span.filters.may_hold_in_memory(KeyKind::Reference, key).unwrap_or(true),
        });
        if !may_be_known {
            return Ok(None);
        }
        let text = text.to_owned();
        Ok(self.engine.prompt.ask(move |shared| ask_message::repeated(shared, account, kind, &text, since)).await?)
    }

    /// Records facts; they are on stable storage when this returns `Ok`. Facts of one caller are applied
    /// in the order of the calls. They are queued by the first poll, or as soon as there is room, and
    /// dropping the future after that takes nothing back.
    ///
    /// # Errors
    /// [`RecordError::StorageFull`] when even the reserve is used up; never [`RecordError::Overloaded`].
    pub async fn record(&self, lane: Lane, facts: Vec<Fact>) -> Result<(), RecordError> {
        let mut first_error = Ok(());
        let mut waiting: SmallVec<[_; 2]> = SmallVec::new();
        for (lane, facts) in by_lane(lane, facts) {
            let (order, told) = Order::record(facts);
            let orders = &self.engine.orders[lane.index()];
            // Without the detour over the task's budget, which could put the queueing off to a later poll.
            match orders.try_send(order) {
                Ok(()) => waiting.push(told),
                Err(TrySendError::Full(order)) => {
                    orders.send(order).await.map_err(|_| RecordError::Closed)?;
                    waiting.push(told);
                }
                Err(TrySendError::Closed(_)) => return Err(RecordError::Closed),
            }
        }
        for told in waiting {
            first_error = first_error.and(told.await.unwrap_or(Err(RecordError::Closed)));
        }
        first_error
    }

    /// One message.
    ///
    /// # Errors
    /// [`QuestionError`] when the answer lies in damaged data or the store is too busy.
    pub async fn message(&self, id: MessageId) -> Result<Option<MessageRecord>, QuestionError> {
        self.engine.prompt.ask(move |shared| ask_message::message(shared, id)).await
    }

    /// Messages of an account with that `externalId`: one message, or all of a request with several
    /// recipients. Newest request first, at most `RECIPIENTS_PER_REQUEST_MAX` and one request.
    ///
    /// # Errors
    /// [`QuestionError`] when the answer lies in damaged data or the store is too busy.
    pub async fn find(&self, account: AccountId, external_id: &str) -> Result<Vec<MessageRecord>, QuestionError> {
        let external_id = external_id.to_owned();
        self.engine.patient.ask(move |shared| ask_message::find(shared, account, &external_id)).await
    }

    /// Where a short link leads; `None` when its message is not kept (any more) or has no such link.
    ///
    /// # Errors
    /// [`QuestionError`] when the answer lies in damaged data or the store is too busy.
    pub async fn link(&self, id: LinkId) -> Result<Option<LinkTarget>, QuestionError> {
        self.engine.prompt.ask(move |shared| clicks::link(shared, id)).await
    }

    /// One page of clicks on short links, newest first.
    ///
    /// # Errors
    /// [`QuestionError`] when the answer lies in damaged data, takes too long or the store is too busy.
    pub async fn clicks(&self, query: ClickQuery) -> Result<ClickPage, QuestionError> {
        self.engine.patient.ask(move |shared| clicks::clicks(shared, &query)).await
    }

    /// How often people opened the links of a message, and when first.
    ///
    /// # Errors
    /// [`QuestionError`] when the answer lies in damaged data, takes too long or the store is too busy.
    pub async fn click_sum(&self, message: MessageId) -> Result<ClickSum, QuestionError> {
        self.engine.patient.ask(move |shared| clicks::click_sum_of(shared, message)).await
    }

    /// One page of a list. A message that was just accepted is there.
    ///
    /// # Errors
    /// [`QuestionError::TimedOut`] or [`QuestionError::TooMany`] when the query has to be narrowed down.
    pub async fn search(&self, query: SearchQuery) -> Result<SearchPage, QuestionError> {
        self.engine.patient.ask(move |shared| search::search(shared, &query)).await
    }

    /// What happened to a message, oldest first.
    ///
    /// # Errors
    /// [`QuestionError`] when the answer lies in damaged data or the store is too busy.
    pub async fn history(&self, id: MessageId) -> Result<Vec<Step>, QuestionError> {
        self.engine.prompt.ask(move |shared| ask_message::history(shared, id)).await
    }

    /// Messages of an account that wait for a carrier and are due, after `after`, by id.
    ///
    /// # Errors
    /// [`QuestionError`] when the answer lies in damaged data or the store is too busy.
    pub async fn waiting(
        &self,
        lane: Lane,
        line: (CarrierId, AccountId),
        after: MessageId,
        limit: usize,
    ) -> Result<Vec<Waiting>, QuestionError> {
        self.engine.prompt.ask(move |shared| ask_lines::waiting(shared, lane, line, after, limit)).await
    }

    /// Scheduled messages due before `due_before`, after `after`, by (due time, id).
    ///
    /// # Errors
    /// [`QuestionError`] when the answer lies in damaged data or the store is too busy.
    pub async fn scheduled(
        &self,
        lane: Lane,
        due_before: UnixMillis,
        after: (UnixMillis, MessageId),
        limit: usize,
    ) -> Result<Vec<Waiting>, QuestionError> {
        self.engine.prompt.ask(move |shared| ask_lines::scheduled(shared, lane, due_before, after, limit)).await
    }

    /// Messages past their time; they come again until they are ended.
    ///
    /// # Errors
    /// [`QuestionError`] when the answer lies in damaged data or the store is too busy.
    pub async fn overdue(&self, lane: Lane, limit: usize) -> Result<Vec<Overdue>, QuestionError> {
        self.engine.prompt.ask(move |shared| ask_lines::overdue(shared, lane, limit)).await
    }

    /// Where a receipt belongs, as far as that is known at once; the way of nearly all of them. `None` says
    /// nothing: then [`Store::match_receipt`] has to be asked.
    #[must_use]
    pub fn match_at_once(&self, carrier: CarrierId, canonical_id: &str) -> Option<ReceiptMatch> {
        ask_receipts::match_in_memory(&self.engine.shared, carrier, canonical_id)
    }

    /// Where a receipt belongs, for each form of its id. Where an operator used an id again, the newest message wins
    /// that still waits for its outcome.
    ///
    /// # Errors
    /// [`QuestionError`] when the answer lies in damaged data or the store is too busy.
    pub async fn match_receipt(
        &self,
        carrier: CarrierId,
        canonical_ids: &[Box<str>],
    ) -> Result<Vec<Option<ReceiptMatch>>, QuestionError> {
        let canonical_ids = canonical_ids.to_vec();
        self.engine.prompt.ask(move |shared| ask_receipts::match_receipt(shared, carrier, &canonical_ids)).await
    }

    /// Parked receipts of all carriers after `after`, oldest first.
    ///
    /// # Errors
    /// [`QuestionError`] when the answer lies in damaged data or the store is too busy.
    pub async fn parked_after(&self, after: MessageId, limit: usize) -> Result<Vec<ParkedReceipt>, QuestionError> {
        self.engine.prompt.ask(move |shared| ask_receipts::parked_after(shared, after, limit)).await
    }

    /// Parked receipts of `carrier` that `canonical_id` matches, oldest first.
    ///
    /// # Errors
    /// [`QuestionError`] when the answer lies in damaged data or the store is too busy.
    pub async fn parked(&self, carrier: CarrierId, canonical_id: &str) -> Result<Vec<ParkedReceipt>, QuestionError> {
        if !ask_receipts::may_be_parked(&self.engine.shared, carrier, canonical_id) {
            return Ok(Vec::new());
        }
        let canonical_id = canonical_id.to_owned();
        self.engine.prompt.ask(move |shared| ask_receipts::parked(shared, carrier, &canonical_id)).await
    }

    /// Whether that receipt is still parked; cheap, and true as well where memory can't tell.
    #[must_use]
    pub fn may_be_parked(&self, id: MessageId) -> bool {
        self.engine.shared.parked.may_hold(id)
    }

    /// Whether any receipt is parked; cheap.
    #[must_use]
    pub fn has_parked(&self) -> bool {
        self.engine.shared.parked.len() > 0
    }

    /// Carriers and accounts with messages not handed over yet, scheduled ones included, and how many.
    ///
    /// # Errors
    /// None at present; kept for backends that have to ask.
    pub async fn lines(&self, lane: Lane) -> Result<Vec<(CarrierId, AccountId, u64)>, QuestionError> {
        let mut lines = std::collections::BTreeMap::new();
        for span in self.engine.shared.spans.of_lane(lane) {
            for (line, waiting) in &span.counts.lock().waiting {
                *lines.entry(*line).or_default() += *waiting;
            }
        }
        Ok(lines.into_iter().map(|((carrier, account), waiting)| (carrier, account, waiting)).collect())
    }

    /// What each account has spent: accepted minus refunded.
    ///
    /// # Errors
    /// None at present; kept for backends that have to ask.
    pub async fn spent(&self) -> Result<Vec<(AccountId, Money)>, QuestionError> {
        let mut spent: Vec<_> =
            self.engine.shared.spent.lock().iter().map(|(account, money)| (*account, *money)).collect();
        spent.sort_unstable();
        Ok(spent)
    }

    /// What the store says of itself.
    #[must_use]
    pub fn health(&self) -> Health {
        self.engine.health()
    }

    /// Finishes the queues, copies the logs back and closes the files. Blocking.
    pub fn close(&self) {
        self.engine.close();
    }
}

/// Each lane's share of the facts. Usually all are of one lane; a webhook call may name events of both.
fn by_lane(lane: Lane, facts: Vec<Fact>) -> SmallVec<[(Lane, Vec<Fact>); 2]> {
    let is_of = |fact: &Fact, lane: Lane| match fact {
        Fact::Accepted(request) => request.id.lane() == lane,
        Fact::Message { id, .. } => id.lane() == lane,
        Fact::ReceiptParked(parked) => parked.id.lane() == lane,
        Fact::ReceiptUnparked { parked_id } => parked_id.lane() == lane,
        Fact::Event(event) => event.id.message.lane() == lane,
        Fact::IncomingPart(part) => part.id.lane() == lane,
        Fact::Incoming { message, .. } => message.id.lane() == lane,
        Fact::IncomingHandled { id } => id.lane() == lane,
        Fact::Clicked(click) => click.id.lane() == lane,
        Fact::Called(call) => call.events.iter().all(|event| event.message.lane() == lane),
        Fact::Replayed(events) => events.iter().all(|event| event.message.lane() == lane),
    };
    if facts.iter().all(|fact| is_of(fact, lane)) {
        return SmallVec::from_iter([(lane, facts)]);
    }
    let mut shares = Lane::ALL.map(|lane| (lane, Vec::new()));
    for fact in facts {
        for (lane, share) in &mut shares {
            match &fact {
                Fact::Called(call) => {
                    let mut own = call.clone();
                    own.events.retain(|event| event.message.lane() == *lane);
                    if !own.events.is_empty() {
                        share.push(Fact::Called(own));
                    }
                }
                Fact::Replayed(events) => {
                    let own: Vec<_> = events.iter().copied().filter(|event| event.message.lane() == *lane).collect();
                    if !own.is_empty() {
                        share.push(Fact::Replayed(own));
                    }
                }
                other if is_of(other, *lane) => share.push(other.clone()),
                _ => {}
            }
        }
    }
    shares.into_iter().filter(|(_, share)| !share.is_empty()).collect()
}
