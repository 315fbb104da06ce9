//! What the Priority lane is for, watched over: an account's share of a carrier's rate, and texts that are
//! no codes.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash};
use std::time::{Duration, Instant};

use domain::control::Control;
use domain::id::{AccountId, CarrierId, MessageId};
use domain::limits;
use domain::phone::Phone;
use domain::problem::Problem;
use domain::request::NewMessage;
use foldhash::fast::RandomState;
use parking_lot::Mutex;

use super::order::Order;

/// How far an account may run ahead of its share of the Priority lane.
const BURST: Duration = Duration::from_secs(5);
/// How long equal texts are counted together.
const EQUAL_WITHIN: Duration = Duration::from_secs(3_600);

/// The watch over the Priority lane.
#[derive(Default)]
pub(super) struct Codes {
    state: Mutex<State>,
    hasher: RandomState,
}

#[derive(Default)]
struct State {
    /// When an account will have worked off what it sent by a carrier.
    shares: HashMap<(AccountId, CarrierId), Instant, RandomState>,
    /// Recipients of a text with a link since a moment, by account and hash of the text.
    texts: HashMap<(AccountId, u64), (u32, Instant), RandomState>,
    /// The last code of an account to a number that may be taken back.
    newest: HashMap<(AccountId, Phone), MessageId, RandomState>,
}

/// Why a code is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// It is no code.
    NotACode,
    /// The share of the account is used up for so long.
    ShareUsed(Duration),
}

impl Refused {
    pub(super) fn problem(self) -> Problem {
        match self {
            Self::NotACode => Problem::NotACode,
            Self::ShareUsed(_) => Problem::PriorityShareUsed,
        }
    }
}

impl Codes {
    /// Counts the messages of a request, or refuses all of them.
    pub(super) fn admit(
        &self,
        order: &Order,
        messages: &[NewMessage],
        control: &Control,
        now: Instant,
    ) -> Result<(), Refused> {
        let mut state = self.state.lock();
        let text = order.message.as_deref().unwrap_or_default();
        let account = &order.account;
        let equal = has_link(text).then(|| (account.id, self.hash(text)));
        if let Some(key) = equal
            && state.equal_texts(key, messages.len(), now) > limits::EQUAL_CODES_MAX
        {
            return Err(Refused::NotACode);
        }
        let mut by_carrier: HashMap<CarrierId, u32> = HashMap::new();
        messages.iter().for_each(|message| *by_carrier.entry(message.carrier).or_default() += 1);
        let share = |carrier: CarrierId| {
            let rate = control.carrier(carrier).map_or(0, |carrier| carrier.rate_per_second);
            f64::from(rate) * f64::from(account.settings.priority_percent) / 100.0
        };
        let limited = |(carrier, count): (&CarrierId, &u32)| {
            let per_second = share(*carrier);
            // No rate means no limit, and so does the whole of it.
            let is_limited = per_second > 0.0 && account.settings.priority_percent < 100;
            is_limited.then(|| ((account.id, *carrier), Duration::from_secs_f64(f64::from(*count) / per_second)))
        };
        let costs: Vec<_> = by_carrier.iter().filter_map(limited).collect();
        for (key, _) in &costs {
            let ahead = state.shares.get(key).map_or(Duration::ZERO, |at| at.saturating_duration_since(now));
            // A request may be larger than the burst: it goes through when the share is unused, and is worked off after.
            if ahead > BURST {
                return Err(Refused::ShareUsed(ahead - BURST));
            }
        }
        for (key, cost) in costs {
            let at = state.shares.entry(key).or_insert(now);
            *at = (*at).max(now) + cost;
        }
        if let Some(key) = equal {
            state.count_text(key, messages.len(), now);
        }
        Ok(())
    }

    /// Notes a code as the newest to its number and gives the one before.
    pub(super) fn replace(&self, account: AccountId, phone: Phone, id: MessageId) -> Option<MessageId> {
        let newest = &mut self.state.lock().newest;
        if newest.len() >= limits::NEWEST_CODES_MAX {
            newest.clear();
        }
        newest.insert((account, phone), id)
    }

    fn hash(&self, text: &str) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        text.hash(&mut hasher);
        std::hash::Hasher::finish(&hasher)
    }
}

impl State {
    /// How many recipients a text would have had, with `more`.
    fn equal_texts(&self, key: (AccountId, u64), more: usize, now: Instant) -> usize {
        let known = self.texts.get(&key).filter(|(_, since)| now.saturating_duration_since(*since) < EQUAL_WITHIN);
        known.map_or(0, |(count, _)| *count as usize) + more
    }

    fn count_text(&mut self, key: (AccountId, u64), more: usize, now: Instant) {
        if self.texts.len() >= limits::CODE_TEXTS_MAX {
            self.texts.retain(|_, (_, since)| now.saturating_duration_since(*since) < EQUAL_WITHIN);
        }
        if self.texts.len() >= limits::CODE_TEXTS_MAX {
            self.texts.clear();
        }
        let count = u32::try_from(self.equal_texts(key, more, now)).unwrap_or(u32::MAX);
        let since = self.texts.get(&key).map(|(_, since)| *since);
        let since = since.filter(|since| now.saturating_duration_since(*since) < EQUAL_WITHIN).unwrap_or(now);
        self.texts.insert(key, (count, since));
    }
}

/// Whether a text leads somewhere.
fn has_link(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    ["http://", "https://", "www."].iter().any(|mark| text.contains(mark))
}
