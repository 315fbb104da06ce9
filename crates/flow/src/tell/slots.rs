//! Who may call at the same time: no endpoint and no account can take the others' turn.

use std::sync::Arc;

use domain::id::AccountId;
use foldhash::fast::RandomState;
use hashbrown::HashMap;
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::turns::{Deficit, Turn, Turns};

/// Of all slots, this share is for endpoints that fail: they can't hold more, however long they hang.
const PROBE_SHARE: usize = 5;
/// One account gets at most this share of all slots, whatever number of URLs its requests name.
const ACCOUNT_SHARE: usize = 4;
/// One endpoint gets at most this share of all slots.
const ENDPOINT_SHARE: usize = 20;

/// The slots for calls. Waiting endpoints get theirs by deficit round-robin, each asking for one at a time.
#[derive(Debug)]
pub struct Slots {
    calls: Turns,
    probes: Turns,
    per_account: usize,
    accounts: Mutex<HashMap<AccountId, Arc<Semaphore>, RandomState>>,
    per_endpoint: usize,
}

/// The right to make one call.
#[derive(Debug)]
pub struct Slot {
    _account: OwnedSemaphorePermit,
    _call: Turn,
}

impl Slots {
    /// Slots for `calls_max` calls, at most `per_endpoint_max` of them for one endpoint.
    #[must_use]
    pub fn new(calls_max: usize, per_endpoint_max: usize) -> Self {
        let probes = (calls_max / PROBE_SHARE).max(1);
        Self {
            calls: Turns::new(calls_max.saturating_sub(probes).max(1)),
            probes: Turns::new(probes),
            per_account: calls_max.div_ceil(ACCOUNT_SHARE),
            accounts: Mutex::default(),
            per_endpoint: per_endpoint_max.min((calls_max / ENDPOINT_SHARE).max(1)),
        }
    }

    /// Calls that one endpoint may have in progress.
    #[must_use]
    pub fn per_endpoint(&self) -> usize {
        self.per_endpoint
    }

    /// Waits for a slot for a call with `events` events; `None` only when the semaphores are closed, which
    /// nobody does.
    pub async fn acquire(
        &self,
        account: AccountId,
        failing: bool,
        deficit: &Arc<Deficit>,
        events: usize,
    ) -> Option<Slot> {
        let of_account = {
            let mut accounts = self.accounts.lock();
            let new = || Arc::new(Semaphore::new(self.per_account));
            Arc::clone(accounts.entry(account).or_insert_with(new))
        };
        let pool = if failing { &self.probes } else { &self.calls };
        let of_account = of_account.acquire_owned().await.ok()?;
        let call = pool.take(deficit, events).await;
        Some(Slot { _account: of_account, _call: call })
    }
}
