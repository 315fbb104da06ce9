//! A backend in memory: enough of the rules to give every kind of answer, and it remembers what it was asked.

use std::sync::Arc;

use domain::clock::{Clock, UnixMillis};
use domain::control::{Account, AccountSettings, Carrier, Control, Endpoint, EventKind, Key, KeySettings, SenderEntry};
use domain::encoding::EncodingChoice;
use domain::fact::EventId;
use domain::id::{AccountId, CarrierId, IdGenerator, KeyId, MessageId, SenderId};
use domain::incoming::IncomingMessage;
use domain::lane::Lane;
use domain::money::Money;
use domain::permission::Permission;
use domain::person::{OptOut, OptOutKey, PersonFact, Talk, TalkKey};
use domain::phone::Phone;
use domain::problem::Problem;
use domain::request::{NewMessage, RefusedRecipient, Request};
use domain::sender::Sender;
use domain::state::{Part, Status};
use flow::accept::{Alternative, CancelOutcome, Charge, Forcing, Granted, Order, Preview, Refusal, RefusalDetail};
use flow::explain::Account as Explained;
use flow::portability::NumberFacts;
use flow::tell::{Answer as WebhookAnswer, EndpointView};
use parking_lot::Mutex;
use sha2::{Digest, Sha256};
use store::question::{
    AttemptPage, AttemptQuery, EventCursor, EventPage, EventRecord, MessageRecord, SearchPage, SearchQuery, Telling,
};
use store::question::{ClickPage, ClickQuery, ClickRecord};
use store::question::{ConversationItem, ConversationPage, ConversationQuery, IncomingPage, IncomingQuery};
use text::Encoding;
use web::backend::Backend;
use web::envelope::Rejection;

use super::answers::{explained, number_facts};

pub const AUTHORIZATION: &str = "AuthorizationKeyOfTheBackendApplication0123456789";
pub const APPLICATION_KEY: &str = "applicationkey1";
/// May only read.
pub const READER_AUTHORIZATION: &str = "AuthorizationKeyOfTheReader0123456789";
/// May only be used from 198.51.100.0/24.
pub const ELSEWHERE_AUTHORIZATION: &str = "AuthorizationKeyForElsewhere0123456789";
/// 2026-11-22 10:15:00 UTC.
pub const NOW: UnixMillis = UnixMillis(1_795_342_500_000);

/// What the next send is answered with instead of the rules.
#[derive(Clone)]
pub enum Script {
    Refuse(Refusal),
    Panic,
    Hang(std::time::Duration),
}

pub struct Inner {
    pub clock: Clock,
    pub orders: Mutex<Vec<Order>>,
    pub queries: Mutex<Vec<SearchQuery>>,
    pub click_queries: Mutex<Vec<(ClickQuery, Option<String>)>>,
    pub clicks: Mutex<Vec<ClickRecord>>,
    pub script: Mutex<Option<Script>>,
    pub records: Mutex<Vec<MessageRecord>>,
    pub next: Mutex<Option<MessageId>>,
    pub events: Mutex<Vec<EventRecord>>,
    pub replayed: Mutex<Vec<EventId>>,
    pub attempts: Mutex<AttemptPage>,
    pub incoming: Mutex<Vec<IncomingMessage>>,
    pub opt_outs: Mutex<Vec<OptOut>>,
    pub talks: Mutex<Vec<Arc<Talk>>>,
    pub keep: bool,
    control: Arc<Control>,
    ids: IdGenerator,
}

#[derive(Clone)]
pub struct Fake(pub Arc<Inner>);

impl Fake {
    pub fn new() -> Self {
        Self::with_clock(Clock::manual(NOW), true)
    }

    pub fn with_clock(clock: Clock, keep: bool) -> Self {
        Self(Arc::new(Inner {
            clock: clock.clone(),
            orders: Mutex::default(),
            queries: Mutex::default(),
            click_queries: Mutex::default(),
            clicks: Mutex::default(),
            script: Mutex::default(),
            records: Mutex::default(),
            next: Mutex::default(),
            events: Mutex::default(),
            replayed: Mutex::default(),
            attempts: Mutex::default(),
            incoming: Mutex::default(),
            opt_outs: Mutex::default(),
            talks: Mutex::default(),
            keep,
            control: Arc::new(control()),
            ids: IdGenerator::new(clock, 0, MessageId(0)),
        }))
    }

    pub fn refuse(&self, problem: Problem, retry_after_seconds: Option<u32>) {
        let detail = RefusalDetail { problem, parameter: "", value: String::new(), source: String::new() };
        self.script(Script::Refuse(Refusal { details: vec![detail], retry_after_seconds }));
    }

    pub fn script(&self, script: Script) {
        *self.0.script.lock() = Some(script);
    }

    pub fn orders(&self) -> Vec<Order> {
        std::mem::take(&mut self.0.orders.lock())
    }

    pub fn queries(&self) -> Vec<SearchQuery> {
        std::mem::take(&mut self.0.queries.lock())
    }

    pub fn hold(&self, records: Vec<MessageRecord>) {
        *self.0.records.lock() = records;
    }
}

fn sender(id: u32, name: &str, approved: bool) -> SenderEntry {
    SenderEntry { id: SenderId(id), name: Sender::parse(name).unwrap(), approved }
}

fn key(id: u32, authorization: &str, permissions: &[Permission], networks: &[&str]) -> Key {
    let digest = Sha256::digest([authorization.as_bytes(), &[0], APPLICATION_KEY.as_bytes()].concat());
    Key {
        id: KeyId(id),
        account: AccountId(1),
        name: "backend".into(),
        digest: digest.into(),
        senders: vec![SenderId(1), SenderId(2), SenderId(3)],
        settings: KeySettings {
            permissions: permissions.iter().copied().collect(),
            allowed_addresses: networks.iter().map(|network| network.parse().unwrap()).collect(),
            ..KeySettings::default()
        },
    }
}

fn control() -> Control {
    let account = Account {
        id: AccountId(1),
        name: "acme".into(),
        settings: AccountSettings { priority: false, messages_per_second: 50, ..AccountSettings::default() },
        senders: vec![
            sender(1, "ACME", true),
            sender(2, "2424", true),
            sender(3, "PENDING", false),
            sender(4, "OTHER", true),
        ],
        endpoints: Vec::new(),
        numbers: Vec::new(),
    };
    let all = [Permission::SmsSend, Permission::SmsRead, Permission::WebhookWrite];
    let keys = vec![
        key(1, AUTHORIZATION, &all, &[]),
        key(2, READER_AUTHORIZATION, &[Permission::SmsRead], &[]),
        key(3, ELSEWHERE_AUTHORIZATION, &all, &["198.51.100.0/24"]),
    ];
    let carrier = |id, name: &str| Carrier { id: CarrierId(id), name: name.into(), ..Carrier::default() };
    let carriers = vec![carrier(1, "operator-one"), carrier(2, "operator-two")];
    Control::new(1, vec![account], keys, carriers, Vec::new())
}

pub(super) fn detail(problem: Problem, parameter: &'static str, value: &str) -> RefusalDetail {
    RefusalDetail { problem, parameter, value: value.into(), source: String::new() }
}

pub(super) fn refusal(details: Vec<RefusalDetail>) -> Refusal {
    Refusal { details, retry_after_seconds: None }
}

/// A stored message for lists.
pub fn record(external_id: &str, phone: &str, status: Status) -> MessageRecord {
    MessageRecord {
        short_link: false,
        id: MessageId::first_at(NOW),
        account: AccountId(1),
        key: KeyId(1),
        uniq_id: "0123456789".into(),
        external_id: external_id.into(),
        phone: Phone::parse(phone).unwrap(),
        sender: Sender::parse("ACME").unwrap(),
        text: "Zażółć \"gęślą\" jaźń %s".into(),
        encoding: Encoding::Ucs2,
        flash: false,
        status,
        status_at: NOW.plus_ms(5_000),
        error: "".into(),
        control_version: 0,
        accepted_at: NOW,
        schedule_time: 0,
        expires_at: NOW.plus_ms(4_320 * 60_000),
        price: Money(700),
        currency: 985,
        carrier: CarrierId(1),
        parts: vec![Part::default()],
    }
}

/// The rules of a send that the tests of the API need; the real ones are the flow's.
fn check(order: &Order) -> Result<(Vec<Phone>, Vec<RefusalDetail>), Refusal> {
    let mut faults = Vec::new();
    match order.sender.as_deref() {
        None => faults.push(detail(Problem::FieldMissing, "sender", "")),
        Some("ACME" | "2424") => {}
        Some(other) => faults.push(detail(Problem::SenderNotAssigned, "sender", other)),
    }
    match order.message.as_deref() {
        None => faults.push(detail(Problem::FieldMissing, "message", "")),
        Some("") => faults.push(detail(Problem::MessageEmpty, "message", "")),
        Some(text) if text.chars().count() > 1_377 => faults.push(detail(Problem::MessageTooLong, "message", "")),
        Some(_) => {}
    }
    if order.webhook_url.as_deref().is_some_and(|url| !url.starts_with("https://")) {
        faults.push(detail(Problem::WebhookUrlInvalid, "webhookUrl", order.webhook_url.as_deref().unwrap_or_default()));
    }
    let numbers = order.phone_numbers.as_deref().unwrap_or_default();
    if numbers.is_empty() {
        faults.push(detail(Problem::RecipientsMissing, "phoneNumbers", ""));
    }
    if !faults.is_empty() {
        return Err(refusal(faults));
    }
    let mut phones = Vec::new();
    let mut refused = Vec::new();
    for number in numbers {
        match Phone::parse(number) {
            Ok(phone) => phones.push(phone),
            Err(_) => refused.push(RefusalDetail {
                source: number.clone(),
                ..detail(Problem::RecipientInvalid, "phoneNumbers", number)
            }),
        }
    }
    if phones.is_empty() { Err(refusal(refused)) } else { Ok((phones, refused)) }
}

fn grant(inner: &Inner, order: Order) -> Result<Granted, Refusal> {
    let (phones, refused) = check(&order)?;
    let now = inner.clock.now();
    let message =
        |(position, phone)| NewMessage { phone, position, price: Money(700), carrier: CarrierId(1), delay_ms: 0 };
    let request = Request {
        id: inner.ids.next_block(Lane::Standard, u32::try_from(phones.len()).unwrap()),
        account: order.account.id,
        key: order.key.id,
        uniq_id: order.uniq_id,
        external_id: order.external_id.map(Into::into),
        idempotency_key: order.idempotency_key.map(Into::into),
        fingerprint: [0; 16],
        traffic: domain::lane::Traffic::Transactional,
        sender: Sender::parse(order.sender.as_deref().unwrap_or_default()).unwrap(),
        text: order.message.unwrap_or_default().into(),
        links: None,
        encoding: Encoding::Gsm7,
        parts: 1,
        flash: order.message_type == Some(1),
        webhook_url: None,
        control_version: 0,
        accepted_at: now,
        due_at: now,
        schedule_time: order.schedule_time.unwrap_or(0),
        expires_at: now,
        currency: 985,
        messages: (0_u16..).zip(phones).map(message).collect(),
        refused: refused
            .iter()
            .map(|detail| RefusedRecipient { value: detail.value.clone().into(), code: detail.problem.code().into() })
            .collect(),
    };
    Ok(Granted { request: Arc::new(request), refused, repeated: false, balance: Money(9_999_300) })
}

impl Backend for Fake {
    fn control(&self) -> Arc<Control> {
        Arc::clone(&self.0.control)
    }

    async fn send(&self, order: Order) -> Result<Granted, Refusal> {
        if self.0.keep {
            self.0.orders.lock().push(order.clone());
        }
        let script = self.0.script.lock().take();
        match script {
            Some(Script::Refuse(refusal)) => return Err(refusal),
            Some(Script::Panic) => panic!("scripted"),
            Some(Script::Hang(time)) => tokio::time::sleep(time).await,
            None => {}
        }
        grant(&self.0, order)
    }

    async fn look_up(&self, _: &Account, number: &str) -> Result<NumberFacts, Refusal> {
        number_facts(number)
    }

    async fn preview(&self, order: &Order) -> Result<Preview, Refusal> {
        let (phones, refused) = check(order)?;
        let charge = |phone| Charge {
            phone,
            price: Money(1_400),
            price_per_part: Money(700),
            carrier: CarrierId(1),
            carrier_name: "operator-one".into(),
            explanation: None,
        };
        let plain =
            |choice, parts, replaced| Alternative { choice, encoding: Encoding::Gsm7, units: 80, parts, replaced };
        Ok(Preview {
            encoding: Encoding::Ucs2,
            units: 80,
            parts: 2,
            lane: Lane::Standard,
            text: order.message.clone().unwrap_or_default(),
            forcing: [('ż', 2), ('ł', 4), ('ż', 5)]
                .map(|(character, position)| Forcing { character, position })
                .to_vec(),
            alternatives: vec![plain(EncodingChoice::Transliterated, 1, 3)],
            currency: 985,
            charges: phones.into_iter().map(charge).collect(),
            refused,
        })
    }

    async fn cancel(&self, _: AccountId, external_ids: &[String]) -> Result<CancelOutcome, Refusal> {
        let mut outcome = CancelOutcome { cancelled: Vec::new(), refused: Vec::new() };
        for id in external_ids {
            let refused = |problem| RefusalDetail { source: id.clone(), ..detail(problem, "externalId", id) };
            match id.split('-').next() {
                Some("gone") => outcome.refused.push(refused(Problem::MessageNotFound)),
                Some("late") => outcome.refused.push(refused(Problem::NotCancellable)),
                _ => outcome.cancelled.push(record(id, "48111222333", Status::Cancelled)),
            }
        }
        Ok(outcome)
    }

    async fn events(&self, _: AccountId, after: EventCursor, limit: usize) -> Result<EventPage, Rejection> {
        let events = self.0.events.lock();
        // A cursor made of a moment lies before everything.
        let seen = usize::try_from(after.0[1].0).unwrap();
        let seen = if seen > events.len() { 0 } else { seen };
        let page: Vec<_> = events[seen..].iter().take(limit).cloned().collect();
        let read = seen + page.len();
        let next = EventCursor([after.0[0], MessageId(i64::try_from(read).unwrap())]);
        Ok(EventPage { events: page, next, more: read < events.len() })
    }

    async fn dead_letters(&self, _: AccountId, after: EventId, limit: usize) -> Result<Vec<EventRecord>, Rejection> {
        let events = self.0.events.lock();
        let is_dead = |record: &&EventRecord| record.telling == Telling::GivenUp && record.event.id > after;
        Ok(events.iter().filter(is_dead).take(limit).cloned().collect())
    }

    async fn events_by_id(&self, _: AccountId, ids: Vec<EventId>) -> Result<Vec<EventRecord>, Rejection> {
        Ok(self.0.events.lock().iter().filter(|record| ids.contains(&record.event.id)).cloned().collect())
    }

    async fn replay(&self, events: Vec<EventId>) -> Result<(), Rejection> {
        self.0.replayed.lock().extend(events);
        Ok(())
    }

    async fn incoming(&self, query: IncomingQuery) -> Result<IncomingPage, Rejection> {
        let matches = |message: &&IncomingMessage| {
            query.account == message.account
                && query.phone.is_none_or(|phone| message.phone == Some(phone))
                && query.number.as_ref().is_none_or(|number| *number == message.number)
                && query.keyword.as_ref().is_none_or(|keyword| *keyword == message.keyword)
        };
        let rows = self.0.incoming.lock().iter().filter(matches).cloned().collect();
        Ok(IncomingPage { rows, next: None })
    }

    async fn conversation(&self, query: ConversationQuery) -> Result<ConversationPage, Rejection> {
        let of_person = IncomingQuery { phone: Some(query.phone), ..IncomingQuery::of(Some(query.account)) };
        let page = self.incoming(IncomingQuery { number: Some(query.number), ..of_person }).await?;
        Ok(ConversationPage { items: page.rows.into_iter().map(ConversationItem::Incoming).collect(), next: None })
    }

    fn opt_outs(&self, account: AccountId, after: Option<&OptOutKey>, limit: usize) -> Vec<OptOut> {
        let opt_outs = self.0.opt_outs.lock();
        let of_account = opt_outs.iter().filter(|entry| entry.key.account == account);
        of_account.filter(|entry| after.is_none_or(|after| entry.key > *after)).take(limit).cloned().collect()
    }

    fn opt_outs_of(&self, key: &OptOutKey) -> Vec<OptOut> {
        let mut entries = self.opt_outs(key.account, None, usize::MAX);
        entries.retain(|entry| entry.key.phone == key.phone);
        entries
    }

    fn talks(&self, account: AccountId, after: Option<&TalkKey>, limit: usize) -> Vec<Arc<Talk>> {
        let talks = self.0.talks.lock();
        let of_account = talks.iter().filter(|talk| talk.key.account == account);
        of_account.filter(|talk| after.is_none_or(|after| talk.key > *after)).take(limit).cloned().collect()
    }

    fn talk(&self, key: &TalkKey) -> Option<Arc<Talk>> {
        self.0.talks.lock().iter().find(|talk| talk.key == *key).cloned()
    }

    async fn record_people(&self, facts: Vec<PersonFact>) -> Result<(), Rejection> {
        let mut opt_outs = self.0.opt_outs.lock();
        for fact in facts {
            match fact {
                PersonFact::OptedOut(entry) => opt_outs.push(entry),
                PersonFact::OptedIn(key) => opt_outs.retain(|entry| entry.key != key),
                PersonFact::TalkEnded(key) => self.0.talks.lock().retain(|talk| talk.key != key),
                PersonFact::Talks(_) => {}
            }
        }
        opt_outs.sort_by(|one, other| one.key.cmp(&other.key));
        Ok(())
    }

    async fn clicks(&self, query: ClickQuery, external_id: Option<&str>) -> Result<ClickPage, Rejection> {
        self.0.click_queries.lock().push((query, external_id.map(str::to_owned)));
        let rows = self.0.clicks.lock().clone();
        Ok(ClickPage { rows, next: *self.0.next.lock() })
    }

    fn endpoints(&self, _: AccountId) -> Vec<EndpointView> {
        Vec::new()
    }

    async fn try_out(&self, _: &Endpoint) -> Result<WebhookAnswer, String> {
        Ok(WebhookAnswer { status: 200, ..WebhookAnswer::default() })
    }

    async fn turn_on(&self, _: AccountId, kind: EventKind, _: Option<String>) -> usize {
        usize::from(kind == EventKind::Status)
    }

    async fn attempts(&self, _: AttemptQuery) -> Result<AttemptPage, Rejection> {
        Ok(self.0.attempts.lock().clone())
    }

    async fn explain(&self, account: AccountId, external_id: &str) -> Result<Vec<Explained>, Rejection> {
        let matches = |record: &&MessageRecord| record.account == account && *record.external_id == *external_id;
        let records = self.0.records.lock();
        Ok(records.iter().filter(matches).map(|record| explained(record, &self.0.control)).collect())
    }

    async fn search(&self, query: SearchQuery) -> Result<SearchPage, Rejection> {
        self.0.queries.lock().push(query.clone());
        let matches =
            |record: &&MessageRecord| query.external_id.as_deref().is_none_or(|id| id == &*record.external_id);
        let rows = self.0.records.lock().iter().filter(matches).cloned().collect();
        Ok(SearchPage { rows, next: *self.0.next.lock() })
    }
}
