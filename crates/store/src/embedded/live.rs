//! The messages a lane's writer has in mind, so that the usual fact needs no look into the file.

use std::collections::VecDeque;
use std::sync::Arc;

use domain::clock::UnixMillis;
use domain::event::{Event, Payload, StatusReport};
use domain::fact::EventId;
use domain::id::{AccountId, CarrierId, MessageId};
use domain::money::Money;
use domain::phone::Phone;
use domain::request::Request;
use domain::sender::Sender;
use domain::state::{Progress, Status};
use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::limits::LIVE_MESSAGES_MAX;
use super::read::{MessageRow, RequestRow};

/// What facts about a message need to know of its request.
#[derive(Debug)]
pub(crate) struct Head {
    pub request_id: MessageId,
    pub account: AccountId,
    pub external_id: Option<Box<str>>,
    pub asked: usize,
    pub sender: Sender,
    pub parts: u8,
    pub webhook_url: Option<Arc<str>>,
}

impl Head {
    /// Of a request that is being accepted.
    pub fn of(request: &Request) -> Self {
        Self {
            request_id: request.id,
            account: request.account,
            external_id: request.external_id.clone(),
            asked: request.asked_recipients(),
            sender: request.sender.clone(),
            parts: request.parts.max(1),
            webhook_url: request.webhook_url.as_deref().map(Into::into),
        }
    }

    /// Of a stored request.
    pub fn of_row(row: &RequestRow) -> Self {
        Self { asked: row.asked, ..Self::of(&row.request) }
    }

    fn external_id_of(&self, id: MessageId) -> String {
        let position = id.position_after(self.request_id).map_or(0, |position| position as usize);
        domain::request::external_id(self.external_id.as_deref(), id, position, self.asked)
    }
}

/// A message in flight.
#[derive(Debug)]
pub(crate) struct Live {
    pub id: MessageId,
    pub head: Arc<Head>,
    pub phone: Phone,
    pub price: Money,
    /// The line it waits in.
    pub carrier: CarrierId,
    /// 0 = at once.
    pub due_at: i64,
    pub progress: Progress,
    /// Number of its last step.
    pub steps: u16,
}

impl Live {
    /// A stored message.
    pub fn of_row(row: &MessageRow, head: Arc<Head>, progress: Progress) -> Self {
        Self {
            id: row.id,
            head,
            phone: row.phone,
            price: row.price,
            carrier: row.carrier,
            due_at: row.due_at,
            progress,
            steps: row.steps,
        }
    }

    /// The delivery report of step `step`.
    pub fn event(&self, step: u16, status: Status, at: UnixMillis, error: &str) -> Event {
        let report = StatusReport {
            external_id: self.head.external_id_of(self.id).into(),
            phone: self.phone,
            sender: self.head.sender.clone(),
            status,
            status_at: at,
            parts: self.head.parts,
            error: error.into(),
        };
        let id = EventId { message: self.id, step };
        Event::new(id, self.head.account, self.head.webhook_url.clone(), Payload::Status(report))
    }
}

/// Recent messages of a lane, oldest out first.
#[derive(Default)]
pub(crate) struct LiveCache {
    /// Boxed, for they are moved in and out with every fact.
    messages: HashMap<i64, Box<Live>, FixedState>,
    /// Ids in the order they came; may name messages that are gone.
    order: VecDeque<i64>,
}

impl LiveCache {
    /// Takes a message out to change it; give it back with [`LiveCache::put_back`] once that is durable.
    pub fn take(&mut self, id: MessageId) -> Option<Box<Live>> {
        self.messages.remove(&id.0)
    }

    /// Gives back a message that was taken out.
    pub fn put_back(&mut self, live: Box<Live>) {
        self.messages.insert(live.id.0, live);
    }

    /// Takes in a message that was not here.
    pub fn add(&mut self, live: Box<Live>) {
        self.order.push_back(live.id.0);
        self.messages.insert(live.id.0, live);
        while self.order.len() > LIVE_MESSAGES_MAX {
            if let Some(oldest) = self.order.pop_front() {
                self.messages.remove(&oldest);
            }
        }
    }
}
