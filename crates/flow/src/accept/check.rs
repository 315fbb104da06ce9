//! The rules of the fields: from an order to values that can be trusted, or everything that is wrong.

use std::sync::Arc;

use domain::choice::Choice as _;
use domain::control::{Account, Key};
use domain::encoding::EncodingChoice;
use domain::lane::{KeyTraffic, Lane, Traffic};
use domain::limits;
use domain::link::{LinkCodes, ShortLinks};
use domain::problem::Problem;
use domain::sender::Sender;

use super::links;
use super::order::{Order, RefusalDetail};

/// The conditions of an order, checked. Recipients come afterwards, see [`super::recipients`].
#[derive(Clone, Debug)]
pub(super) struct Conditions {
    pub lane: Lane,
    pub traffic: Traffic,
    pub sender: Sender,
    pub validity_minutes: u32,
    pub schedule_time: i64,
    /// Time between two messages of the request, in microseconds.
    pub interval_us: i64,
    pub flash: bool,
    pub encoding: EncodingChoice,
    /// The choice stands in the order; otherwise it is the account's.
    pub encoding_is_asked: bool,
    pub links: Option<Arc<ShortLinks>>,
}

/// Where short links lead to, and under which key their codes are made.
#[derive(Clone, Debug)]
pub(crate) struct Shortener {
    /// Scheme, domain and slash.
    pub base: String,
    pub codes: LinkCodes,
}

/// Longest excerpt of what was passed that goes back in `meta.value`, in characters.
const VALUE_CHARACTERS_MAX: usize = 64;

pub(super) fn detail(problem: Problem, parameter: &'static str, value: &str) -> RefusalDetail {
    let value = value.chars().take(VALUE_CHARACTERS_MAX).collect();
    RefusalDetail { problem, parameter, value, source: String::new() }
}

/// Collects what is wrong, so that a client learns everything at once.
#[derive(Default)]
struct Findings(Vec<RefusalDetail>);

impl Findings {
    fn add(&mut self, problem: Problem, parameter: &'static str, value: &str) {
        self.0.push(detail(problem, parameter, value));
    }
}

/// Checks everything but the recipients and the length of the text.
pub(super) fn check(
    order: &Order,
    now_seconds: i64,
    url_allowed: &dyn Fn(&str) -> bool,
    shortener: Option<&Shortener>,
) -> Result<Conditions, Vec<RefusalDetail>> {
    let mut findings = Findings::default();
    let sender = check_sender(order, &mut findings);
    match order.message.as_deref() {
        None => findings.add(Problem::FieldMissing, "message", ""),
        Some("") => findings.add(Problem::MessageEmpty, "message", ""),
        Some(_) => {}
    }
    let lane = if order.priority == Some(true) { Lane::Priority } else { Lane::Standard };
    let validity_minutes = check_validity(order.validity, default_validity(lane, &order.key), &mut findings);
    let schedule_time = check_schedule(order.schedule_time, now_seconds, &mut findings);
    let interval_us = check_pace(order, lane, schedule_time - now_seconds, &mut findings);
    let flash = match order.message_type {
        None | Some(0) => false,
        Some(1) => true,
        Some(other) => {
            findings.add(Problem::TypeInvalid, "type", &other.to_string());
            false
        }
    };
    let links = check_links(order, shortener, &mut findings);
    let asked = order.encoding.as_deref().map(|name| {
        EncodingChoice::by_name(name).unwrap_or_else(|| {
            findings.add(Problem::EncodingInvalid, "encoding", name);
            EncodingChoice::Auto
        })
    });
    let encoding = asked.unwrap_or(order.account.settings.encoding);
    let encoding_is_asked = asked.is_some();
    check_references(order, url_allowed, &mut findings);
    if lane == Lane::Priority && !order.account.settings.priority {
        findings.add(Problem::PriorityNotEnabled, "priority", "true");
    }
    match sender {
        Some(sender) if findings.0.is_empty() => {
            let traffic = traffic(lane, &order.key);
            Ok(Conditions {
                lane,
                traffic,
                sender,
                validity_minutes,
                schedule_time,
                interval_us,
                flash,
                encoding,
                encoding_is_asked,
                links,
            })
        }
        _ => Err(findings.0),
    }
}

/// What asks for priority is a code; the rest is what its key is for.
fn traffic(lane: Lane, key: &Key) -> Traffic {
    match (lane, key.settings.traffic) {
        (Lane::Priority, _) => Traffic::Code,
        (Lane::Standard, KeyTraffic::Transactional) => Traffic::Transactional,
        (Lane::Standard, KeyTraffic::Bulk) => Traffic::Bulk,
    }
}

/// The validity of what says nothing, in minutes.
fn default_validity(lane: Lane, key: &Key) -> u32 {
    match key.settings.priority_validity_minutes {
        minutes if lane == Lane::Priority && minutes > 0 => minutes,
        _ => limits::VALIDITY_MINUTES_MAX,
    }
}

fn check_sender(order: &Order, findings: &mut Findings) -> Option<Sender> {
    let Some(name) = order.sender.as_deref() else {
        findings.add(Problem::FieldMissing, "sender", "");
        return None;
    };
    if let Some(sender) = assigned_sender(&order.account, &order.key, name) {
        return Some(sender);
    }
    let problem = if Sender::parse(name).is_err() { Problem::SenderInvalid } else { Problem::SenderNotAssigned };
    findings.add(problem, "sender", name);
    None
}

fn assigned_sender(account: &Account, key: &Key, name: &str) -> Option<Sender> {
    if key.id.is_internal() {
        // Answers go out as the number that was written to.
        let is_own = account.numbers.iter().any(|number| number.number == name);
        return Sender::parse(name).ok().filter(|_| is_own);
    }
    let entry = account.sender(name)?;
    (entry.approved && key.senders.contains(&entry.id)).then(|| entry.name.clone())
}

fn check_validity(validity: Option<i64>, default: u32, findings: &mut Findings) -> u32 {
    match validity {
        None | Some(0) => default,
        Some(minutes) => match u32::try_from(minutes) {
            Ok(minutes) if minutes <= limits::VALIDITY_MINUTES_MAX => minutes,
            _ => {
                findings.add(Problem::ValidityInvalid, "validity", &minutes.to_string());
                limits::VALIDITY_MINUTES_MAX
            }
        },
    }
}

fn check_schedule(schedule_time: Option<i64>, now_seconds: i64, findings: &mut Findings) -> i64 {
    let schedule_time = schedule_time.unwrap_or(0);
    if schedule_time < 0 {
        findings.add(Problem::ScheduleInvalid, "scheduleTime", &schedule_time.to_string());
    } else if schedule_time > now_seconds.saturating_add(limits::SCHEDULE_AHEAD_SECONDS_MAX) {
        findings.add(Problem::ScheduleTooFar, "scheduleTime", &schedule_time.to_string());
    }
    schedule_time
}

fn check_links(order: &Order, shortener: Option<&Shortener>, findings: &mut Findings) -> Option<Arc<ShortLinks>> {
    if order.short_link != Some(true) {
        return None;
    }
    let Some(shortener) = shortener else {
        findings.add(Problem::ShortLinkUnavailable, "shortLink", "true");
        return None;
    };
    match links::find(order.message.as_deref().unwrap_or_default(), &shortener.base, &shortener.codes) {
        Ok(links) => Some(Arc::new(links)),
        Err(wrong) => {
            findings.0.extend(wrong);
            None
        }
    }
}

/// Time between two messages in microseconds; 0 = no limit.
fn check_pace(order: &Order, lane: Lane, ahead_seconds: i64, findings: &mut Findings) -> i64 {
    const HOUR_US: i64 = 3_600_000_000;
    let per_hour = order.messages_per_hour.unwrap_or(0);
    if per_hour == 0 {
        return 0;
    }
    let recipients = order.phone_numbers.as_ref().map_or(0, Vec::len);
    let interval_us =
        if (1..=limits::MESSAGES_PER_HOUR_MAX).contains(&per_hour) { HOUR_US / per_hour } else { i64::MAX };
    let last_us = i64::try_from(recipients).unwrap_or(i64::MAX).saturating_mul(interval_us);
    let is_too_late = last_us / 1_000_000 + ahead_seconds.max(0) > limits::SCHEDULE_AHEAD_SECONDS_MAX;
    if interval_us == i64::MAX || is_too_late || lane == Lane::Priority {
        findings.add(Problem::PaceInvalid, "messagesPerHour", &per_hour.to_string());
        return 0;
    }
    interval_us
}

fn check_references(order: &Order, url_allowed: &dyn Fn(&str) -> bool, findings: &mut Findings) {
    if let Some(external_id) = order.external_id.as_deref() {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_.:-".contains(&byte);
        let length_fits = (1..=limits::EXTERNAL_ID_LENGTH_MAX).contains(&external_id.len());
        if !length_fits || !external_id.bytes().all(allowed) {
            findings.add(Problem::ExternalIdInvalid, "externalId", external_id);
        }
    }
    if let Some(key) = order.idempotency_key.as_deref() {
        let length_fits = (1..=limits::IDEMPOTENCY_KEY_LENGTH_MAX).contains(&key.len());
        if !length_fits || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            findings.add(Problem::IdempotencyKeyInvalid, "Idempotency-Key", key);
        }
    }
    if let Some(url) = order.webhook_url.as_deref().filter(|url| !url.is_empty())
        && (url.len() > limits::URL_LENGTH_MAX || !url_allowed(url))
    {
        findings.add(Problem::WebhookUrlInvalid, "webhookUrl", url);
    }
}
