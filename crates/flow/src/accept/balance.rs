//! What accounts have left and how fast they may go, kept in atomics beside the durable counters.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use domain::control::Account;
use domain::id::AccountId;
use domain::money::Money;
use parking_lot::RwLock;

/// How far an account may run ahead of its rate before it has to wait.
const BURST: Duration = Duration::from_secs(1);

/// The running figures of one account.
#[derive(Debug, Default)]
struct Meter {
    /// Spent so far: accepted and not refunded, in 1/10000 of the currency unit.
    spent: AtomicI64,
    /// Generic cell rate algorithm: when the account will have worked off what it sent, in
    /// microseconds since the start.
    theoretical_arrival_us: AtomicU64,
}

/// The meters of all accounts.
#[derive(Debug)]
pub(crate) struct Meters {
    started: Instant,
    meters: RwLock<HashMap<AccountId, Arc<Meter>>>,
}

impl Meters {
    /// Starts from what was spent according to the store.
    pub(crate) fn new(spent: Vec<(AccountId, Money)>) -> Self {
        let meter = |(account, spent): (AccountId, Money)| {
            (account, Arc::new(Meter { spent: AtomicI64::new(spent.0), ..Meter::default() }))
        };
        Self { started: Instant::now(), meters: RwLock::new(spent.into_iter().map(meter).collect()) }
    }

    fn meter(&self, account: AccountId) -> Arc<Meter> {
        if let Some(meter) = self.meters.read().get(&account) {
            return Arc::clone(meter);
        }
        Arc::clone(self.meters.write().entry(account).or_default())
    }

    /// Takes `price` from the balance; false, and nothing taken, if it does not cover it.
    pub(crate) fn spend(&self, account: &Account, price: Money) -> bool {
        let meter = self.meter(account.id);
        let take = |spent: i64| {
            let spent = spent.saturating_add(price.0);
            (spent <= account.settings.balance.0).then_some(spent)
        };
        price.0 == 0 || meter.spent.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
    }

    /// Gives back what was taken for nothing.
    pub(crate) fn refund(&self, account: AccountId, price: Money) {
        if price.0 != 0 {
            self.meter(account).spent.fetch_sub(price.0, Ordering::Relaxed);
        }
    }

    /// What is left.
    pub(crate) fn balance(&self, account: &Account) -> Money {
        account.settings.balance.minus(Money(self.meter(account.id).spent.load(Ordering::Relaxed)))
    }

    /// Counts `messages` against the account's rate, or tells how long to wait before they fit.
    pub(crate) fn admit(&self, account: &Account, messages: usize) -> Result<(), Duration> {
        if account.settings.messages_per_second == 0 {
            return Ok(());
        }
        let now_us = u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX);
        let cost_us = u64::try_from(messages).unwrap_or(u64::MAX).saturating_mul(1_000_000)
            / u64::from(account.settings.messages_per_second);
        let burst_us = u64::try_from(BURST.as_micros()).unwrap_or(u64::MAX);
        let mut wait_us = 0;
        let advance = |arrival: u64| {
            // A request may be larger than the burst: it goes through when the account is idle, and is worked off after.
            wait_us = arrival.saturating_sub(now_us.saturating_add(burst_us));
            (wait_us == 0).then(|| arrival.max(now_us).saturating_add(cost_us))
        };
        let admitted =
            self.meter(account.id).theoretical_arrival_us.fetch_update(Ordering::Relaxed, Ordering::Relaxed, advance);
        admitted.map(|_| ()).map_err(|_| Duration::from_micros(wait_us))
    }
}

#[cfg(test)]
mod tests {
    use domain::control::AccountSettings;

    use super::*;

    fn account(balance: i64, messages_per_second: u32) -> Account {
        Account {
            id: AccountId(1),
            name: "acme".into(),
            settings: AccountSettings { balance: Money(balance), messages_per_second, ..AccountSettings::default() },
            senders: vec![],
            endpoints: vec![],
            numbers: vec![],
        }
    }

    #[test]
    fn a_balance_is_never_overdrawn_and_refunds_come_back() {
        let meters = Meters::new(vec![(AccountId(1), Money(300))]);
        let account = account(1000, 0);
        assert!(meters.spend(&account, Money(700)));
        assert!(!meters.spend(&account, Money(1)));
        assert_eq!(meters.balance(&account), Money(0));
        meters.refund(account.id, Money(700));
        assert_eq!(meters.balance(&account), Money(700));
    }

    #[test]
    fn a_rate_lets_a_burst_through_and_then_names_the_wait() {
        let meters = Meters::new(vec![]);
        let account = account(0, 10);
        for _ in 0..11 {
            assert!(meters.admit(&account, 1).is_ok());
        }
        let wait = (0..10).find_map(|_| meters.admit(&account, 1).err()).expect("a wait");
        assert!(wait <= Duration::from_millis(1100) && !wait.is_zero(), "{wait:?}");
        let whole = Meters::new(vec![]);
        assert!(whole.admit(&account, 10_000).is_ok(), "a large request goes through when idle");
        assert!(whole.admit(&account, 1).is_err());
    }
}
