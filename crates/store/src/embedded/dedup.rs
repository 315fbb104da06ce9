//! Requests on their way: the same reference cannot be accepted twice at once.

use std::sync::Arc;

use foldhash::fast::FixedState;
use hashbrown::HashSet;
use parking_lot::Mutex;

const SHARDS: usize = 16;

/// References of requests that are being accepted. Bounded by the requests in progress.
#[derive(Clone, Default)]
pub(crate) struct InFlight {
    shards: Arc<[Mutex<HashSet<u64, FixedState>>; SHARDS]>,
}

/// Holds a reference until the request is in the index, or refused.
pub(crate) struct Claim {
    key: u64,
    in_flight: InFlight,
}

impl InFlight {
    /// Takes a reference; `None` while another request has it.
    pub fn claim(&self, key: u64) -> Option<Claim> {
        self.shard(key).lock().insert(key).then(|| Claim { key, in_flight: self.clone() })
    }

    /// Whether a request with that reference is being accepted.
    pub fn is_claimed(&self, key: u64) -> bool {
        self.shard(key).lock().contains(&key)
    }

    fn shard(&self, key: u64) -> &Mutex<HashSet<u64, FixedState>> {
        &self.shards[key as usize % SHARDS]
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.in_flight.shard(self.key).lock().remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_free_again_when_its_claim_is_dropped() {
        let in_flight = InFlight::default();
        let claim = in_flight.claim(7);
        assert!(claim.is_some() && in_flight.claim(7).is_none() && in_flight.claim(8).is_some());
        drop(claim);
        assert!(in_flight.claim(7).is_some());
    }
}
