//! The way in: check, price, pay, make durable.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use domain::clock::{Clock, UnixMillis};
use domain::control::{Account, Carrier, Control};
use domain::encoding::EncodingChoice;
use domain::id::{AccountId, KeyId};
use domain::lane::{Lane, Traffic};
use domain::limits;
use domain::link::ShortLinks;
use domain::money::Money;
use domain::problem::Problem;
use domain::request::{RefusedRecipient, Request};
use sha2::{Digest, Sha256};
use smallvec::SmallVec;
use store::{AcceptOutcome, Late, RecordError, Store};
use text::Measure;
use tokio::sync::Semaphore;

use super::balance::Meters;
use super::check::{self, Conditions, Shortener, detail};
use super::codes::{self, Codes};
use super::order::{Granted, Order, Refusal, RefusalDetail};
use super::recipients::{self, Recipients};
use super::write::write;
use crate::enqueue::Enqueue;
use crate::latency::{self, Latency};
use crate::route::{NoWay, Plan, Router, Trip};

/// Whether a webhook URL may be called at all.
pub(crate) type UrlGuard = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// Takes orders. Cheap to clone.
#[derive(Clone)]
pub struct Accept(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub store: Store,
    pub enqueue: Enqueue,
    pub clock: Clock,
    pub meters: Arc<Meters>,
    pub url_guard: UrlGuard,
    /// Makes short links, where there is a domain for them.
    pub shortener: Option<Shortener>,
    stopping: AtomicBool,
    latency: Latency,
    pub codes: Codes,
    /// Large requests are sorted out one at a time.
    sorting: Semaphore,
    pub router: Router,
}

/// When a client should ask again whose request the disk has not given back yet.
const UNCONFIRMED_RETRY_SECONDS: u32 = 5;

/// What is to be done once it is known whether a request was kept.
#[derive(Clone, Copy)]
struct After {
    account: AccountId,
    total: Money,
    takes_back_older: bool,
}

/// How a way is found: for good or only to look.
pub(super) type Planner = for<'a> fn(&Router, &'a Control, &Trip<'_>) -> Result<Plan<'a>, NoWay>;

/// A text that is not the order's, and where its links are.
pub(super) type Rewritten = (Box<str>, Option<Arc<ShortLinks>>);

/// An order that passed every rule.
pub(super) struct Checked {
    pub conditions: Conditions,
    pub recipients: Recipients,
    pub measure: Measure,
    /// The text as it is sent, where that is not the order's.
    pub text: Option<Rewritten>,
    total: Money,
    control_version: u64,
}

impl Accept {
    pub(crate) fn new(
        store: Store,
        enqueue: Enqueue,
        clock: Clock,
        (meters, url_guard, shortener): (Arc<Meters>, UrlGuard, Option<Shortener>),
        latency: Latency,
        router: Router,
    ) -> Self {
        let stopping = AtomicBool::new(false);
        let (codes, sorting) = (Codes::default(), Semaphore::new(1));
        Self(Arc::new(Inner {
            store,
            enqueue,
            clock,
            meters,
            url_guard,
            shortener,
            stopping,
            latency,
            codes,
            sorting,
            router,
        }))
    }

    /// From now on every order is refused: the server is stopping.
    pub fn stop(&self) {
        self.0.stopping.store(true, Ordering::Relaxed);
    }

    /// Takes an order. `Ok` means that every message in it is on stable storage.
    ///
    /// # Errors
    /// [`Refusal`] when nothing was kept, with everything that is wrong.
    pub async fn send(&self, order: Order) -> Result<Granted, Refusal> {
        let (inner, started) = (&*self.0, Instant::now());
        if inner.stopping.load(Ordering::Relaxed) {
            return Err(refusal(Problem::ShuttingDown, Some(1)));
        }
        let now = inner.clock.now();
        self.learn_networks(&order, now).await;
        let (mut order, checked) = self.check_aside(order, now).await;
        let Checked { conditions, recipients, measure, text, total, control_version } = checked?;
        let count = recipients.accepted.len();
        inner
            .meters
            .admit(&order.account, count)
            .map_err(|wait| refusal(Problem::TooManyRequests, Some(whole_seconds(wait))))?;
        let lane = conditions.lane;
        if lane == Lane::Priority {
            let admitted = inner.codes.admit(&order, &recipients.accepted, &inner.store.control(), Instant::now());
            admitted.map_err(|refused| match refused {
                codes::Refused::ShareUsed(wait) => refusal(refused.problem(), Some(whole_seconds(wait))),
                codes::Refused::NotACode => {
                    let text = order.message.as_deref().unwrap_or_default();
                    Refusal { details: vec![detail(refused.problem(), "message", text)], retry_after_seconds: None }
                }
            })?;
        }
        let account = Arc::clone(&order.account);
        let sorted = (recipients.accepted, &*recipients.refused);
        let mut request = self.request(&mut order, conditions, sorted, (measure, control_version), now);
        if let Some((text, links)) = text {
            (request.text, request.links) = (text, links);
        }
        if !inner.meters.spend(&account, total) {
            return self.repeated_although_broke(request, &account).await;
        }
        let outcome = inner.store.accept(lane, request).await;
        latency::observe(&inner.latency.accept[lane.index()], started.elapsed());
        let after = After {
            account: account.id,
            total,
            takes_back_older: lane == Lane::Priority && order.key.settings.newest_code_only,
        };
        match outcome {
            Ok(AcceptOutcome::Unconfirmed(late)) => {
                self.follow_up(late, after);
                Err(unconfirmed())
            }
            outcome => {
                let kept = if let Ok(AcceptOutcome::Accepted(request)) = &outcome { Some(request) } else { None };
                self.keep_books(kept, after);
                self.answer(outcome, &account, recipients.refused)
            }
        }
    }

    /// What follows from a request that was kept, or was not.
    fn keep_books(&self, kept: Option<&Arc<Request>>, after: After) {
        match kept {
            Some(request) if after.takes_back_older => self.take_back_older(request),
            Some(_) => {}
            None => self.0.meters.refund(after.account, after.total),
        }
    }

    /// The client has been told that it is not known; the books are kept when it is.
    fn follow_up(&self, late: Late, after: After) {
        let accept = self.clone();
        tokio::spawn(async move {
            let kept = late.ended().await;
            let outcome = if kept.is_ok() { "kept" } else { "not kept" };
            tracing::warn!(target: "accept", account = after.account.0, outcome, "a request outlasted the time that a client waits: the disk is too slow");
            accept.keep_books(kept.ok().as_ref(), after);
        });
    }

    /// The check of a large order is done where it keeps no request waiting.
    async fn check_aside(&self, order: Order, now: UnixMillis) -> (Order, Result<Checked, Refusal>) {
        let is_small =
            order.phone_numbers.as_ref().is_none_or(|numbers| numbers.len() <= limits::RECIPIENTS_AT_ONCE_MAX);
        if is_small {
            let checked = self.check(&order, now, Router::plan);
            return (order, checked);
        }
        let _turn = self.0.sorting.acquire().await;
        let (accept, order) = (self.clone(), Arc::new(order));
        let checking = Arc::clone(&order);
        let checked = tokio::task::spawn_blocking(move || accept.check(&checking, now, Router::plan)).await;
        let checked = checked.unwrap_or_else(|error| {
            tracing::error!(target: "accept", %error, "a large request could not be checked");
            Err(refusal(Problem::Internal, None))
        });
        (Arc::unwrap_or_clone(order), checked)
    }

    /// What an account has left; zero for an account that does not exist.
    #[must_use]
    pub fn balance(&self, account: AccountId) -> Money {
        let control = self.0.store.control();
        control.account(account).map_or(Money(0), |account| self.0.meters.balance(account))
    }

    pub(super) fn check(&self, order: &Order, now: UnixMillis, plan: Planner) -> Result<Checked, Refusal> {
        let checked = check::check(order, now.seconds(), &*self.0.url_guard, self.0.shortener.as_ref());
        let (conditions, numbers) = match (checked, recipients::counted(order.phone_numbers.as_deref())) {
            (Ok(conditions), Ok(numbers)) => (conditions, numbers),
            (Err(mut details), numbers) => {
                details.extend(numbers.err());
                return Err(Refusal { details, retry_after_seconds: None });
            }
            (Ok(_), Err(problem)) => return Err(Refusal { details: vec![problem], retry_after_seconds: None }),
        };
        let control = self.0.store.control();
        let (sender, account, lane) = (&conditions.sender, order.account.id, conditions.lane);
        let mut recipients = recipients::sort_out(numbers, |phone| {
            let planned = plan(&self.0.router, &control, &Trip { phone, sender, account, lane });
            planned.map(|plan| (plan.route.settings.price, plan.carrier.id)).map_err(NoWay::problem)
        });
        if order.key.id != KeyId::CONFIRMATION {
            let sender = conditions.sender.as_str();
            recipients.refuse_opted_out(|phone| self.0.store.is_opted_out(order.account.id, sender, phone));
        }
        recipients.leave_as_number(&order.account, &conditions.sender);
        let (measure, text) = self.write(order, &conditions, &recipients)?;
        let parts = u8::try_from(measure.parts).ok().filter(|&parts| parts <= limits::PARTS_PER_MESSAGE_MAX);
        let Some(parts) = parts else {
            return Err(Refusal {
                details: vec![detail(Problem::MessageTooLong, "message", &format!("{} parts", measure.parts))],
                retry_after_seconds: None,
            });
        };
        if recipients.accepted.is_empty() {
            return Err(Refusal { details: recipients.refused, retry_after_seconds: None });
        }
        let total = recipients.price(parts);
        Ok(Checked { conditions, recipients, measure, text, total, control_version: control.version })
    }

    /// The text as it is sent, measured; the text itself only where it is not the order's. Links are measured and
    /// kept as they are, whatever becomes of the text around them.
    fn write(
        &self,
        order: &Order,
        conditions: &Conditions,
        recipients: &Recipients,
    ) -> Result<(Measure, Option<Rewritten>), Refusal> {
        let text = measured_text(order, conditions.links.as_deref());
        let control = self.0.store.control();
        let carriers = carriers_of(&control, recipients);
        let written = write(&text, conditions.encoding, &carriers).or_else(|unencodable| {
            if conditions.encoding_is_asked {
                return Err(unencodable);
            }
            // The account's own choice must not keep a message from being sent: it goes as it is.
            write(&text, EncodingChoice::Auto, &carriers)
        });
        let written = written.map_err(|unencodable| {
            let position = text[..unencodable.byte_index].chars().count();
            let value = format!("{} at {position}", unencodable.character);
            Refusal { details: vec![detail(Problem::EncodingImpossible, "message", &value)], retry_after_seconds: None }
        })?;
        let measure = written.measure;
        let text = match (written.text, &conditions.links) {
            (Cow::Borrowed(_), _) => None,
            (Cow::Owned(text), None) => Some((text.into_boxed_str(), None)),
            (Cow::Owned(text), Some(links)) => {
                let order = order.message.as_deref().unwrap_or_default();
                let moved = links.with_urls(order, &text).ok_or_else(|| refusal(Problem::LinkInvalid, None))?;
                Some((moved.0.into_boxed_str(), Some(Arc::new(moved.1))))
            }
        };
        Ok((measure, text))
    }

    fn request(
        &self,
        order: &mut Order,
        conditions: Conditions,
        recipients: (Vec<domain::request::NewMessage>, &[RefusalDetail]),
        (measure, control_version): (Measure, u64),
        now: UnixMillis,
    ) -> Request {
        let (messages, refused) = recipients;
        let asked = u32::try_from(messages.len() + refused.len()).unwrap_or(u32::MAX);
        let due_at = UnixMillis::from_seconds(conditions.schedule_time).max(now);
        let messages = spread(messages, &conditions, &order.account, due_at);
        let fingerprint = fingerprint(order);
        let refused = refused.iter().map(|detail| RefusedRecipient {
            value: detail.source.as_str().into(),
            code: detail.problem.code().into(),
        });
        Request {
            id: self.0.store.ids().next_block(conditions.lane, asked),
            account: order.account.id,
            key: order.key.id,
            uniq_id: order.uniq_id.clone(),
            external_id: order.external_id.take().map(Into::into),
            idempotency_key: order.idempotency_key.take().map(Into::into),
            fingerprint,
            traffic: conditions.traffic,
            sender: conditions.sender,
            text: order.message.take().unwrap_or_default().into(),
            links: conditions.links,
            encoding: measure.encoding,
            parts: u8::try_from(measure.parts).unwrap_or(u8::MAX),
            flash: conditions.flash,
            webhook_url: order.webhook_url.take().filter(|url| !url.is_empty()).map(Into::into),
            control_version,
            accepted_at: now,
            due_at,
            schedule_time: conditions.schedule_time,
            expires_at: due_at.plus_ms(i64::from(conditions.validity_minutes) * 60_000),
            currency: order.account.settings.currency.number,
            messages,
            refused: refused.collect(),
        }
    }

    /// A repeated request costs nothing, so it is answered even when the balance no longer covers it.
    async fn repeated_although_broke(&self, request: Request, account: &Account) -> Result<Granted, Refusal> {
        let too_low = Err(refusal(Problem::BalanceTooLow, None));
        if request.external_id.is_none() && request.idempotency_key.is_none() {
            return too_low;
        }
        match self.0.store.repeated(&request).await {
            Ok(Some(outcome)) => self.answer(Ok(outcome), account, Vec::new()),
            Ok(None) => too_low,
            Err(error) => self.answer(Err(error), account, Vec::new()),
        }
    }

    fn answer(
        &self,
        outcome: Result<AcceptOutcome, RecordError>,
        account: &Account,
        refused: Vec<RefusalDetail>,
    ) -> Result<Granted, Refusal> {
        let balance = self.0.meters.balance(account);
        match outcome {
            Ok(AcceptOutcome::Accepted(request)) => Ok(Granted { request, refused, repeated: false, balance }),
            Ok(AcceptOutcome::Repeated(request)) => {
                let refused = request.refused.iter().map(refused_before).collect();
                Ok(Granted { request, refused, repeated: true, balance })
            }
            Ok(AcceptOutcome::Conflict { by_external_id: true }) => Err(refusal(Problem::ExternalIdConflict, None)),
            Ok(AcceptOutcome::Conflict { by_external_id: false }) => {
                Err(refusal(Problem::IdempotencyKeyConflict, None))
            }
            Ok(AcceptOutcome::InProgress) => Err(refusal(Problem::RequestInProgress, Some(1))),
            Ok(AcceptOutcome::Unconfirmed(_)) => Err(unconfirmed()),
            Err(error) => Err(storage_refusal(&error)),
        }
    }
}

/// The text whose units and parts are counted: with short links where the recipients get them.
pub(super) fn measured_text<'a>(order: &'a Order, links: Option<&ShortLinks>) -> Cow<'a, str> {
    let text = order.message.as_deref().unwrap_or_default();
    match links {
        Some(links) => Cow::Owned(links.sample(text)),
        None => Cow::Borrowed(text),
    }
}

/// When each message is due: one after the other where the request asks for it, and bulk not in the quiet
/// hours of its account.
fn spread(
    mut messages: Vec<domain::request::NewMessage>,
    conditions: &Conditions,
    account: &Account,
    due_at: UnixMillis,
) -> Vec<domain::request::NewMessage> {
    let quiet = account.settings.quiet().filter(|_| conditions.traffic == Traffic::Bulk);
    if quiet.is_none() && conditions.interval_us == 0 {
        return messages;
    }
    // What would fall into the night comes in the morning, and the rest as much later.
    let mut later_ms = 0;
    for (number, message) in (0_i64..).zip(&mut messages) {
        let at = due_at.plus_ms(number.saturating_mul(conditions.interval_us) / 1_000 + later_ms);
        let over_at = quiet.as_ref().and_then(|quiet| quiet.over_at(at)).unwrap_or(at);
        later_ms += over_at.since_ms(at);
        message.delay_ms = over_at.since_ms(due_at);
    }
    messages
}

fn refused_before(recipient: &RefusedRecipient) -> RefusalDetail {
    let problem = Problem::by_code(&recipient.code).unwrap_or(Problem::RecipientInvalid);
    RefusalDetail { source: recipient.value.to_string(), ..detail(problem, "phoneNumbers", &recipient.value) }
}

fn unconfirmed() -> Refusal {
    refusal(Problem::Unconfirmed, Some(UNCONFIRMED_RETRY_SECONDS))
}

pub(super) fn refusal(problem: Problem, retry_after_seconds: Option<u32>) -> Refusal {
    Refusal { details: vec![detail(problem, "", "")], retry_after_seconds }
}

/// What a client is told when the store can't take a fact.
pub(super) fn storage_refusal(error: &RecordError) -> Refusal {
    match error {
        RecordError::Overloaded => refusal(Problem::Overloaded, Some(1)),
        RecordError::StorageFull => refusal(Problem::StorageFull, Some(5)),
        RecordError::Closed => refusal(Problem::ShuttingDown, Some(1)),
        error => {
            tracing::error!(target: "accept", error = %error, "the store refused a fact");
            refusal(Problem::Internal, None)
        }
    }
}

/// The carriers that the recipients were planned for, each once.
pub(super) fn carriers_of<'a>(control: &'a Control, recipients: &Recipients) -> SmallVec<[&'a Carrier; 4]> {
    let mut carriers: SmallVec<[&Carrier; 4]> = SmallVec::new();
    let mut last = None;
    for message in &recipients.accepted {
        // Neighbours mostly leave by the same one.
        if last.replace(message.carrier) == Some(message.carrier) {
            continue;
        }
        if let Some(carrier) = control.carrier(message.carrier)
            && !carriers.iter().any(|known| known.id == carrier.id)
        {
            carriers.push(carrier);
        }
    }
    carriers
}

pub(super) fn whole_seconds(wait: Duration) -> u32 {
    u32::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u32::MAX).max(1)
}

/// Equal orders have equal fingerprints. Only asked for when the client gave a reference to repeat by.
fn fingerprint(order: &Order) -> [u8; 16] {
    let mut first = [0_u8; 16];
    if order.external_id.is_none() && order.idempotency_key.is_none() {
        return first;
    }
    let mut hash = Sha256::new();
    let mut field = |bytes: &[u8]| {
        hash.update(u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_le_bytes());
        hash.update(bytes);
    };
    field(order.sender.as_deref().unwrap_or_default().as_bytes());
    field(order.message.as_deref().unwrap_or_default().as_bytes());
    field(order.webhook_url.as_deref().unwrap_or_default().as_bytes());
    field(order.external_id.as_deref().unwrap_or_default().as_bytes());
    let numbers = [order.validity, order.schedule_time, order.message_type, order.messages_per_hour]
        .map(|number| number.unwrap_or(0).to_le_bytes());
    field(numbers.as_flattened());
    field(&[u8::from(order.priority == Some(true)), u8::from(order.short_link == Some(true))]);
    field(order.encoding.as_deref().unwrap_or_default().as_bytes());
    for number in order.phone_numbers.iter().flatten() {
        field(number.as_bytes());
    }
    first.copy_from_slice(&hash.finalize()[..16]);
    first
}
