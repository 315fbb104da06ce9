//! Does what is asked for.

use std::sync::Arc;

use domain::clock::Clock;
use domain::control::Carrier;
use flow::Flow;
use flow::accept::Accept;
use flow::enqueue::Enqueue;
use flow::explain::Explain;
use flow::route::{Router, Transfer};
use flow::send::trace::Traces;
use flow::settle::Settle;
use serde_json::Value;
use store::Store;
use store::control::Note;
use web::operations::local::{Caller, Desk, Lines};

use super::order::Order;
use super::{explain, incoming, purge, queue, status, trace, transfer};
use crate::alarms::Watch;

/// The running parts that orders are about. Cheap to clone.
#[derive(Clone)]
pub struct OperationsDesk {
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) accept: Accept,
    pub(super) enqueue: Enqueue,
    pub(super) router: Router,
    pub(super) explain: Explain,
    pub(super) send: flow::send::Handle,
    pub(super) settle: Settle,
    pub(super) transfer: Transfer,
    pub(super) tell: flow::tell::Handle,
    pub(super) traces: Traces,
    pub(super) watch: Watch,
}

impl OperationsDesk {
    /// Over running stages.
    pub fn new(store: Store, clock: Clock, flow: &Flow, watch: Watch) -> Self {
        Self {
            store,
            clock,
            accept: flow.accept.clone(),
            enqueue: flow.enqueue.clone(),
            router: flow.router.clone(),
            explain: flow.explain.clone(),
            send: flow.send.clone(),
            settle: flow.settle.clone(),
            transfer: flow.transfer.clone(),
            tell: flow.tell.clone(),
            traces: flow.traces.clone(),
            watch,
        }
    }

    /// The carrier of that name.
    pub(super) fn carrier(&self, name: &str) -> Result<Arc<Carrier>, String> {
        let control = self.store.control();
        let found = control.carriers().find(|carrier| carrier.name == name).cloned();
        found.ok_or_else(|| {
            let mut known: Vec<&str> = control.carriers().map(|carrier| carrier.name.as_str()).collect();
            known.sort_unstable();
            format!("there is no carrier {name}; the setup has: {}", known.join(", "))
        })
    }

    /// Notes in the audit what somebody did.
    pub(super) async fn note(&self, note: Note) -> Result<(), String> {
        let store = self.store.clone();
        let noted = tokio::task::spawn_blocking(move || store.note(&note)).await;
        noted.map_err(|error| error.to_string())?.map_err(|error| format!("the audit can't be written: {error}"))
    }
}

impl Desk for OperationsDesk {
    type Request = Order;

    async fn act(&self, order: Order, caller: &Caller, lines: &mut Lines) -> Result<Value, String> {
        match order {
            Order::Queue { measure } => queue::list(self, measure).await,
            Order::Status => status::status(self).await,
            Order::Purge(order) => purge::purge(self, order, caller).await,
            Order::Move(order) => transfer::transfer(self, order, caller).await,
            Order::Trace(order) => trace::trace(self, order, caller, lines).await,
            Order::Explain(order) => explain::explain(self, order, caller).await,
            Order::Foresee(order) => explain::foresee(self, order).await,
            Order::Unowned(order) => incoming::unowned(self, order, caller).await,
        }
    }
}
