//! An explanation as it is told: the same in the API, in a preview and to `posthorn explain`.

use domain::control::{Control, Route};
use domain::id::CarrierId;
use domain::phone::Phone;
use flow::explain::{Account, Basis, Writing};
use flow::route::{Considered, Explanation, Ruling};
use serde::Serialize;
use store::question::Step;

use super::item::with_plus;

/// A message explained.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explained {
    external_id: Box<str>,
    #[serde(serialize_with = "with_plus")]
    phone_number: Phone,
    sender: String,
    status: u8,
    status_desc: &'static str,
    status_time: i64,
    #[serde(skip_serializing_if = "str::is_empty")]
    operator_error_code: Box<str>,
    create_time: i64,
    /// `create_time` in Unix milliseconds, to compare with the history.
    accepted_time_ms: i64,
    schedule_time: i64,
    expire_time: i64,
    lane: &'static str,
    #[serde(flatten)]
    writing: ExplainedWriting,
    sms_price: i64,
    currency: u16,
    /// Name of the operator connection it leaves or left by.
    carrier: String,
    parts: Vec<ExplainedPart>,
    route: ExplainedRoute,
    history: Vec<ExplainedStep>,
}

/// How a text is written and why.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ExplainedWriting {
    encoding: u8,
    encoding_name: &'static str,
    number_of_parts: u8,
    number_of_units: u32,
    /// Characters that make the text UCS-2, each once.
    forcing_characters: Vec<char>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ExplainedPart {
    part: usize,
    state: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    carrier: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    operator_id: Box<str>,
    /// Unix milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    taken_time_ms: Option<i64>,
}

/// How a way is chosen.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ExplainedRoute {
    /// `same_control`, `other_control` or, for a preview, `now`: how far this can be trusted.
    basis: &'static str,
    /// The same in words.
    note: &'static str,
    /// Version of the control data this was worked out with.
    control_version: u64,
    /// Version of the control data that the message was accepted with.
    #[serde(skip_serializing_if = "Option::is_none")]
    accepted_control_version: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    network: Option<ExplainedNetwork>,
    considered: Vec<ExplainedStepOfRoute>,
}

#[derive(Debug, Serialize)]
struct ExplainedNetwork {
    code: String,
    source: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ExplainedStepOfRoute {
    /// `48*`, `network 26001`, or `*` for every number.
    target: String,
    /// Price of a part.
    price: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    carrier: Option<String>,
    /// Stable word.
    ruling: &'static str,
    /// The same in words.
    reason: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ExplainedStep {
    /// Unix milliseconds.
    time_ms: i64,
    kind: Box<str>,
    #[serde(skip_serializing_if = "is_zero")]
    part: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    carrier: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u8>,
    #[serde(skip_serializing_if = "str::is_empty")]
    detail: Box<str>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields by reference")]
fn is_zero(number: &u8) -> bool {
    *number == 0
}

impl Explained {
    /// Of an account that was given of a message.
    #[must_use]
    pub fn of(account: Account) -> Self {
        let Account { record, history, writing, control, route, basis } = account;
        let name = |id: CarrierId| carrier_name(&control, id);
        let parts = record.parts.iter().enumerate().map(|(index, part)| ExplainedPart {
            part: index + 1,
            state: part_word(part.state),
            carrier: if part.carrier.0 == 0 { String::new() } else { name(part.carrier) },
            operator_id: part.operator_id.clone(),
            taken_time_ms: part.taken_at.map(|at| at.0),
        });
        Self {
            phone_number: record.phone,
            sender: record.sender.as_str().into(),
            status: record.status.code(),
            status_desc: record.status.description(),
            status_time: record.status_at.seconds(),
            create_time: record.accepted_at.seconds(),
            accepted_time_ms: record.accepted_at.0,
            schedule_time: record.schedule_time,
            expire_time: record.expires_at.seconds(),
            lane: record.id.lane().name(),
            writing: ExplainedWriting::of(&writing),
            sms_price: record.price.0,
            currency: record.currency,
            carrier: name(record.carrier),
            parts: parts.collect(),
            route: ExplainedRoute::of(&route, &control, Some((basis, record.control_version))),
            history: history.into_iter().map(|step| explained_step(step, &control)).collect(),
            operator_error_code: record.error,
            external_id: record.external_id,
        }
    }
}

impl ExplainedWriting {
    pub(super) fn of(writing: &Writing) -> Self {
        let encoding = writing.encoding.contract_code();
        Self {
            encoding,
            encoding_name: if encoding == 0 { "GSM-7" } else { "UCS-2" },
            number_of_parts: writing.parts,
            number_of_units: writing.units,
            forcing_characters: writing.forcing_characters.clone(),
        }
    }
}

impl ExplainedRoute {
    /// `kept`: how far it can be trusted and the version a message was accepted with; `None` for a preview.
    pub(super) fn of(route: &Explanation, control: &Control, kept: Option<(Basis, u64)>) -> Self {
        let (basis, note) = match kept {
            None => ("now", "How the message would leave right now."),
            Some((basis @ Basis::SameControl, _)) => (
                basis.word(),
                "Worked out again with the control data that the message was accepted with; how the carriers did then may have differed.",
            ),
            Some((basis @ Basis::OtherControl, _)) => (
                basis.word(),
                "The control data has changed since the message was accepted: this is how its way would be chosen now.",
            ),
        };
        let network = route
            .network
            .map(|(network, source)| ExplainedNetwork { code: network.to_string(), source: source.word() });
        Self {
            basis,
            note,
            control_version: route.control_version,
            accepted_control_version: kept.map(|(_, version)| version),
            network,
            considered: route.considered.iter().map(|step| considered(step, control)).collect(),
        }
    }
}

fn considered(step: &Considered, control: &Control) -> ExplainedStepOfRoute {
    ExplainedStepOfRoute {
        target: target(&step.route),
        price: step.route.settings.price.0,
        carrier: step.carrier.map(|id| carrier_name(control, id)),
        ruling: step.ruling.word(),
        reason: reason(step.ruling),
    }
}

fn target(route: &Route) -> String {
    if route.network.is_empty() { format!("{}*", route.prefix) } else { format!("network {}", route.network) }
}

fn reason(ruling: Ruling) -> String {
    let words = match ruling {
        Ruling::Taken => "this way",
        Ruling::Probe => "tried to see how the carrier does after trouble",
        Ruling::LastResort => "every way is in trouble, the message waits for this one",
        Ruling::NotDirect => "an aggregator, and the route asks for direct connections only",
        Ruling::SenderNotAllowed => "does not carry this kind of sender",
        Ruling::LeftBehind => "was tried before",
        Ruling::Draining => "is held back and gets no new messages",
        Ruling::Gone => "the route names a carrier that does not exist any more",
        Ruling::NotReached => "not needed, a way was found before",
        Ruling::Mismatch(mismatch) => match mismatch {
            domain::control::Mismatch::Account => "for other accounts",
            domain::control::Mismatch::Sender => "for other senders",
            domain::control::Mismatch::Lane => "for the other lane",
        },
        Ruling::InTrouble(standing) => {
            return format!(
                "{}: {} of 100 recipients are sent this way, this one is not among them",
                trouble(standing.trouble.word()),
                standing.share
            );
        }
    };
    words.into()
}

/// What a stable word of trouble means.
fn trouble(word: &str) -> &'static str {
    match word {
        "down" => "none of its binds is bound",
        "refusing" => "it refuses or leaves unanswered too much",
        "slow_answers" => "it answers too slowly",
        "slow_receipts" => "its receipts come too slowly",
        "recovering" => "it is coming back after trouble",
        _ => "it does well",
    }
}

fn explained_step(step: Step, control: &Control) -> ExplainedStep {
    ExplainedStep {
        time_ms: step.at.0,
        kind: step.kind,
        part: step.part,
        carrier: step.carrier.map(|id| carrier_name(control, id)),
        status: step.status.map(domain::state::Status::code),
        detail: step.detail,
    }
}

/// A carrier that does not exist any more goes by its number.
fn carrier_name(control: &Control, id: CarrierId) -> String {
    control.carrier(id).map_or_else(|| format!("removed carrier {}", id.0), |carrier| carrier.name.clone())
}

fn part_word(state: domain::state::PartState) -> &'static str {
    use domain::state::PartState;
    match state {
        PartState::Waiting => "waiting",
        PartState::Intended => "intended",
        PartState::InDoubt => "in_doubt",
        PartState::Sent => "sent",
        PartState::Unknown => "unknown",
        PartState::Rejected => "rejected",
        PartState::Undelivered => "undelivered",
        PartState::Expired => "expired",
        PartState::Delivered => "delivered",
    }
}
