//! The real backend: the flow's accept stage for what changes something, the store for what is read.

use std::sync::Arc;

use domain::control::{Account, Control, Endpoint, EventKind};
use domain::fact::EventId;
use domain::id::AccountId;
use domain::person::{OptOut, OptOutKey, PersonFact, Talk, TalkKey};
use domain::problem::Problem;
use flow::accept::{Accept, CancelOutcome, Granted, Order, Preview, Refusal};
use flow::explain::{Account as Explained, Explain};
use flow::portability::NumberFacts;
use flow::tell::{self, Answer as WebhookAnswer, EndpointView};
use store::question::{AttemptPage, AttemptQuery, EventCursor, EventPage, EventRecord, SearchPage, SearchQuery};
use store::question::{ClickPage, ClickQuery};
use store::question::{ConversationPage, ConversationQuery, IncomingPage, IncomingQuery};
use store::{QuestionError, RecordError, Store};

use super::Backend;
use crate::envelope::{Fault, Rejection};

/// Accept and store behind the API.
#[derive(Clone)]
pub struct Live {
    accept: Accept,
    tell: tell::Handle,
    explain: Explain,
    store: Store,
}

impl Live {
    /// Over running stages.
    #[must_use]
    pub fn new(accept: Accept, tell: tell::Handle, explain: Explain, store: Store) -> Self {
        Self { accept, tell, explain, store }
    }
}

impl Backend for Live {
    fn control(&self) -> Arc<Control> {
        self.store.control()
    }

    async fn send(&self, order: Order) -> Result<Granted, Refusal> {
        self.accept.send(order).await
    }

    async fn preview(&self, order: &Order) -> Result<Preview, Refusal> {
        self.accept.preview(order).await
    }

    async fn look_up(&self, account: &Account, number: &str) -> Result<NumberFacts, Refusal> {
        self.accept.look_up(account, number).await
    }

    async fn cancel(&self, account: AccountId, external_ids: &[String]) -> Result<CancelOutcome, Refusal> {
        self.accept.cancel(account, external_ids).await
    }

    async fn events(&self, account: AccountId, after: EventCursor, limit: usize) -> Result<EventPage, Rejection> {
        self.store.events(account, after, limit).await.map_err(|error| unanswered(&error))
    }

    async fn dead_letters(
        &self,
        account: AccountId,
        after: EventId,
        limit: usize,
    ) -> Result<Vec<EventRecord>, Rejection> {
        self.store.dead_letters(account, after, limit).await.map_err(|error| unanswered(&error))
    }

    async fn events_by_id(&self, account: AccountId, ids: Vec<EventId>) -> Result<Vec<EventRecord>, Rejection> {
        self.store.events_by_id(account, ids).await.map_err(|error| unanswered(&error))
    }

    async fn replay(&self, events: Vec<EventId>) -> Result<(), Rejection> {
        self.tell.replay(&events).await.map_err(|error| {
            tracing::error!(target: "web", %error, "the store could not keep a replay");
            Problem::Overloaded.into()
        })
    }

    async fn incoming(&self, query: IncomingQuery) -> Result<IncomingPage, Rejection> {
        self.store.incoming(query).await.map_err(|error| unanswered(&error))
    }

    async fn conversation(&self, query: ConversationQuery) -> Result<ConversationPage, Rejection> {
        self.store.conversation(query).await.map_err(|error| unanswered(&error))
    }

    fn opt_outs(&self, account: AccountId, after: Option<&OptOutKey>, limit: usize) -> Vec<OptOut> {
        self.store.opt_outs(account, after, limit)
    }

    fn opt_outs_of(&self, key: &OptOutKey) -> Vec<OptOut> {
        self.store.opt_outs_of(key.account, key.phone)
    }

    fn talks(&self, account: AccountId, after: Option<&TalkKey>, limit: usize) -> Vec<Arc<Talk>> {
        self.store.talks(account, after, limit)
    }

    fn talk(&self, key: &TalkKey) -> Option<Arc<Talk>> {
        self.store.talk(key)
    }

    async fn record_people(&self, facts: Vec<PersonFact>) -> Result<(), Rejection> {
        self.store.record_people(facts).await.map_err(|error| match error {
            RecordError::StorageFull => Problem::StorageFull.into(),
            RecordError::Closed => Problem::ShuttingDown.into(),
            error => {
                tracing::error!(target: "web", %error, "the store could not keep what is known of people");
                Rejection::from(Problem::Internal)
            }
        })
    }

    fn endpoints(&self, account: AccountId) -> Vec<EndpointView> {
        self.tell.endpoints(account)
    }

    async fn try_out(&self, endpoint: &Endpoint) -> Result<WebhookAnswer, String> {
        self.tell.try_out(endpoint).await.map_err(|problem| problem.to_string())
    }

    async fn turn_on(&self, account: AccountId, kind: EventKind, url: Option<String>) -> usize {
        self.tell.turn_on(account, kind, url.as_deref()).await
    }

    async fn attempts(&self, query: AttemptQuery) -> Result<AttemptPage, Rejection> {
        self.store.attempts(query).await.map_err(|error| unanswered(&error))
    }

    async fn explain(&self, account: AccountId, external_id: &str) -> Result<Vec<Explained>, Rejection> {
        self.explain.messages(account, external_id).await.map_err(|error| unanswered(&error))
    }

    async fn search(&self, query: SearchQuery) -> Result<SearchPage, Rejection> {
        self.store.search(query).await.map_err(|error| unanswered(&error))
    }

    async fn clicks(&self, query: ClickQuery, external_id: Option<&str>) -> Result<ClickPage, Rejection> {
        let mut messages = Vec::new();
        if let Some(external_id) = external_id {
            let found = self.store.find(query.account, external_id).await.map_err(|error| unanswered(&error))?;
            messages.extend(found.iter().map(|record| record.id));
            if messages.is_empty() {
                return Ok(ClickPage::default());
            }
        }
        self.store.clicks(ClickQuery { messages, ..query }).await.map_err(|error| unanswered(&error))
    }
}

/// What a client is told when the store can't answer. The store has logged damage where it found it.
pub(crate) fn unanswered(error: &QuestionError) -> Rejection {
    let problem = match error {
        QuestionError::Overloaded | QuestionError::TimedOut => Problem::Overloaded,
        QuestionError::TooMany => {
            return Fault::of(Problem::ParameterInvalid, "orderBy", "too many messages match").into();
        }
        QuestionError::Closed => Problem::ShuttingDown,
        QuestionError::Damaged(_) => Problem::DataDamaged,
        QuestionError::Failed { .. } => {
            tracing::error!(target: "web", %error, "the store could not answer a question");
            Problem::Internal
        }
    };
    problem.into()
}
