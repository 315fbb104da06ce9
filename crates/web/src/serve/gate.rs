//! How many connections there are, in all and per address.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Counts connections. The map holds no more addresses than there are connections.
#[derive(Debug)]
pub(super) struct Gate {
    total: Arc<Semaphore>,
    total_max: usize,
    per_address_max: usize,
    per_address: Mutex<HashMap<IpAddr, usize>>,
}

/// Room for one connection, given back when dropped.
#[derive(Debug)]
pub(super) struct Pass {
    gate: Arc<Gate>,
    network: IpAddr,
    _permit: OwnedSemaphorePermit,
}

impl Gate {
    pub(super) fn new(total_max: usize, per_address_max: usize) -> Arc<Self> {
        let total_max = total_max.min(Semaphore::MAX_PERMITS);
        let total = Arc::new(Semaphore::new(total_max));
        Arc::new(Self { total, total_max, per_address_max, per_address: Mutex::default() })
    }

    /// Waits for room for one more connection: until then new ones wait in the kernel's queue.
    pub(super) async fn room(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.total).acquire_owned().await.ok()
    }

    /// Lets a connection in, unless its address has too many.
    pub(super) fn enter(self: &Arc<Self>, peer: IpAddr, permit: OwnedSemaphorePermit) -> Option<Pass> {
        let network = network(peer);
        let mut per_address = self.per_address.lock();
        let count = per_address.entry(network).or_insert(0);
        if *count >= self.per_address_max {
            return None;
        }
        *count += 1;
        Some(Pass { gate: Arc::clone(self), network, _permit: permit })
    }

    /// Open connections.
    pub(super) fn open(&self) -> usize {
        self.total_max - self.total.available_permits()
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut per_address = self.gate.per_address.lock();
        if let Some(count) = per_address.get_mut(&self.network) {
            *count -= 1;
            if *count == 0 {
                per_address.remove(&self.network);
            }
        }
    }
}

/// Whoever has an IPv6 address has its whole /64.
fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_gets_no_more_than_its_share_and_room_comes_back() {
        let gate = Gate::new(3, 2);
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        let first = gate.enter(address("2001:db8::1"), gate.room().await.unwrap()).unwrap();
        let second = gate.enter(address("2001:db8::2"), gate.room().await.unwrap()).unwrap();
        assert!(gate.enter(address("2001:db8::3"), gate.room().await.unwrap()).is_none());
        let other = gate.enter(address("198.51.100.7"), gate.room().await.unwrap()).unwrap();
        assert_eq!(gate.open(), 3);
        drop((first, second, other));
        assert_eq!(gate.open(), 0);
        assert!(gate.per_address.lock().is_empty());
    }
}
