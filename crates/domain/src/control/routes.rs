//! The routes of a snapshot, indexed: what a message costs to plan does not depend on how many there are.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::FixedState;

use super::route::{Route, RouteLane};
use crate::id::AccountId;
use crate::lane::Lane;
use crate::network::Network;
use crate::phone::Phone;
use crate::prefix::PrefixMap;
use crate::sender::Sender;

/// What a route is looked up by.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The recipient.
    pub phone: Phone,
    /// The recipient's network, where it is known.
    pub network: Option<Network>,
    /// The sender.
    pub sender: &'a Sender,
    /// Whose message it is.
    pub account: AccountId,
    /// The lane it travels in.
    pub lane: Lane,
}

/// Routes to one target, each in exactly one of the lists, in the order of the file.
#[derive(Clone, Debug, Default)]
struct Bucket {
    /// For every account and sender.
    open: Vec<u32>,
    /// For some accounts, whatever the sender says.
    by_account: HashMap<AccountId, Vec<u32>, FixedState>,
    /// For some senders of every account.
    by_sender: HashMap<Box<str>, Vec<u32>, FixedState>,
}

/// All routes.
#[derive(Clone, Debug, Default)]
pub(super) struct Routes {
    all: Vec<Arc<Route>>,
    by_network: HashMap<Network, Bucket, FixedState>,
    by_prefix: PrefixMap<Bucket>,
}

impl Routes {
    /// Indexes routes given in the order of the file. Accounts are found by name; a name that `accounts`
    /// does not know matches nobody.
    pub(super) fn new(routes: Vec<Route>, accounts: &HashMap<&str, AccountId>) -> Self {
        let mut built = Self { all: routes.into_iter().map(Arc::new).collect(), ..Self::default() };
        for (number, route) in (0_u32..).zip(&built.all) {
            let bucket = match route.network.parse::<Network>() {
                Ok(network) => Some(built.by_network.entry(network).or_default()),
                Err(_) if route.network.is_empty() => built.by_prefix.entry(&route.prefix),
                Err(_) => None,
            };
            let Some(bucket) = bucket else { continue };
            let settings = &route.settings;
            if !settings.accounts.is_empty() {
                let known = settings.accounts.iter().filter_map(|name| accounts.get(name.as_str()));
                known.for_each(|account| bucket.by_account.entry(*account).or_default().push(number));
            } else if !settings.senders.is_empty() {
                let senders = settings.senders.iter().map(|sender| sender.as_str().into());
                senders.for_each(|sender| bucket.by_sender.entry(sender).or_default().push(number));
            } else {
                bucket.open.push(number);
            }
        }
        built
    }

    /// The routes that may carry a message, in the order they are tried.
    pub(super) fn to<'a>(&'a self, subject: &Subject<'_>) -> impl Iterator<Item = &'a Arc<Route>> {
        let network = subject.network.and_then(|network| self.by_network.get(&network));
        let prefixes = self.by_prefix.matches(subject.phone).map(|(_, bucket)| bucket);
        network.into_iter().chain(prefixes).flat_map(move |bucket| bucket.of(subject)).filter_map(move |number| {
            let route = self.all.get(number as usize)?;
            route.mismatch(subject).is_none().then_some(route)
        })
    }

    /// All routes whose target the subject is, in the order they are tried, with what speaks against each
    /// as a whole. Looks at every route: for explanations.
    pub(super) fn near(&self, subject: &Subject<'_>, account: Option<&str>) -> Vec<(&Arc<Route>, Option<Mismatch>)> {
        let mut near: Vec<&Arc<Route>> = self.all.iter().filter(|route| route.leads_to(subject)).collect();
        near.sort_by_key(|route| (route.network.is_empty(), std::cmp::Reverse(route.prefix.len())));
        let for_others = |route: &Route| {
            let names = &route.settings.accounts;
            !names.is_empty() && !names.iter().any(|name| Some(name.as_str()) == account)
        };
        let mismatch = |route: &Route| {
            if for_others(route) { Some(Mismatch::Account) } else { route.mismatch(subject) }
        };
        near.into_iter().map(|route| (route, mismatch(route))).collect()
    }

    /// Whether a network is worth finding out.
    pub(super) fn ask_for_networks(&self) -> bool {
        !self.by_network.is_empty()
    }

    /// All routes in the order of the file.
    pub(super) fn all(&self) -> &[Arc<Route>] {
        &self.all
    }
}

impl Bucket {
    /// The routes of this bucket that come into question, in the order of the file.
    fn of<'a>(&'a self, subject: &Subject<'_>) -> Merged<'a> {
        let list = |list: Option<&'a Vec<u32>>| list.map_or(&[][..], Vec::as_slice);
        Merged([
            &self.open,
            list(self.by_account.get(&subject.account)),
            list(self.by_sender.get(subject.sender.as_str())),
        ])
    }
}

/// Sorted lists, merged.
struct Merged<'a>([&'a [u32]; 3]);

impl Iterator for Merged<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        let next = self.0.iter_mut().filter(|list| !list.is_empty()).min_by_key(|list| list[0])?;
        let (first, rest) = next.split_first()?;
        *next = rest;
        Some(*first)
    }
}

/// Why a route whose target a number is does not carry a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mismatch {
    /// It is for other accounts.
    Account,
    /// It is for other senders.
    Sender,
    /// It is for the other lane.
    Lane,
}

impl Route {
    /// Whether numbers of the subject's kind are this route's target at all.
    #[must_use]
    pub fn leads_to(&self, subject: &Subject<'_>) -> bool {
        if self.network.is_empty() {
            return subject.phone.to_string().starts_with(&self.prefix);
        }
        subject.network.is_some_and(|network| self.network.parse() == Ok(network))
    }

    /// What speaks against this route; accounts are checked by the index, see [`super::Control::routes_to`].
    #[must_use]
    pub(super) fn mismatch(&self, subject: &Subject<'_>) -> Option<Mismatch> {
        let settings = &self.settings;
        if !settings.senders.is_empty() && !settings.senders.iter().any(|sender| sender == subject.sender.as_str()) {
            return Some(Mismatch::Sender);
        }
        match (settings.lane, subject.lane) {
            (RouteLane::Any, _) | (RouteLane::Priority, Lane::Priority) | (RouteLane::Standard, Lane::Standard) => None,
            _ => Some(Mismatch::Lane),
        }
    }
}
