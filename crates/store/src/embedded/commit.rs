//! Folds facts into rows within one transaction, and says what memory has to learn once it is durable.

use std::collections::HashMap;
use std::sync::Arc;

use domain::click::Click;
use domain::clock::UnixMillis;
use domain::control::{Control, EventKind};
use domain::event::Event;
use domain::fact::{CallOutcome, EventId, Fact, MessageFact, ParkedReceipt, WebhookCall};
use domain::id::{AccountId, CarrierId, IdGenerator, MessageId};
use domain::incoming::{IncomingMessage, IncomingPart};
use domain::lane::Lane;
use domain::money::Money;
use domain::request::Request;
use domain::state::{Change, Status};
use foldhash::fast::FixedState;
use rusqlite::Connection;

use super::clicks;
use super::columns::PartColumns;
use super::database::Fault;
use super::event_rows;
use super::incoming_rows::{self, PART_JOINED, PART_TOLD};
use super::index::Logged;
use super::limits::STEPS_PER_MESSAGE_MAX;
use super::live::{Head, Live, LiveCache};
use super::read;
use super::steps::{failed_call, new_step};
use super::sum::RowSum;
use super::write::{self, NewStep, Statements};
use crate::watcher::{Committed, Moved};

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;
/// `counter.kind` of accepted messages.
pub(crate) const COUNTER_ACCEPTED: i64 = 0;
/// `counter.kind` of refunded messages.
pub(crate) const COUNTER_REFUNDED: i64 = 1;

/// A fact on its way into one span.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Item<'a> {
    Accepted(&'a Arc<Request>),
    Message { id: MessageId, at: UnixMillis, what: &'a MessageFact },
    Called { event: EventId, call: &'a WebhookCall },
    Parked(&'a ParkedReceipt),
    Unparked(MessageId),
    Event(&'a Arc<Event>),
    Replayed(EventId),
    IncomingPart(&'a IncomingPart),
    Incoming(&'a Arc<IncomingMessage>),
    IncomingPartTold { id: MessageId, whole: bool },
    IncomingHandled(MessageId),
    Clicked(&'a Click),
}

impl<'a> Item<'a> {
    /// The items a fact consists of; a webhook call and a replay have one for each event.
    pub fn of_fact(fact: &'a Fact, mut take: impl FnMut(Self)) {
        match fact {
            Fact::Accepted(request) => take(Self::Accepted(request)),
            Fact::Message { id, at, what } => take(Self::Message { id: *id, at: *at, what }),
            Fact::ReceiptParked(parked) => take(Self::Parked(parked)),
            Fact::ReceiptUnparked { parked_id } => take(Self::Unparked(*parked_id)),
            Fact::Event(event) => take(Self::Event(event)),
            Fact::Replayed(events) => events.iter().for_each(|event| take(Self::Replayed(*event))),
            Fact::IncomingPart(part) => take(Self::IncomingPart(part)),
            Fact::Incoming { message, part_ids } => {
                take(Self::Incoming(message));
                let whole = message.is_complete() && message.late_part.is_none();
                part_ids.iter().for_each(|id| take(Self::IncomingPartTold { id: *id, whole }));
            }
            Fact::IncomingHandled { id } => take(Self::IncomingHandled(*id)),
            Fact::Clicked(click) => take(Self::Clicked(click)),
            Fact::Called(call) => call.events.iter().for_each(|event| take(Self::Called { event: *event, call })),
        }
    }

    /// The id that decides which span it goes to.
    pub fn id(&self) -> MessageId {
        match self {
            Self::Accepted(request) => request.id,
            Self::Message { id, .. } | Self::Unparked(id) => *id,
            Self::Called { event, .. } | Self::Replayed(event) => event.message,
            Self::Event(event) => event.id.message,
            Self::Parked(parked) => parked.id,
            Self::IncomingPart(part) => part.id,
            Self::Incoming(message) => message.id,
            Self::IncomingPartTold { id, .. } | Self::IncomingHandled(id) => *id,
            Self::Clicked(click) => click.id,
        }
    }

    /// Messages it adds.
    pub fn rows(&self) -> usize {
        if let Self::Accepted(request) = self { request.messages.len() } else { 1 }
    }
}

/// A change of the memory index, in order.
#[derive(Clone, Copy, Debug)]
pub(crate) enum IndexChange {
    OperatorKey { key: i64, id: MessageId, part: u8 },
    Unscheduled { due_at: i64, id: MessageId },
    Logged(Logged),
    IncomingPart(MessageId),
    IncomingJoined(MessageId),
    IncomingHandled(MessageId),
    Untold(EventId),
    Told(EventId),
    Dead(EventId),
}

/// What memory learns once the transaction is durable.
#[derive(Default)]
pub(crate) struct Outcome {
    pub committed: Vec<Committed>,
    pub accepted: Vec<(Arc<Request>, Arc<Head>)>,
    pub changes: Vec<IndexChange>,
    /// With whether they came from the cache.
    pub put_back: Vec<(Box<Live>, bool)>,
    pub parked: Vec<ParkedReceipt>,
    pub unparked: Vec<MessageId>,
    pub incoming: Vec<Arc<IncomingMessage>>,
    /// Change of the number of messages waiting, by carrier and account.
    pub waiting: HashMap<(CarrierId, AccountId), i64>,
    pub open: i64,
    /// The last place given to an event, 0 if there was none.
    pub last_position: i64,
    pub spent: HashMap<AccountId, Money>,
    counters: HashMap<(i64, u32, i64), (i64, i64, i64)>,
}

struct Touched {
    live: Box<Live>,
    /// Whether it came from the cache.
    cached: bool,
    dirty: bool,
    /// Bits of the parts that changed, for messages of several parts.
    parts: u16,
}

/// One transaction on one span.
pub(crate) struct Transaction<'a> {
    connection: &'a Connection,
    statements: Statements<'a>,
    live: &'a mut LiveCache,
    control: &'a Control,
    /// Makes the places of events, in the order of the commits.
    places: (&'a IdGenerator, Lane),
    sum: RowSum,
    touched: hashbrown::HashMap<i64, Touched, FixedState>,
    /// Order of first touch, so that rows are written in the order of the facts.
    order: Vec<i64>,
    heads: HashMap<MessageId, Arc<Head>>,
    outcome: Outcome,
}

impl<'a> Transaction<'a> {
    /// Begins; the caller has begun the SQL transaction.
    pub fn new(
        connection: &'a Connection,
        live: &'a mut LiveCache,
        control: &'a Control,
        places: (&'a IdGenerator, Lane),
    ) -> Self {
        Self {
            connection,
            statements: Statements::new(connection),
            live,
            control,
            places,
            sum: RowSum::default(),
            touched: hashbrown::HashMap::default(),
            order: Vec::new(),
            heads: HashMap::new(),
            outcome: Outcome::default(),
        }
    }

    /// Folds one fact in.
    pub fn apply(&mut self, item: &Item<'_>) -> Result<(), Fault> {
        match item {
            Item::Accepted(request) => self.accepted(request),
            Item::Message { id, at, what } => self.message(*id, *at, what),
            Item::Called { event, call } => self.called(*event, call),
            Item::Parked(parked) => {
                write::parked(self.connection, parked, &mut self.sum)?;
                self.outcome.parked.push((*parked).clone());
                Ok(())
            }
            Item::Unparked(id) => {
                write::unparked(self.connection, *id)?;
                self.outcome.unparked.push(*id);
                Ok(())
            }
            Item::Event(event) => self.event(event),
            Item::Replayed(event) => self.replayed(*event),
            Item::IncomingPart(part) => {
                incoming_rows::write_part(self.connection, part, &mut self.sum)?;
                self.outcome.changes.push(IndexChange::IncomingPart(part.id));
                Ok(())
            }
            Item::Incoming(message) => {
                incoming_rows::write_message(self.connection, message, &mut self.sum)?;
                self.outcome.incoming.push(Arc::clone(message));
                Ok(())
            }
            Item::IncomingPartTold { id, whole } => {
                let state = if *whole { PART_JOINED } else { PART_TOLD };
                incoming_rows::part_told(self.connection, *id, state)?;
                if *whole {
                    self.outcome.changes.push(IndexChange::IncomingJoined(*id));
                }
                Ok(())
            }
            Item::IncomingHandled(id) => {
                incoming_rows::handled(self.connection, *id)?;
                self.outcome.changes.push(IndexChange::IncomingHandled(*id));
                Ok(())
            }
            Item::Clicked(click) => clicks::write(self.connection, click, &mut self.sum),
        }
    }

    /// Writes what the facts have made of each message, and the sums.
    pub fn finish(mut self) -> Result<Outcome, Fault> {
        for id in std::mem::take(&mut self.order) {
            let Some(touched) = self.touched.remove(&id) else { continue };
            let live = touched.live;
            if touched.dirty {
                write::state(&mut self.statements, live.id, &live.progress, live.steps, &mut self.sum)?;
            }
            for index in 0..live.progress.parts.len() {
                if touched.parts & (1 << index) != 0 {
                    write::part(self.connection, live.id, index, &live.progress, &mut self.sum)?;
                }
            }
            self.outcome.put_back.push((live, touched.cached));
        }
        for (key, add) in &self.outcome.counters {
            write::counter(self.connection, *key, *add)?;
        }
        Ok(self.outcome)
    }

    fn accepted(&mut self, request: &Arc<Request>) -> Result<(), Fault> {
        write::accepted(self.connection, request, &mut self.sum)?;
        let outcome = &mut self.outcome;
        let parts = i64::from(request.parts.max(1));
        let count = i64::try_from(request.messages.len()).unwrap_or(i64::MAX);
        for message in &request.messages {
            *outcome.waiting.entry((message.carrier, request.account)).or_default() += 1;
        }
        outcome.open += count;
        let spent = outcome.spent.entry(request.account).or_default();
        *spent = spent.plus(request.price());
        outcome.count(request.id, request.account, COUNTER_ACCEPTED, (count, count * parts, request.price().0));
        outcome.committed.push(Committed::Accepted(Arc::clone(request)));
        outcome.accepted.push((Arc::clone(request), Arc::new(Head::of(request))));
        Ok(())
    }

    fn message(&mut self, id: MessageId, at: UnixMillis, what: &MessageFact) -> Result<(), Fault> {
        if !self.load(id)? {
            tracing::debug!(target: "store", message = %id, "a fact about a message that is not kept any more");
            return Ok(());
        }
        let Some(touched) = self.touched.get_mut(&id.0) else { return Ok(()) };
        if let MessageFact::Rerouted { carrier, .. } = what {
            if !touched.live.progress.may_be_rerouted() || touched.live.carrier == *carrier {
                return Ok(());
            }
            let before = std::mem::replace(&mut touched.live.carrier, *carrier);
            write::carrier(self.connection, id, *carrier, &mut self.sum)?;
            let account = touched.live.head.account;
            *self.outcome.waiting.entry((before, account)).or_default() -= 1;
            *self.outcome.waiting.entry((*carrier, account)).or_default() += 1;
        }
        let from = touched.live.progress.status;
        let change = touched.live.progress.apply(what, at);
        touched.dirty |= change.parts != 0 || change.moved_from.is_some();
        if touched.live.progress.parts.len() > 1 {
            touched.parts |= change.parts;
        }
        let moved = change.moved_from.map(|_| touched.live.progress.status);
        let is_event = moved.is_some_and(Status::is_outcome);
        let head = &touched.live.head;
        let told = is_event && wants_events(self.control, head.account, EventKind::Status, head.webhook_url.as_deref());
        let step = new_step(what, at, moved, told);
        if let Some(mut step) = step.filter(|_| is_event || touched.live.steps < STEPS_PER_MESSAGE_MAX) {
            touched.live.steps += 1;
            touched.dirty = true;
            let event = EventId { message: id, step: touched.live.steps };
            if is_event {
                step.logged = Some(self.outcome.log(self.places, head.account, event));
            }
            write::step(&mut self.statements, event, &step, &mut self.sum)?;
        }
        let live = &self.touched[&id.0].live;
        self.outcome.follow(live, from, &change, at, told);
        let is_cut_short = matches!(what, MessageFact::Refused { is_final: true, .. }) && moved.is_some();
        if is_cut_short { self.cost_of_the_rest(id, at) } else { Ok(()) }
    }

    /// Of a long message that a part's refusal cut short, what the parts cost that were taken before.
    fn cost_of_the_rest(&mut self, id: MessageId, at: UnixMillis) -> Result<(), Fault> {
        let Some(touched) = self.touched.get_mut(&id.0) else { return Ok(()) };
        let live = &mut touched.live;
        let taken = live.progress.parts.iter().filter(|part| part.taken_at.is_some()).count();
        let parts = live.progress.parts.len();
        if taken == 0 || live.steps >= STEPS_PER_MESSAGE_MAX {
            return Ok(());
        }
        let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let cost = Money(live.price.0 / count(parts).max(1) * count(taken));
        live.steps += 1;
        let step = NewStep {
            at: at.0,
            kind: "parts_taken",
            part: 0,
            carrier: None,
            status: None,
            detail: format!("{taken} of {parts} parts, {cost} of {}", live.price).into(),
            raw: &[],
            told: false,
            logged: None,
        };
        let event = EventId { message: id, step: live.steps };
        write::step(&mut self.statements, event, &step, &mut self.sum)
    }

    fn event(&mut self, event: &Arc<Event>) -> Result<(), Fault> {
        let told = wants_events(self.control, event.account, event.kind(), event.webhook_url.as_deref());
        let logged = self.outcome.log(self.places, event.account, event.id);
        event_rows::notice(self.connection, event, logged.position, told, &mut self.sum)?;
        if told {
            self.outcome.changes.push(IndexChange::Untold(event.id));
            self.outcome.committed.push(Committed::Event(Arc::clone(event)));
        }
        Ok(())
    }

    fn replayed(&mut self, event: EventId) -> Result<(), Fault> {
        if event_rows::replayed(self.connection, event, &mut self.sum)? {
            self.outcome.changes.push(IndexChange::Untold(event));
        }
        Ok(())
    }

    fn called(&mut self, event: EventId, call: &WebhookCall) -> Result<(), Fault> {
        if !event_rows::called(self.connection, &mut self.statements, event, call, &mut self.sum)? {
            return Ok(());
        }
        let change = match call.outcome {
            CallOutcome::RetryAt(_) => IndexChange::Untold(event),
            CallOutcome::Told => IndexChange::Told(event),
            CallOutcome::Dead => IndexChange::Dead(event),
        };
        self.outcome.changes.push(change);
        if call.outcome == CallOutcome::Told || event.has_row() {
            return Ok(());
        }
        if !self.load(event.message)? {
            return Ok(());
        }
        let Some(touched) = self.touched.get_mut(&event.message.0) else { return Ok(()) };
        if touched.live.steps >= STEPS_PER_MESSAGE_MAX {
            return Ok(());
        }
        touched.live.steps += 1;
        touched.dirty = true;
        let step = NewStep {
            at: call.at.0,
            kind: "told",
            part: 0,
            carrier: None,
            status: None,
            detail: failed_call(call).into(),
            raw: &[],
            logged: None,
            told: false,
        };
        write::step(&mut self.statements, EventId { step: touched.live.steps, ..event }, &step, &mut self.sum)
    }

    /// Has the message at hand in `touched`; false if there is none.
    fn load(&mut self, id: MessageId) -> Result<bool, Fault> {
        if self.touched.contains_key(&id.0) {
            return Ok(true);
        }
        let cached = self.live.take(id);
        let is_cached = cached.is_some();
        let Some(live) = cached.map_or_else(|| self.fetch(id), |live| Ok(Some(live)))? else { return Ok(false) };
        self.order.push(id.0);
        self.touched.insert(id.0, Touched { live, cached: is_cached, dirty: false, parts: 0 });
        Ok(true)
    }

    fn fetch(&mut self, id: MessageId) -> Result<Option<Box<Live>>, Fault> {
        let Some(row) = read::message(self.connection, id, &mut self.sum)? else { return Ok(None) };
        let head = match self.heads.get(&row.request_id) {
            Some(head) => Arc::clone(head),
            None => {
                let request = read::request(self.connection, row.request_id, &mut self.sum)?;
                let request = request.ok_or_else(|| read::damaged("request", row.request_id.0))?;
                let head = Arc::new(Head::of_row(&request));
                self.heads.insert(row.request_id, Arc::clone(&head));
                head
            }
        };
        let progress = read::progress(self.connection, row.clone(), head.parts, &mut self.sum)?;
        Ok(Some(Box::new(Live::of_row(&row, head, progress))))
    }
}

impl Outcome {
    /// Gives an event its place.
    fn log(&mut self, (ids, lane): (&IdGenerator, Lane), account: AccountId, event: EventId) -> Logged {
        let logged = Logged { position: ids.next(lane).0, account, event };
        self.last_position = logged.position;
        self.changes.push(IndexChange::Logged(logged));
        logged
    }

    /// Notes what a change of a message means for indexes, sums and those who watch.
    fn follow(&mut self, live: &Live, from: Status, change: &Change, at: UnixMillis, told: bool) {
        let changed = live.progress.parts.iter().enumerate().filter(|(index, _)| change.parts & (1 << index) != 0);
        for (index, part) in changed {
            if let (Some(key), true) = (PartColumns::of(part).operator_key, part.taken_at == Some(at)) {
                let number = u8::try_from(index + 1).unwrap_or(u8::MAX);
                self.changes.push(IndexChange::OperatorKey { key, id: live.id, part: number });
            }
        }
        if change.moved_from.is_none() {
            return;
        }
        let to = live.progress.status;
        let (parts, price) = (i64::from(live.head.parts), live.price.0);
        if from == Status::New {
            *self.waiting.entry((live.carrier, live.head.account)).or_default() -= 1;
            if live.due_at > 0 {
                self.changes.push(IndexChange::Unscheduled { due_at: live.due_at, id: live.id });
            }
        }
        if to.is_outcome() && !from.is_outcome() {
            self.open -= 1;
        }
        if from.is_outcome() {
            self.count(live.id, live.head.account, i64::from(from.code()), (-1, -parts, -price));
        }
        self.count(live.id, live.head.account, i64::from(to.code()), (1, parts, price));
        let refund = if change.refund { live.price } else { Money(0) };
        if change.refund {
            self.count(live.id, live.head.account, COUNTER_REFUNDED, (1, parts, price));
            let spent = self.spent.entry(live.head.account).or_default();
            *spent = spent.minus(refund);
        }
        let event = told.then(|| Arc::new(live.event(live.steps, to, at, &live.progress.error)));
        if let Some(event) = &event {
            self.changes.push(IndexChange::Untold(event.id));
        }
        self.committed.push(Committed::Moved(Moved {
            id: live.id,
            account: live.head.account,
            from,
            to,
            at,
            refund,
            event,
        }));
    }

    fn count(&mut self, id: MessageId, account: AccountId, kind: i64, add: (i64, i64, i64)) {
        let day = id.created().0.div_euclid(DAY_MS);
        let sum = self.counters.entry((day, account.0, kind)).or_default();
        *sum = (sum.0 + add.0, sum.1 + add.1, sum.2 + add.2);
    }
}

fn wants_events(control: &Control, account: AccountId, kind: EventKind, webhook_url: Option<&str>) -> bool {
    webhook_url.is_some() || control.account(account).is_some_and(|account| account.endpoint(kind).is_some())
}
