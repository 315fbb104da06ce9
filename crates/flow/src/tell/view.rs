//! A look at an account's endpoints from outside.

use domain::clock::UnixMillis;
use domain::control::EventKind;
use domain::id::AccountId;
use domain::webhook::OffReason;
use hashbrown::HashSet;

use super::endpoint::{Endpoint, Key};
use super::handle::Handle;
use super::hub::Hub;

/// One endpoint of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointView {
    /// What it is told.
    pub kind: EventKind,
    /// Its main URL.
    pub url: Box<str>,
    /// Requests named it, instead of the account's setup.
    pub named: bool,
    /// `working`, `failing` (the last call failed), `down` (only probed) or `off`.
    pub state: &'static str,
    /// The first failure since the last success.
    pub failing_since: Option<UnixMillis>,
    /// Failures since then.
    pub failures: u32,
    /// Since when it is not called any more, and why.
    pub off: Option<(UnixMillis, OffReason)>,
    /// Events waiting in memory; more may lie in the store.
    pub waiting: usize,
    /// Calls in progress, and how many there may be.
    pub calls: (usize, usize),
}

impl Hub {
    fn view(&self, endpoint: &Endpoint) -> EndpointView {
        let url = match self.target_text(endpoint) {
            Some(url) => url,
            None => endpoint.key.url.as_deref().unwrap_or_default().into(),
        };
        let state = endpoint.state();
        let off = state.off.as_ref().map(|off| (off.at, off.reason));
        let word = match () {
            () if off.is_some() => "off",
            () if state.is_down() => "down",
            () if state.is_failing() => "failing",
            () => "working",
        };
        EndpointView {
            kind: endpoint.key.kind,
            url,
            named: endpoint.key.url.is_some(),
            state: word,
            failing_since: state.trouble.since,
            failures: state.trouble.failures,
            off,
            waiting: state.lanes.iter().map(|queue| queue.known.len()).sum(),
            calls: state.calls(),
        }
    }

    /// All endpoints of an account that are set up, active, or remembered for their trouble.
    pub fn views(&self, account: AccountId) -> Vec<EndpointView> {
        let active: Vec<_> = self.all().into_iter().filter(|endpoint| endpoint.key.account == account).collect();
        let mut known: HashSet<Key> = active.iter().map(|endpoint| endpoint.key.clone()).collect();
        let mut views: Vec<_> = active.iter().map(|endpoint| self.view(endpoint)).collect();
        let idle = |key: &Key, url: &str| EndpointView {
            kind: key.kind,
            url: url.into(),
            named: key.url.is_some(),
            state: "working",
            failing_since: None,
            failures: 0,
            off: None,
            waiting: 0,
            calls: (0, 0),
        };
        for trouble in self.book.lock().values().filter(|trouble| trouble.name.account == account) {
            if known.insert(trouble.name.clone()) {
                let state = if trouble.off.is_some() { "off" } else { "failing" };
                views.push(EndpointView {
                    state,
                    failing_since: Some(trouble.since),
                    failures: trouble.failures,
                    off: trouble.off,
                    ..idle(&trouble.name, &trouble.url)
                });
            }
        }
        let control = self.outbox.control();
        for endpoint in control.account(account).into_iter().flat_map(|account| &account.endpoints) {
            let key = Key { account, kind: endpoint.event, url: None };
            if known.insert(key.clone()) {
                views.push(idle(&key, &endpoint.url));
            }
        }
        views.sort_by(|one, other| (one.named, &one.url).cmp(&(other.named, &other.url)));
        views
    }

    /// Has endpoints called again that are off: the account's own, or the one that requests named with that
    /// URL. Says how many there were.
    pub async fn turn_on(&self, account: AccountId, kind: EventKind, url: Option<&str>) -> usize {
        let is_meant = |key: &Key| key.account == account && key.kind == kind && key.url.as_deref() == url;
        let mut turned_on = 0;
        for endpoint in self.all().into_iter().filter(|endpoint| is_meant(&endpoint.key)) {
            let was_off = {
                let mut state = endpoint.state();
                let was_off = state.off.is_some();
                if was_off {
                    state.turn_on();
                }
                was_off
            };
            if was_off {
                turned_on += 1;
                self.write_down(&endpoint, "").await;
                self.wake(&endpoint);
            }
        }
        let remembered: Vec<Key> = {
            let book = self.book.lock();
            book.values()
                .filter(|known| is_meant(&known.name) && known.off.is_some())
                .map(|known| known.name.clone())
                .collect()
        };
        for name in remembered {
            turned_on += 1;
            self.book.lock().remove(&name);
            if let Err(error) = self.outbox.end_trouble(name).await {
                tracing::warn!(target: "tell", %error, "that an endpoint is on again can't be written down");
            }
        }
        turned_on
    }

    /// The main URL of an endpoint as it was resolved last.
    fn target_text(&self, endpoint: &Endpoint) -> Option<Box<str>> {
        let cached = endpoint.target.lock();
        let target = cached.as_ref().and_then(|(_, resolved)| resolved.as_ref().ok());
        target.map(|target| target.main_text.as_str().into())
    }
}

impl Handle {
    /// All endpoints of an account that are set up, active, or remembered for their trouble.
    #[must_use]
    pub fn endpoints(&self, account: AccountId) -> Vec<EndpointView> {
        self.0.views(account)
    }

    /// Has endpoints called again that are off: the account's own (`url` is `None`), or the one that requests
    /// named. A probe goes first. Says how many there were.
    pub async fn turn_on(&self, account: AccountId, kind: EventKind, url: Option<&str>) -> usize {
        self.0.turn_on(account, kind, url).await
    }
}
