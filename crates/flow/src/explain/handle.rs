//! The way to explanations.

use domain::id::{AccountId, MessageId};
use store::question::{MessageRecord, Step};
use store::{QuestionError, Store};

use super::account::{Account, Basis, Writing};
use crate::route::{Router, Trip};

/// Messages explained for one question: a request may have thousands.
const EXPLAINED_MAX: usize = 20;

/// Explains messages. Cheap to clone.
#[derive(Clone)]
pub struct Explain {
    store: Store,
    router: Router,
}

impl Explain {
    /// Over a store and the router that plans.
    #[must_use]
    pub fn new(store: Store, router: Router) -> Self {
        Self { store, router }
    }

    /// The messages of an account with that `externalId`, at most twenty of a request.
    ///
    /// # Errors
    /// [`QuestionError`] when the answer lies in damaged data or the store is too busy.
    pub async fn messages(&self, account: AccountId, external_id: &str) -> Result<Vec<Account>, QuestionError> {
        let mut accounts = Vec::new();
        for record in self.store.find(account, external_id).await?.into_iter().take(EXPLAINED_MAX) {
            let history = self.store.history(record.id).await?;
            accounts.push(self.account(record, history));
        }
        Ok(accounts)
    }

    /// As [`Explain::messages`], whichever account the message belongs to, and also by message id as the logs
    /// write it: for those who run the server.
    ///
    /// # Errors
    /// [`QuestionError`] when the answer lies in damaged data or the store is too busy.
    pub async fn of_any_account(&self, external_id: &str) -> Result<Vec<Account>, QuestionError> {
        let control = self.store.control();
        let mut found = Vec::new();
        for account in control.accounts() {
            found.extend(self.messages(account.id, external_id).await?);
        }
        if let Some(id) = MessageId::from_reference(external_id).filter(|_| found.is_empty())
            && let Some(record) = self.store.message(id).await?
        {
            let history = self.store.history(id).await?;
            found.push(self.account(record, history));
        }
        Ok(found)
    }

    fn account(&self, record: MessageRecord, history: Vec<Step>) -> Account {
        let control = self.store.control();
        let trip =
            Trip { phone: record.phone, sender: &record.sender, account: record.account, lane: record.id.lane() };
        let route = self.router.explain(&control, &trip);
        let basis = if record.control_version == control.version { Basis::SameControl } else { Basis::OtherControl };
        Account { writing: Writing::of(&record.text, Some(record.encoding)), history, control, route, basis, record }
    }
}
