//! What comes in and what goes back.

use std::sync::Arc;

use domain::control::{Account, Key};
use domain::encoding::EncodingChoice;
use domain::id::CarrierId;
use domain::lane::Lane;
use domain::money::Money;
use domain::problem::Problem;
use domain::request::Request;
use text::Encoding;

use crate::route::Explanation;

/// A send as the client wrote it: types are right, rules are not checked yet.
/// Fields that were absent or `null` are `None`.
#[derive(Clone, Debug)]
pub struct Order {
    /// Whose order; from the verified key.
    pub account: Arc<Account>,
    /// The verified key.
    pub key: Arc<Key>,
    /// `meta.uniqId` of the answer.
    pub uniq_id: Box<str>,
    /// `Idempotency-Key` header.
    pub idempotency_key: Option<String>,
    /// Field `sender`.
    pub sender: Option<String>,
    /// Field `message`.
    pub message: Option<String>,
    /// Field `phoneNumbers`.
    pub phone_numbers: Option<Vec<String>>,
    /// Field `validity`, minutes.
    pub validity: Option<i64>,
    /// Field `scheduleTime`, Unix seconds.
    pub schedule_time: Option<i64>,
    /// Field `messagesPerHour`.
    pub messages_per_hour: Option<i64>,
    /// Field `type`.
    pub message_type: Option<i64>,
    /// Field `shortLink`.
    pub short_link: Option<bool>,
    /// Field `webhookUrl`.
    pub webhook_url: Option<String>,
    /// Field `externalId`.
    pub external_id: Option<String>,
    /// Field `priority`.
    pub priority: Option<bool>,
    /// Field `encoding`.
    pub encoding: Option<String>,
}

/// One thing that is wrong with an order, in the shape of the contract's `errors[]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusalDetail {
    /// What is wrong.
    pub problem: Problem,
    /// The field at fault, empty if none.
    pub parameter: &'static str,
    /// What was passed, shortened; empty if nothing helps.
    pub value: String,
    /// What it concerns (an externalId or phone number), empty if none.
    pub source: String,
}

/// The order was refused whole: nothing was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// At least one; the first decides the HTTP status.
    pub details: Vec<RefusalDetail>,
    /// `Retry-After` in seconds, where repeating helps.
    pub retry_after_seconds: Option<u32>,
}

/// The order is durable.
#[derive(Clone, Debug)]
pub struct Granted {
    /// What was kept; of the first request, when this one repeated it.
    pub request: Arc<Request>,
    /// Recipients that were refused while others were accepted: the answer is 207 if there are any.
    pub refused: Vec<RefusalDetail>,
    /// Whether an earlier request was repeated and its answer is given again.
    pub repeated: bool,
    /// The account's balance after it.
    pub balance: Money,
}

/// What a send would do.
#[derive(Clone, Debug)]
pub struct Preview {
    /// How the text would travel.
    pub encoding: Encoding,
    /// Units the text takes.
    pub units: u32,
    /// Parts per message.
    pub parts: u8,
    /// The text as it would be sent.
    pub text: String,
    /// Characters that force UCS-2 with their places, in order; at most [`domain::limits::FORCING_CHARACTERS_SHOWN_MAX`].
    pub forcing: Vec<Forcing>,
    /// What each choice of an encoding would make of the text, where it can be sent so.
    pub alternatives: Vec<Alternative>,
    /// The lane it would travel in.
    pub lane: Lane,
    /// ISO 4217 number of the prices.
    pub currency: u16,
    /// One entry per accepted recipient.
    pub charges: Vec<Charge>,
    /// Recipients that would be refused.
    pub refused: Vec<RefusalDetail>,
}

/// A character that forces UCS-2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forcing {
    /// The character.
    pub character: char,
    /// Its place in the text, in characters from 0.
    pub position: usize,
}

/// What a choice of an encoding would make of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alternative {
    /// The choice.
    pub choice: EncodingChoice,
    /// How the text would travel.
    pub encoding: Encoding,
    /// Units it would take.
    pub units: u32,
    /// Parts per message.
    pub parts: u8,
    /// Characters that would be replaced.
    pub replaced: u32,
}

/// What one recipient would cost and which way the message would go.
#[derive(Clone, Debug)]
pub struct Charge {
    /// The recipient.
    pub phone: domain::phone::Phone,
    /// Price of the whole message.
    pub price: Money,
    /// Price of one part.
    pub price_per_part: Money,
    /// The carrier it would leave by.
    pub carrier: CarrierId,
    /// The carrier's name.
    pub carrier_name: String,
    /// Every route that was considered; for the first recipients only.
    pub explanation: Option<Explanation>,
}
